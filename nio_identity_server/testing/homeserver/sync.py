"""The sync of a homeserver."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import attrs

from nio_identity_server.testing.homeserver.account_data import AccountData
from nio_identity_server.testing.homeserver.accounts import Account, Accounts
from nio_identity_server.testing.homeserver.filters import Filters, visible
from nio_identity_server.testing.homeserver.inbox import Inbox
from nio_identity_server.testing.homeserver.paths import client_routes
from nio_identity_server.testing.homeserver.rooms import Rooms
from nio_identity_server.testing.homeserver.stream import Stream
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.routes import Call, Route

# What tells two requests apart for Synapse 1.163's cache, beside user and device.
_CACHE_KEY = ("since", "filter", "timeout", "full_state")

_News = dict[str, Any]


@attrs.frozen
class _Question:
    account: Account
    definition: Any
    since: int | None
    full_state: bool
    seconds: float


class Sync:
    """The chapter of the API that tells clients what is new."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        stream: Stream,
        account_data: AccountData,
        inbox: Inbox,
        rooms: Rooms,
        filters: Filters,
    ) -> None:
        self._cached = False
        self._accounts = accounts
        self._stream = stream
        self._account_data = account_data
        self._inbox = inbox
        self._rooms = rooms
        self._filters = filters
        self._cache: dict[tuple[str | None, ...], Reply] = {}

    def routes(self) -> list[Route]:
        """Give the routes of this chapter."""
        return client_routes("GET", "/sync", self._sync)

    @property
    def cached(self) -> bool:
        """Whether a repeated request gets the first answer again, and again.

        Synapse does so for two minutes (`sync_response_cache_duration`), this without an end.
        """
        return self._cached

    @cached.setter
    def cached(self, cached: bool) -> None:
        self._cached = cached
        self._cache.clear()

    async def _sync(self, call: Call) -> Reply:
        account = self._accounts.authenticate(call.request)
        query = call.request.query
        key = (account.user_id, account.device_id, *(query.get(name) for name in _CACHE_KEY))
        question = self._question(account, query)
        if self.cached and key in self._cache:
            return self._cache[key]
        news = await self._news(question)
        token = self._stream.token
        reply = Reply.of_json({"next_batch": token, **news, **_counts()})
        # An answer that moves nothing on is not cached, or the client would turn in circles
        # (matrix-org/synapse#8518).
        if self.cached and token != query.get("since"):
            self._cache[key] = reply
        return reply

    def _question(self, account: Account, query: Mapping[str, str]) -> _Question:
        timeout = query.get("timeout", "0")
        if not (timeout.isascii() and timeout.isdigit()):
            raise Refusal(400, "M_INVALID_PARAM", "Query parameter timeout must be an integer")
        full_state = query.get("full_state", "false")
        if full_state not in ("true", "false"):
            raise Refusal(400, "M_INVALID_PARAM", "Query parameter full_state must be a boolean")
        definition = self._filters.resolve(account.user_id, query.get("filter"))
        since = query.get("since")
        return _Question(
            account,
            definition,
            None if since is None else self._stream.read(since),
            full_state == "true",
            int(timeout) / 1000,
        )

    async def _news(self, question: _Question) -> _News:
        news: _News = {}

        def found() -> bool:
            news.update(self._collect(question))
            return bool(news)

        if found() or question.since is None or question.full_state or not question.seconds:
            return news
        with suppress(TimeoutError):
            await self._stream.moved.until(found, question.seconds)
        return news

    def _collect(self, question: _Question) -> _News:
        account, since = question.account, question.since
        replayed, instead = self._account_data.replays(account.user_id)
        everything = None if question.full_state else since
        true = self._account_data.events(account.user_id, everything)
        events = [*replayed, *([] if instead else visible(true, question.definition))]
        messages = self._inbox.fetch(account, since)
        rooms = self._rooms.section(account.user_id, since, full_state=question.full_state)
        parts = {
            "account_data": {"events": events} if events else {},
            "to_device": {"events": messages} if messages else {},
            "rooms": rooms,
        }
        return {name: part for name, part in parts.items() if part}


def _counts() -> _News:
    """The fields that Synapse 1.163 sends with every sync."""
    return {
        "device_one_time_keys_count": {"signed_curve25519": 0},
        "device_unused_fallback_key_types": [],
    }
