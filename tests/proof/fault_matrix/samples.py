"""A request of every endpoint, full of secrets, and a good reply to it."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from typing import Any

import attrs

from nio_identity_server import endpoints
from nio_identity_server.endpoint import Endpoint, Receiver
from nio_identity_server.endpoints.account import GetAccount, Logout, RegisterAccount
from nio_identity_server.endpoints.association import Bind, GetValidated3pid, Unbind
from nio_identity_server.endpoints.discovery import GetVersions, Ping
from nio_identity_server.endpoints.homeserver import (
    GetAccountData,
    GetTokenOwner,
    RequestOpenIdToken,
    SetAccountData,
)
from nio_identity_server.endpoints.homeserver_association import (
    Bind3PID,
    GetAccount3PIDs,
    Unbind3pidFromAccount,
)
from nio_identity_server.endpoints.homeserver_room import (
    GetRoomState,
    InviteBy3PID,
    InviteUser,
    JoinRoom,
    SetRoomStateWithKey,
)
from nio_identity_server.endpoints.invitation import BlindlySignStuff, StoreInvite
from nio_identity_server.endpoints.keys import GetPubKey, IsEphemeralPubKeyValid, IsPubKeyValid
from nio_identity_server.endpoints.lookup import GetHashDetails, LookupUsers
from nio_identity_server.endpoints.terms import AgreeToTerms, GetTerms
from nio_identity_server.endpoints.validation import (
    EmailRequestToken,
    EmailSubmitTokenGet,
    EmailSubmitTokenPost,
    MsisdnRequestToken,
    MsisdnSubmitTokenGet,
    MsisdnSubmitTokenPost,
)

# What must not show, however an exception is printed: of our own, and of what a server says.
TOKEN = "canary-token-4f6d"
SECRET = "canary-secret-8b1e"
ADDRESS = "canary-address-77c0@example.org"
NUMBER = "447700900123"
HASH = "canary-hash-41d8cd98"
INVITE = "canary-invite-5d2a"
KEY = "canary-key-d9e3"
BODY = "canary-body-6c0d"
HEADER = "canary-header-b7c9"
TARGET = "canary-target-91d4"
SECRETS = (TOKEN, SECRET, ADDRESS, NUMBER, HASH, INVITE, KEY, BODY, HEADER, TARGET)

SID = "canary-sid-2f31"
"""Worthless without its secret: may stand in a printed request, but in no exception's text."""

USER = "@alice:example.org"
ROOM = "!room:example.org"

_SIGNED = {"signatures": {"example.org": {"ed25519:0": BODY}}}
_ASSOCIATION = {
    "address": ADDRESS,
    "medium": "email",
    "mxid": USER,
    "not_before": 0,
    "not_after": 1,
    "ts": 0,
    **_SIGNED,
}
_OPENID = {
    "access_token": BODY,
    "token_type": "Bearer",
    "matrix_server_name": "example.org",
    "expires_in": 3600,
}
_STORED = {
    "token": INVITE,
    "display_name": "c...@e...",
    "public_keys": [{"public_key": "a2V5", "key_validity_url": "https://x.org/isvalid"}],
}
_KNOWN = {"medium": "email", "address": ADDRESS, "validated_at": 0, "added_at": 0}
_STATE = {"type": "m.x", "state_key": INVITE, "sender": USER, "content": {}}


@attrs.frozen
class Sample:
    """A request, and what a good server says to it.

    Attributes:
        endpoint: The request.
        reply: The reply as JSON; a page for people is a text.
    """

    endpoint: Endpoint[Any]
    reply: Any = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return type(self.endpoint).__name__

    @property
    def good(self) -> bytes:
        """The body of a good reply."""
        return self.reply.encode() if self.is_page else json.dumps(self.reply).encode()

    @property
    def is_page(self) -> bool:
        """Whether the reply is a page for people, of which any is good."""
        return self.endpoint.reply is str

    @property
    def needed(self) -> tuple[str, ...]:
        """The keys that a good reply cannot do without."""
        if not attrs.has(self.endpoint.reply):
            return ()
        names = (each.name for each in attrs.fields(self.endpoint.reply) if _is_needed(each))
        one_of = ("token",) if type(self.endpoint) is RegisterAccount else ()
        return one_of or tuple(name for name in names if name in self.reply)


