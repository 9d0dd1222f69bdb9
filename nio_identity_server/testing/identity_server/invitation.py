"""The chapter of the invitations: addresses that are nobody's yet."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from nio_identity_server.testing.identity_server.accounts import Accounts
from nio_identity_server.testing.identity_server.binder import Binder, StoredInvite
from nio_identity_server.testing.identity_server.bodies import OLD_PREFIX, arguments, broken
from nio_identity_server.testing.identity_server.keys import Keys
from nio_identity_server.testing.identity_server.lookup import bound_key
from nio_identity_server.testing.identity_server.post import Mail, Post, Unsendable
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.routes import Call, Route
from nio_identity_server.testing.signing import SigningKey, decode_base64, encode_base64

_LONGEST_ADDRESS = 500
_REVEALED = 3
_WEB_CLIENT = "https://app.element.io"


class Invitation:
    """Keeps invitations, mails them, and signs for those who got them."""

    def __init__(
        self, accounts: Accounts, binder: Binder, keys: Keys, post: Post, url: Callable[[], str]
    ) -> None:
        self._accounts = accounts
        self._binder = binder
        self._keys = keys
        self._post = post
        self._url = url

    def routes(self, prefix: str) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            Route("POST", f"{prefix}/store-invite", self._store),
            Route("POST", f"{prefix}/sign-ed25519", self._sign),
            Route("POST", f"{OLD_PREFIX}/sign-ed25519", self._sign_as_linked),
        ]

    async def _store(self, call: Call) -> Reply:
        given = arguments(call.request, "medium", "address", "room_id", "sender")
        medium, address, sender = given["medium"], given["address"], given["sender"]
        if not all(isinstance(each, str) for each in (medium, address, given["room_id"])):
            raise broken()
        if call.request.bearer is None:
            # Sydent 2.6.1 looks for the token in the body, which it has read to its end already.
            raise Refusal(400, "M_BAD_JSON", "Malformed JSON")
        if self._accounts.authenticate(call.request) != sender:
            raise Refusal(403, "M_UNAUTHORIZED", "'sender' doesn't match")
        mxid = self._binder.mxid(medium, address)
        if mxid is not None:
            raise Refusal(400, "M_THREEPID_IN_USE", "Binding already known", mxid=mxid)
        if medium != "email":
            raise Refusal(400, "M_UNRECOGNIZED", f"Didn't understand medium '{medium}'")
        if not 0 < len(address) <= _LONGEST_ADDRESS:
            raise Refusal(400, "M_INVALID_PARAM", "Invalid email provided")
        return Reply.of_json(self._stored(given, address, sender))

    def _stored(self, given: Mapping[str, Any], address: str, sender: str) -> dict[str, Any]:
        _, folded = bound_key("email", address)
        token = "".join(secrets.choice(string.ascii_letters) for _ in range(128))
        key = SigningKey.generate()
        public_keys = self._keys.announce(key)
        self._binder.invites.append(StoredInvite("email", folded, given["room_id"], sender, token))
        link = self._link(given, folded, token, encode_base64(key.seed, url_safe=True))
        try:
            self._post.send(Mail(folded, "invitation", token, link))
            display_name = _redacted(address)
        except Unsendable:
            # The invitation stays: Sydent 2.6.1 stores it first and does not look back.
            raise broken() from None
        return {
            "token": token,
            "public_key": public_keys[0]["public_key"],
            "public_keys": public_keys,
            "display_name": display_name,
        }

    def _link(self, given: Mapping[str, Any], address: str, token: str, private_key: str) -> str:
        """Make the link as the invite template of Sydent's brand "vector-im" does."""
        signurl = f"{self._url()}{OLD_PREFIX}/sign-ed25519?token={token}&private_key={private_key}"
        query = {
            "email": quote(address),
            "signurl": quote(signurl, safe=""),
            "room_name": quote(_shortened(given.get("room_name"), 30, 25)),
            "room_avatar_url": quote(_text(given.get("room_avatar_url"))),
            "inviter_name": quote(_shortened(given.get("sender_display_name"), 20, 19)),
            "guest_access_token": quote(_text(given.get("guest_access_token"))),
            "guest_user_id": quote(_text(given.get("guest_user_id"))),
            "room_type": quote(_text(given.get("room_type"))),
        }
        client = _text(given.get("org.matrix.web_client_location")) or _WEB_CLIENT
        parameters = "&".join(f"{name}={value}" for name, value in query.items())
        return f"{client}/#/room/{quote(given['room_id'])}?{parameters}"

    async def _sign(self, call: Call) -> Reply:
        self._accounts.authenticate(call.request)
        return self._signed(arguments(call.request, "private_key", "token", "mxid"))

    async def _sign_as_linked(self, call: Call) -> Reply:
        """Sign for Element, which follows the link of the mail with `mxid` added to its query."""
        return self._signed(_old_arguments(call.request, "private_key", "token", "mxid"))

    def _signed(self, given: Mapping[str, Any]) -> Reply:
        sender = self._binder.sender(given["token"])
        if sender is None:
            raise Refusal(404, "M_UNRECOGNIZED", "Didn't recognize token")
        try:
            key = SigningKey(decode_base64(given["private_key"]))
        except (ValueError, AttributeError):
            raise broken() from None
        content = {"mxid": given["mxid"], "sender": sender, "token": given["token"]}
        return Reply.of_json(self._binder.sign(content, key))


def _old_arguments(request: Request, *names: str) -> Mapping[str, Any]:
    """Read the body if it says that it is JSON, or else the query: the way of the old paths."""
    is_json = request.headers.get("Content-Type", "").startswith("application/json")
    given = arguments(request) if is_json else {}
    found = given or request.query
    missing = [name for name in names if name not in found]
    if missing:
        raise Refusal(400, "M_MISSING_PARAMS", f"Missing parameters: {','.join(missing)}")
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _shortened(value: Any, longest: int, kept: int) -> str:
    text = _text(value)
    return text if len(text) <= longest else f"{text[:kept]}…"


def _redacted(address: str) -> str:
    """Hide most of an address, on both sides of its `@`; without one, Sydent 2.6.1 breaks."""
    name, at, domain = address.partition("@")
    if not at:
        raise broken()
    return f"{_hidden(name)}@{_hidden(domain)}"


def _hidden(text: str) -> str:
    if len(text) > _REVEALED:
        return f"{text[:_REVEALED]}..."
    return f"{text[0]}..." if len(text) > 1 else "..."
