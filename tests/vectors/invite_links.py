"""Links of invitations: what Sydent's templates make, and what is none and why."""

from __future__ import annotations

from urllib.parse import quote

ROOM = "!abc:example.org"
TOKEN = "canaryToken.0_=-"
# Of a seed whose base64 holds both letters that an URL may mean differently.
KEY = "canaryKey+/+/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
ADDRESS = "canary.person@example.org"
SECRETS = (TOKEN, KEY, ADDRESS, "canary", "hunter2")
SERVER = "https://id.example.org"
SIGN = "/_matrix/identity/api/v1/sign-ed25519"


def signurl(
    base: str = SERVER, path: str = SIGN, query: str = f"token={TOKEN}&private_key={KEY}"
) -> str:
    """Where the acceptance is signed."""
    return f"{base}{path}?{query}"


def link(
    *,
    origin: str = "https://app.element.io/",
    path: str = f"/room/{quote(ROOM, safe='')}",
    email: str = quote(ADDRESS, safe=""),
    sign: str | None = quote(signurl(), safe=""),
    names: str = "&room_name=Room&room_avatar_url=&inviter_name=Bob%20%26%20Co",
    more: str = "&guest_access_token=&guest_user_id=",
) -> str:
    """The link as a template writes it, with one part of it replaced."""
    signed = "" if sign is None else f"&signurl={sign}"
    return f"{origin}#{path}?email={email}{signed}{names}{more}"


def signed(**parts: str) -> str:
    """The link with a part of its signurl replaced."""
    return link(sign=quote(signurl(**parts), safe=""))


NOT_HTTPS = "it is not https"
TOO_LONG = "it is longer than 8192 characters"
NO_URL = "it is not a URL"
NO_ROOM = "it names no room"
NO_SIGNURL = "it has no signurl of an identity server"
NOT_SECURE = "its identity server is not https"
TWICE = "it says something twice"
BAD_TOKEN = "token is not 1 to 255 characters of 0-9a-zA-Z.=_-"
BAD_KEY = "its private_key is none"
BAD_SERVER = "its signurl is not the base URL of an identity server: "
SHAPE = f"{BAD_SERVER}it must begin with https:// and a host"
USER = f"{BAD_SERVER}it holds a user name or password"

