"""Who has which address, and what becomes of an invitation when its address is bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs

from nio_identity_server.testing.identity_server.accounts import OpenIdProvider
from nio_identity_server.testing.identity_server.lookup import Lookup, bound_key
from nio_identity_server.testing.identity_server.sessions import milliseconds
from nio_identity_server.testing.signing import SigningKey

KEY_ID = "ed25519:0"
_HUNDRED_YEARS_MS = 100 * 365 * 24 * 60 * 60 * 1000


@attrs.frozen
class StoredInvite:
    """An invitation that waits at an identity server for its address to be bound.

    Attributes:
        medium: `email`; there is no other.
        address: The folded address; not in the printed form.
        room_id: Where to.
        sender: Who invites.
        token: What names the invitation; not in the printed form.
        sent: Whether it has been sent to a homeserver, which did not take it.
    """

    medium: str
    address: str = attrs.field(repr=False)
    room_id: str
    sender: str
    token: str = attrs.field(repr=False)
    sent: bool = False


@runtime_checkable
class BindingListener(Protocol):
    """A homeserver that wants to hear, in the same process, of new associations of its users."""

    def heard_of_binding(self, association: Mapping[str, Any]) -> bool:
        """Take an association with its `invites`; tells whether all of them were good."""


class Binder:
    """Binds addresses to users and signs that.

    Attributes:
        key: The server's own key.
        invites: The invitations that wait.
    """

    def __init__(
        self, lookup: Lookup, homeservers: Sequence[OpenIdProvider], name: Callable[[], str]
    ) -> None:
        self.key = SigningKey.generate()
        self.invites: list[StoredInvite] = []
        self._lookup = lookup
        self._homeservers = homeservers
        self._name = name

    def mxid(self, medium: str, address: str) -> str | None:
        """Give the user to whom an address is bound, or `None`."""
        return self._lookup.bound.get(bound_key(medium, address))

    def bind(self, medium: str, address: str, mxid: str) -> None:
        """Bind an address, and deliver the invitations that waited for it."""
        key = bound_key(medium, address)
        self._lookup.bound[key] = mxid
        # An association is signed only when somebody gets to see it: that needs a name.
        if self._waiting(key):
            self._deliver(self._associated(key, mxid))

    def associate(self, medium: str, address: str, mxid: str) -> dict[str, Any]:
        """Bind an address as `bind` does, and give the signed association."""
        key = bound_key(medium, address)
        self._lookup.bound[key] = mxid
        association = self._associated(key, mxid)
        self._deliver(association)
        return association

    def unbind(self, medium: str, address: str, mxid: str) -> None:
        """Undo what this user has bound; nothing happens if it is not theirs."""
        key = bound_key(medium, address)
        if self._lookup.bound.get(key) == mxid:
            del self._lookup.bound[key]

    def sender(self, token: str) -> str | None:
        """Give the user who sent the invitation of this name, or `None`."""
        return next((each.sender for each in self.invites if each.token == token), None)

    def sign(self, content: Mapping[str, Any], key: SigningKey | None = None) -> dict[str, Any]:
        """Give an object with this server's signature, made with its own key or another."""
        return (key or self.key).sign(content, self._name(), KEY_ID)

    def _waiting(self, key: tuple[str, str]) -> list[StoredInvite]:
        return [
            each for each in self.invites if (each.medium, each.address) == key and not each.sent
        ]

    def _associated(self, key: tuple[str, str], mxid: str) -> dict[str, Any]:
        medium, address = key
        now = milliseconds()
        association: dict[str, Any] = {
            "medium": medium,
            "address": address,
            "mxid": mxid,
            "ts": now,
            "not_before": now,
            "not_after": now + _HUNDRED_YEARS_MS,
        }
        invites = [
            {
                "medium": medium,
                "address": address,
                "room_id": each.room_id,
                "sender": each.sender,
                "token": each.token,
                "mxid": mxid,
                "signed": self.sign({"mxid": mxid, "token": each.token}),
            }
            for each in self._waiting(key)
        ]
        if invites:
            association["invites"] = invites
        return self.sign(association)

    def _deliver(self, association: Mapping[str, Any]) -> None:
        """Send an association to the user's homeserver.

        Sydent 2.6.1 forgets the invitations once that has taken all of them; otherwise it keeps
        them, but sends them to nobody who binds the address later.
        """
        key = (association["medium"], association["address"])
        taken = [
            homeserver.heard_of_binding(association)
            for homeserver in self._homeservers
            if isinstance(homeserver, BindingListener)
            and homeserver.server_name == association["mxid"].partition(":")[2]
        ]
        mine = [each for each in self.invites if (each.medium, each.address) == key]
        for each in mine:
            self.invites.remove(each)
        if not (taken and all(taken)):
            self.invites.extend(attrs.evolve(each, sent=True) for each in mine)
