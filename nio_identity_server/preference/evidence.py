"""What one sync response proves about ``m.identity_server``, given the request that it answers.

The event's *presence* is proved by any response that holds it. Its *absence* is proved only by a
whole response: to a request without ``since``, and without a filter that could have hidden it.
Everything else proves nothing, and guessing "absent" would hand the user's addresses to a server
that they did not choose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from urllib.parse import unquote_plus

import attrs

from nio_identity_server.preference.account_data import EVENT_TYPE


class Witness(Enum):
    """Who says it, which decides how far the word is trusted (see ``choice``)."""

    SNAPSHOT = "snapshot"
    """A response that lists the state, such as an initial sync (Synapse answers a repeated one from
    a two-minute cache), ``full_state``, or one that was injected or replayed."""

    CHANGE = "change"
    """An incremental sync, with what has changed since the token in the request."""

    LATE_CHANGE = "late change"
    """An incremental sync that was under way when a read was answered, so that what it says may
    have been old by then."""

    READ = "read"
    """``GET /user/{userId}/account_data/m.identity_server``; never stale when it is answered."""

    WRITE = "write"
    """Our own PUT, answered 200."""


@attrs.frozen
class SyncRequest:
    """What of a sync request decides how its answer is to be read.

    Attributes:
        since: Whether it continued from an earlier response (``since``; ``pos`` in sliding sync).
        full_state: Whether it asked for all state although it continued.
        filter: The ``filter`` parameter as sent: JSON, the id of a stored filter, or None.
        whole: False for a kind of sync that may leave account data out (sliding sync).
        is_late: Whether a read was answered while this was under way.
    """

    since: bool
    full_state: bool = False
    filter: str | None = None
    whole: bool = True
    is_late: bool = False

    @classmethod
    @lru_cache(maxsize=8)  # while nothing happens, a client sends the same query again and again
    def from_query(cls, query: str) -> SyncRequest:
        """Read the query of the request's URL, percent-encoded as it was sent."""
        given = dict(part.partition("=")[::2] for part in query.split("&"))
        sync_filter = given.get("filter")
        return cls(
            since="since" in given or "pos" in given,
            full_state=given.get("full_state", "false") != "false",
            filter=None if sync_filter is None else unquote_plus(sync_filter),
        )

    @property
    def shows_changes(self) -> bool:
        """Whether a change made meanwhile would be visible in the answer."""
        return self.whole and not may_hide(self.filter)

    @property
    def proves_absence(self) -> bool:
        """Whether the answer would hold the event if there was one."""
        return not self.since and self.shows_changes


ABSENT = object()
"""Stands for the content of an event that is proved not to exist."""


@attrs.frozen
class Sighting:
    """One thing seen: this content, according to this witness.

    Attributes:
        content: The event's ``content`` as it came, or ``ABSENT``.
        witness: Who says so.
    """

    content: object
    witness: Witness


def judge(contents: Iterable[object], request: SyncRequest | None) -> Sighting | None:
    """Tell what a sync response proves.

    Args:
        contents: The ``content`` of each ``m.identity_server`` event in it, in order.
        request: The request that it answers; None if that is not known (an injected or replayed
            response).

    Returns:
        None if it proves nothing.
    """
    seen = list(contents)
    if seen:
        return Sighting(seen[-1], _witness(request))
    if request is not None and request.proves_absence:
        return Sighting(ABSENT, Witness.SNAPSHOT)
    return None


def _witness(request: SyncRequest | None) -> Witness:
    if request is None or not request.since or request.full_state:
        return Witness.SNAPSHOT
    return Witness.LATE_CHANGE if request.is_late else Witness.CHANGE


# A filter may hold these and still show global account data (client-server API, "Filtering").
_HARMLESS = frozenset({"account_data", "event_fields", "event_format", "presence", "room"})


@lru_cache(maxsize=64)  # a client sends the same filter with every sync
def may_hide(sync_filter: str | None) -> bool:
    """Tell whether a sync filter could keep the event out of the response.

    Anything not fully understood could: a stored filter's id, an unknown key, ``limit``, or
    ``senders`` (account data has none). A wrong "yes" costs one GET, a wrong "no" a promise.
    """
    if sync_filter is None:
        return False
    try:
        parsed = json.loads(sync_filter)
    except (ValueError, RecursionError):
        return True
    if not isinstance(parsed, dict) or not parsed.keys() <= _HARMLESS:
        return True
    part = parsed.get("account_data", {})
    if not isinstance(part, dict) or not part.keys() <= {"types", "not_types"}:
        return True
    return not (_lets_in(part) and _leaves_in(part))


def _lets_in(part: dict[str, object]) -> bool:
    if "types" not in part:
        return True
    types = part["types"]
    # Servers differ on a star that is not the last character, so such a pattern lets nothing in.
    return isinstance(types, list) and any(
        isinstance(pattern, str) and "*" not in pattern[:-1] and _matches(pattern)
        for pattern in types
    )


def _leaves_in(part: dict[str, object]) -> bool:
    not_types = part.get("not_types", [])
    return isinstance(not_types, list) and not any(
        not isinstance(pattern, str) or _matches(pattern) for pattern in not_types
    )


def _matches(pattern: str) -> bool:
    expression = ".*".join(map(re.escape, re.split(r"\*+", pattern)))
    return re.fullmatch(expression, EVENT_TYPE) is not None