REFUSED: dict[str, tuple[str, str]] = {
    # The link itself.
    "nothing": ("", NOT_HTTPS),
    "blanks": (" \n", NOT_HTTPS),
    "no link": ("canary", NOT_HTTPS),
    "http": (link(origin="http://app.element.io/"), NOT_HTTPS),
    "javascript": (link(origin="javascript:alert(1)//app.element.io/"), NOT_HTTPS),
    "data": (link(origin="data:text/html,canary"), NOT_HTTPS),
    "matrix": ("matrix:roomid/abc:example.org?action=join", NOT_HTTPS),
    "no scheme": (link(origin="//app.element.io/"), NOT_HTTPS),
    "too long by one": (link(more="&x=").ljust(8193, "a"), TOO_LONG),
    "much too long": ("https://" + "a" * 100_000, TOO_LONG),
    "a host that only looks like one": (link(origin="https://user:hunter2@exa\u2100.org/"), NO_URL),
    "a host in brackets that is no address": (link(origin="https://[hunter2]/"), NO_URL),
    "half a bracket": (link(origin="https://[::1/"), NO_URL),
    # The room.
    "no fragment": ("https://app.element.io/", NO_ROOM),
    "a fragment of something else": ("https://app.element.io/#/login", NO_ROOM),
    "the query before the fragment": (
        f"https://app.element.io/?email={ADDRESS}#/room/{ROOM}",
        NO_SIGNURL,
    ),
    "a user": (link(path="/user/@canary:example.org"), NO_ROOM),
    "no room": (link(path="/room/"), NO_ROOM),
    "no room and no slash": (link(path="/room"), NO_ROOM),
    "a room without sigil": (link(path="/room/canary"), NO_ROOM),
    "a user as room": (link(path="/room/@canary:example.org"), NO_ROOM),
    "a step up": (link(path="/room/..%2F!abc"), NO_ROOM),
    "a blank before the room": (link(path=f"/room/%20{ROOM}"), NO_ROOM),
    "no slash in front": (link(path=f"room/{ROOM}"), NO_ROOM),
    # The signurl.
    "no signurl": (link(sign=None), NO_SIGNURL),
    "an empty signurl": (link(sign=""), NO_SIGNURL),
    "a signurl that is no URL": (link(sign="canary"), NO_SIGNURL),
    "a signurl of another path": (signed(path="/sign-ed25519"), NO_SIGNURL),
    "a signurl of a homeserver": (signed(path="/_matrix/client/v3/sign-ed25519"), NO_SIGNURL),
    "a signurl that goes on": (signed(path=f"{SIGN}/canary"), NO_SIGNURL),
    "a signurl that does not end": (signed(path="/_matrix/identity/api/v1/"), NO_SIGNURL),
    "a signurl without version": (signed(path="/_matrix/identity/sign-ed25519"), NO_SIGNURL),
    "a signurl in its own query": (
        link(sign=quote(f"https://evil.example/?x={SERVER}{SIGN}", safe="")),
        NO_SIGNURL,
    ),
    "http in the signurl": (signed(base="http://id.example.org"), NOT_SECURE),
    "http on this machine": (signed(base="http://127.0.0.1:8090"), NOT_SECURE),
    "javascript in the signurl": (signed(base="javascript:alert(1)"), SHAPE),
    "javascript that comments": (signed(base="javascript://id.example.org"), SHAPE),
    "file in the signurl": (signed(base="file://"), SHAPE),
    "no scheme in the signurl": (signed(base="//id.example.org"), SHAPE),
    "no host in the signurl": (signed(base=""), f"{BAD_SERVER}it is empty"),
    "an empty host in the signurl": (
        signed(base="https://"),
        f"{BAD_SERVER}host or port cannot be read",
    ),
    "a user in the signurl": (signed(base="https://user@id.example.org"), USER),
    "a password in the signurl": (signed(base="https://u:hunter2@id.example.org"), USER),
    "a host in front of the host": (signed(base="https://id.example.org@evil.example"), USER),
    "a fragment in the signurl": (
        signed(base="https://id.example.org#canary"),
        f"{BAD_SERVER}it has a fragment",
    ),
    "a backslash in the signurl": (
        signed(base="https://evil.example\\.id.example.org"),
        f"{BAD_SERVER}it has a backslash",
    ),
    "a line break in the signurl": (
        signed(base="https://id.example.org\n"),
        f"{BAD_SERVER}it holds blanks or control characters",
    ),
    "a step up in the signurl": (
        signed(base="https://id.example.org/.."),
        f"{BAD_SERVER}the path is malformed",
    ),
    "a port that is none": (
        signed(base="https://id.example.org:99999"),
        f"{BAD_SERVER}the port must be 1 to 65535",
    ),
    # The secrets.
    "no secrets": (signed(query=""), BAD_TOKEN),
    "no token": (signed(query=f"private_key={KEY}"), BAD_TOKEN),
    "an empty token": (signed(query=f"token=&private_key={KEY}"), BAD_TOKEN),
    "a token with a line break": (signed(query=f"token={TOKEN}%0A&private_key={KEY}"), BAD_TOKEN),
    "a token with a bare line break": (
        signed(query=f"token={TOKEN}\n&private_key={KEY}"),
        BAD_TOKEN,
    ),
    "a token with a slash": (signed(query=f"token=../{TOKEN}&private_key={KEY}"), BAD_TOKEN),
    "a token with a blank": (signed(query=f"token=a+{TOKEN}&private_key={KEY}"), BAD_TOKEN),
    "a token outside ASCII": (signed(query=f"token=é{TOKEN}&private_key={KEY}"), BAD_TOKEN),
    "a token of 256": (signed(query=f"token={'a' * 256}&private_key={KEY}"), BAD_TOKEN),
    "no key": (signed(query=f"token={TOKEN}"), BAD_KEY),
    "an empty key": (signed(query=f"token={TOKEN}&private_key="), BAD_KEY),
    "a short key": (signed(query=f"token={TOKEN}&private_key={KEY[:-2]}"), BAD_KEY),
    "a long key": (signed(query=f"token={TOKEN}&private_key={KEY}AA"), BAD_KEY),
    "a key with a line break": (signed(query=f"token={TOKEN}&private_key={KEY}%0A"), BAD_KEY),
    "a key that is no base64": (signed(query=f"token={TOKEN}&private_key={KEY[:-1]}*"), BAD_KEY),
    "a key in hexadecimal": (signed(query=f"token={TOKEN}&private_key={'ca' * 32}"), BAD_KEY),
    "a key with a fragment behind it": (
        signed(query=f"token={TOKEN}&private_key={KEY}#canary"),
        BAD_KEY,
    ),
    # What is said twice: readers differ in which of them they take.
    "two signurls": (link(more=f"&signurl={quote(signurl(), safe='')}"), TWICE),
    "two addresses": (link(more="&email=canary.other%40example.org"), TWICE),
    "the same address twice": (link(more=f"&email={quote(ADDRESS)}"), TWICE),
    "two names": (link(more="&room_name=canary"), TWICE),
    "a name and nothing": (link(more="&room_name"), TWICE),
    "two tokens": (signed(query=f"token={TOKEN}&token=b&private_key={KEY}"), TWICE),
    "two keys": (signed(query=f"token={TOKEN}&private_key={KEY}&private_key={KEY}"), TWICE),
    "a key that is spelt differently": (
        signed(query=f"token={TOKEN}&private_key={KEY}&private%5Fkey=x"),
        TWICE,
    ),
    # The address.
}
"""Links that are none, and the reason that is told."""