def _is_needed(field: attrs.Attribute[Any]) -> bool:
    return field.default is attrs.NOTHING


_ALL = (
    Sample(RegisterAccount(SECRET, "Bearer", "example.org", 3600), {"token": TOKEN}),
    Sample(GetAccount(), {"user_id": USER}),
    Sample(Logout(), {}),
    Sample(
        GetValidated3pid(SID, SECRET), {"medium": "email", "address": ADDRESS, "validated_at": 0}
    ),
    Sample(Bind(SID, SECRET, USER), _ASSOCIATION),
    Sample(Unbind(USER, "email", ADDRESS, SID, SECRET), {}),
    Sample(GetVersions(), {"versions": ["v1.1"]}),
    Sample(Ping(), {}),
    Sample(GetHashDetails(), {"lookup_pepper": "pepper", "algorithms": ["sha256"]}),
    Sample(LookupUsers([HASH], "sha256", "pepper"), {"mappings": {HASH: USER}}),
    Sample(GetTerms(), {"policies": {}}),
    Sample(AgreeToTerms(["https://x.org/terms"]), {}),
    Sample(EmailRequestToken(SECRET, ADDRESS, 1), {"sid": SID}),
    Sample(EmailSubmitTokenPost(SID, SECRET, INVITE), {"success": True}),
    Sample(EmailSubmitTokenGet(SID, SECRET, INVITE), "<html>good</html>"),
    Sample(MsisdnRequestToken(SECRET, "GB", NUMBER, 1), {"sid": SID}),
    Sample(MsisdnSubmitTokenPost(SID, SECRET, INVITE), {"success": True}),
    Sample(MsisdnSubmitTokenGet(SID, SECRET, INVITE), "<html>good</html>"),
    Sample(StoreInvite(ADDRESS, ROOM, USER), _STORED),
    Sample(
        BlindlySignStuff(USER, INVITE, KEY),
        {"mxid": USER, "sender": "@bob:example.org", "token": INVITE, **_SIGNED},
    ),
    Sample(GetPubKey("ed25519:0"), {"public_key": "a2V5"}),
    Sample(IsPubKeyValid("a2V5"), {"valid": True}),
    Sample(IsEphemeralPubKeyValid("a2V5"), {"valid": True}),
    Sample(GetAccountData(USER, "m.identity_server"), {}),
    Sample(SetAccountData(USER, "m.identity_server", {"base_url": None}), {}),
    Sample(GetTokenOwner(), {"user_id": USER}),
    Sample(RequestOpenIdToken(USER), _OPENID),
    Sample(GetAccount3PIDs(), {"threepids": [_KNOWN]}),
    Sample(Bind3PID(SID, SECRET, "id.example.org", KEY), {}),
    Sample(
        Unbind3pidFromAccount("email", ADDRESS, "id.example.org"),
        {"id_server_unbind_result": "success"},
    ),
    Sample(InviteBy3PID(ROOM, "id.example.org", KEY, "email", ADDRESS), {}),
    Sample(InviteUser(ROOM, "@bob:example.org"), {}),
    Sample(JoinRoom(ROOM, {"token": INVITE, **_SIGNED}), {"room_id": ROOM}),
    Sample(GetRoomState(ROOM), [_STATE]),
    Sample(SetRoomStateWithKey(ROOM, "m.x", "y", {}), {"event_id": "$x"}),
)

IDENTITY = tuple(each for each in _ALL if each.endpoint.receiver is Receiver.IDENTITY_SERVER)
"""What identity servers are asked."""

HOMESERVER = tuple(each for each in _ALL if each.endpoint.receiver is Receiver.HOMESERVER)
"""What homeservers are asked."""


def every_endpoint() -> Iterator[type[Endpoint[Any]]]:
    """Every endpoint of the package, found by looking into its modules."""
    for found in pkgutil.iter_modules(endpoints.__path__, endpoints.__name__ + "."):
        chapter = importlib.import_module(found.name)
        for kind in vars(chapter).values():
            if (
                isinstance(kind, type)
                and issubclass(kind, Endpoint)
                and kind.__module__ == found.name
            ):
                yield kind
