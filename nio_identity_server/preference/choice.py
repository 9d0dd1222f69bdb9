"""How the user's choice becomes known: one table, and the few lines that apply it.

Theory of operation
===================

What is known at any moment is a :class:`Choice`: a value, how it stands, and what is still owed.
Evidence comes from four witnesses (see ``evidence.Witness``) that deserve different trust:

* A **snapshot** may be old: Synapse answers a repeated initial sync from a two-minute cache, and
  frameworks replay stored responses. What it says first is only *provisional*: the first call
  reads it again. Later it can raise doubt, never decide.
* A **change** in an incremental sync is adopted. But the stream of changes can lag behind what we
  know for certain: after our own write, or after a read that contradicted it. Then we are *ahead*
  of the stream, a different value in it may be stale or newer, and nobody can tell; so it raises
  doubt until the stream has shown the value we know. A **late change** comes in a sync that was
  under way when a read was answered: if it says otherwise, it is doubted for the same reason.
* A **read** is never stale. It ends every doubt.
* A **write** that was answered 200 is what we know, whatever came before.

Doubt means unconfirmed: calls wait for a read. What was known before is kept, because the same
value afterwards continues the same generation of operations and another one ends it. After a write
of ours whose end is not known, only a read or another write ends the doubt: the stream may still
show what was there before.

Two things are not in the table. Knowledge *expires* when no sync has been watched for a while, and
becomes provisional (a bot that never syncs would otherwise never learn of a ``null``). And the
stream *owes* us the echoes of our own writes, in order: one that is not the last of them, or that
comes when we know something else, may be just that echo, or the same value chosen anew by another
client; so it counts as a snapshot.

Rule: everything that changes a :class:`Choice` is in this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import attrs

from nio_identity_server.preference.account_data import Known, Preference, Unconfirmed
from nio_identity_server.preference.evidence import Witness


class Standing(Enum):
    """How what is known stands."""

    UNKNOWN = "unknown"
    """Nothing was seen yet."""

    PROVISIONAL = "provisional"
    """Something said so that may be old; the first call reads it again."""

    CONFIRMED = "confirmed"
    """Known, and changes in the stream are adopted."""

    AHEAD = "ahead"
    """Known, but the stream has not shown it yet."""

    DOUBTED = "doubted"
    """A snapshot contradicted what was confirmed."""

    DOUBTED_AHEAD = "doubted ahead"
    """The stream contradicted what we know ahead of it."""

    LOST = "lost"
    """A write of ours may have been stored, or not."""


class Saying(Enum):
    """How what a witness says relates to what is known."""

    SAME = "the same value"
    DOUBT = "the value that raised the doubt"
    OTHER = "another value"


_UNKNOWN, _PROVISIONAL, _CONFIRMED, _AHEAD, _DOUBTED, _DOUBTED_AHEAD, _LOST = Standing
_SNAPSHOT, _CHANGE, _LATE, _READ, _WRITE = Witness


def _row(
    same: Standing, other: Standing, doubt: Standing | None = None
) -> Mapping[Saying, Standing]:
    return MappingProxyType(
        {Saying.SAME: same, Saying.OTHER: other, Saying.DOUBT: doubt or other},
    )


TRANSITIONS: Mapping[Standing, Mapping[Witness, Mapping[Saying, Standing]]] = MappingProxyType(
    {
        _UNKNOWN: {
            _SNAPSHOT: _row(_PROVISIONAL, _PROVISIONAL),
            _CHANGE: _row(_CONFIRMED, _CONFIRMED),
            _LATE: _row(_CONFIRMED, _CONFIRMED),
            _READ: _row(_CONFIRMED, _CONFIRMED),
            _WRITE: _row(_AHEAD, _AHEAD),
        },
        _PROVISIONAL: {
            # Two snapshots that differ: neither was confirmed, so neither is believed.
            _SNAPSHOT: _row(_PROVISIONAL, _DOUBTED),
            # Behind an old snapshot come old changes (the cache replays them one by one).
            _CHANGE: _row(_PROVISIONAL, _PROVISIONAL),
            _LATE: _row(_PROVISIONAL, _PROVISIONAL),
            _READ: _row(_CONFIRMED, _AHEAD),
            _WRITE: _row(_AHEAD, _AHEAD),
        },
        _CONFIRMED: {
            _SNAPSHOT: _row(_CONFIRMED, _DOUBTED),
            _CHANGE: _row(_CONFIRMED, _CONFIRMED),
            _LATE: _row(_CONFIRMED, _DOUBTED),
            _READ: _row(_CONFIRMED, _AHEAD),
            _WRITE: _row(_AHEAD, _AHEAD),
        },
        _AHEAD: {
            _SNAPSHOT: _row(_AHEAD, _DOUBTED_AHEAD),
            _CHANGE: _row(_CONFIRMED, _DOUBTED_AHEAD),
            _LATE: _row(_CONFIRMED, _DOUBTED_AHEAD),
            _READ: _row(_AHEAD, _AHEAD),
            _WRITE: _row(_AHEAD, _AHEAD),
        },
        _DOUBTED: {
            _SNAPSHOT: _row(_DOUBTED, _DOUBTED),
            _CHANGE: _row(_PROVISIONAL, _PROVISIONAL),
            _LATE: _row(_DOUBTED, _DOUBTED),
            _READ: _row(_CONFIRMED, _AHEAD, doubt=_CONFIRMED),
            _WRITE: _row(_AHEAD, _AHEAD),
        },
        _DOUBTED_AHEAD: {
            _SNAPSHOT: _row(_DOUBTED_AHEAD, _DOUBTED_AHEAD),
            _CHANGE: _row(_CONFIRMED, _DOUBTED_AHEAD),
            _LATE: _row(_CONFIRMED, _DOUBTED_AHEAD),
            _READ: _row(_AHEAD, _AHEAD, doubt=_CONFIRMED),
            _WRITE: _row(_AHEAD, _AHEAD),
        },
        _LOST: {
            _SNAPSHOT: _row(_LOST, _LOST),
            _CHANGE: _row(_LOST, _LOST),
            _LATE: _row(_LOST, _LOST),
            _READ: _row(_AHEAD, _AHEAD),
            _WRITE: _row(_AHEAD, _AHEAD),
        },
    }
)

MOST_OWED = 16
"""Echoes to wait for; a client that never syncs writes without ever seeing one."""

IN_DOUBT = frozenset({_DOUBTED, _DOUBTED_AHEAD, _LOST})
SETTLED = frozenset({_CONFIRMED, _AHEAD})
"""The standings in which calls may go out."""


@attrs.frozen
class Choice:
    """What is known about the choice of one user.

    Attributes:
        standing: How it stands.
        known: The value that is, or before a doubt was, known. None if nothing was ever seen.
        doubt: The value that raised the doubt.
        owed: The values that we wrote and that the stream has not shown yet, the oldest first.
    """

    standing: Standing = Standing.UNKNOWN
    known: Known | None = None
    doubt: Known | None = None
    owed: tuple[Known, ...] = ()

    @property
    def preference(self) -> Preference:
        """The value as a user of this package sees it."""
        if self.known is None or self.standing in IN_DOUBT:
            return Unconfirmed()
        return self.known

    @property
    def is_settled(self) -> bool:
        """Whether calls may go out on the strength of it."""
        return self.standing in SETTLED

    def told(self, witness: Witness, value: Known) -> Choice:
        """What is known after this witness has said this value."""
        owed = self.owed
        if witness is _WRITE:
            owed = (*owed, value)[-MOST_OWED:]
        elif witness in {_CHANGE, _LATE} and value in owed:
            owed = owed[owed.index(value) + 1 :]
            if owed or value != self.known:
                witness = _SNAPSHOT
        standing = TRANSITIONS[self.standing][witness][self._saying(value)]
        if standing in IN_DOUBT:
            return attrs.evolve(self, standing=standing, doubt=value, owed=owed)
        return Choice(standing, known=value, owed=owed)

    def lost(self) -> Choice:
        """What is known after a write whose end is not known: it may have been stored."""
        return attrs.evolve(self, standing=_LOST, doubt=None)

    def expired(self) -> Choice:
        """What is known after no sync has been watched for too long."""
        return attrs.evolve(self, standing=_PROVISIONAL) if self.is_settled else self

    def unread(self) -> Choice:
        """What is known after reading a provisional value failed: its word stands."""
        return attrs.evolve(self, standing=_CONFIRMED) if self.standing is _PROVISIONAL else self

    def _saying(self, value: Known) -> Saying:
        if value == self.known:
            return Saying.SAME
        return Saying.DOUBT if value == self.doubt else Saying.OTHER
