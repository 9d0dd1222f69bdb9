"""The link in a mail that invites somebody into a room.

No specification says what it looks like (matrix-spec#2082). This is the form of Sydent's templates,
which Element reads: everything behind ``#/room/``, and a ``signurl`` with the invitation's key.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import attrs

from nio_identity_server.base_url import BaseUrl, parse_base_url
from nio_identity_server.errors import InvalidAddress, InvalidBaseUrl
from nio_identity_server.grammar import check_opaque
from nio_identity_server.signing import is_key
from nio_identity_server.threepid import ThreePid, email
from nio_identity_server.words import printable

_LONGEST = 8192
_SIGN = "/sign-ed25519"
_API = "/_matrix/identity/"
# An id or an alias: opaque, but for its sigil, and printable.
_ROOM = re.compile(r"[!#][^\s\x00-\x1f\x7f/?]{1,254}")
_OURS = frozenset({"email", "inviter_name", "private_key", "room_name", "signurl", "token"})


def _check_private_key(_: object, _attribute: object, value: str) -> None:
    if not is_key(value):
        raise ValueError("its private_key is none")


@attrs.frozen
class InviteLink:
    """What the link in an invitation's mail says. Anybody can write such a mail.

    Attributes:
        room_id: The room.
        base_url: The identity server that sent the mail, by its own word: show it to the user.
        token: What names the invitation.
        private_key: What its acceptance is signed with.
        threepid: The address that was invited, or None if the link does not tell.
        inviter_name: What the inviter calls themselves, printable; not their user ID.
        room_name: What the room is called, printable.
    """

    room_id: str
    base_url: BaseUrl
    token: str = attrs.field(repr=False, validator=check_opaque)
    private_key: str = attrs.field(repr=False, validator=_check_private_key)
    threepid: ThreePid | None = None
    inviter_name: str = attrs.field(default="", repr=False)
    room_name: str = attrs.field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> InviteLink:
        """Read a link, and send nothing anywhere.

        Raises:
            ValueError: If it is no link of an invitation, or names an identity server without
                https. The link is not repeated.
        """
        reason = ""
        try:
            return _parse(url)
        except InvalidBaseUrl as error:
            reason = f"its signurl is {error}"
        except ValueError as error:
            reason = str(error)
        raise ValueError(f"not the link of an invitation: {reason}")


def _parse(url: str) -> InviteLink:
    if len(url) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST} characters")
    parts = _split(url.strip())
    if parts.scheme != "https":
        raise ValueError("it is not https")
    path, _, query = parts.fragment.partition("?")
    room_id = unquote(path.removeprefix("/room/"))
    if not path.startswith("/room/") or not _ROOM.fullmatch(room_id):
        raise ValueError("it names no room")
    fields = _fields(query)
    base_url, secrets = _read_signurl(fields.get("signurl", ""))
    return InviteLink(
        room_id=room_id,
        base_url=base_url,
        token=secrets.get("token", ""),
        # A plus of base64, which the templates do not encode, has been read as a blank.
        private_key=secrets.get("private_key", "").replace(" ", "+"),
        threepid=_read_email(fields.get("email", "")),
        inviter_name=printable(fields.get("inviter_name", "")),
        room_name=printable(fields.get("room_name", "")),
    )


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # which repeats what stands where the host should be
        pass
    raise ValueError("it is not a URL")


def _read_signurl(text: str) -> tuple[BaseUrl, dict[str, str]]:
    """The base URL in front of the API's path, of whatever version, and what stands behind it."""
    address, _, query = text.partition("?")
    base, api, path = address.partition(_API)
    if not api or not path.endswith(_SIGN):
        raise ValueError("it has no signurl of an identity server")
    base_url = parse_base_url(base)
    if base_url.scheme != "https":
        raise ValueError("its identity server is not https")
    return base_url, _fields(query)


def _read_email(text: str) -> ThreePid | None:
    """The address, for people to look at; nothing depends on it."""
    try:
        return email(text)
    except InvalidAddress:
        return None


def _fields(query: str) -> dict[str, str]:
    pairs = [each for each in parse_qsl(query, keep_blank_values=True) if each[0] in _OURS]
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("it says something twice")
    return fields
