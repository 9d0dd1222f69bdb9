"""Where this client has bound which addresses, or may have: no server tells (synapse#5540)."""

from __future__ import annotations

from itertools import chain

import attrs

from nio_identity_server.threepid import ThreePid


@attrs.define(eq=False)
class Ledger:
    """Kept for each user and server, while the client lives."""

    _bound: dict[tuple[str, str], dict[ThreePid, None]] = attrs.field(
        factory=dict, init=False, repr=False
    )

    def note_bound(self, user_id: str, server: str, threepid: ThreePid) -> None:
        """Note that an address was bound at a server."""
        self._bound.setdefault((user_id, server), {})[threepid] = None

    def note_unbound(self, user_id: str, server: str | None, threepid: ThreePid) -> None:
        """Note that an address was unbound at a server; at all of them, if none is named."""
        for (owner, where), threepids in self._bound.items():
            if owner == user_id and server in {None, where}:
                threepids.pop(threepid, None)

    def bound(self, user_id: str, server: str | None = None) -> tuple[ThreePid, ...]:
        """What a user has bound here, or may have: at one server, or at all."""
        by_server = [
            threepids
            for (owner, where), threepids in self._bound.items()
            if owner == user_id and server in {None, where}
        ]
        return tuple(dict.fromkeys(chain.from_iterable(by_server)))
