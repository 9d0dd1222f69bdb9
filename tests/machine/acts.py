"""What the bot does in a world, and how a world ends."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from nio import SyncResponse

from .bot import Operation
from .model import Says
from .speaking import Speaking
from .stage import EVENT

HIDING: dict[str, Any] = {"account_data": {"types": []}}
HARMLESS: dict[str, Any] = {"room": {"timeline": {"limit": 1}}}
LIMIT = 200.0
"""Seconds within which everything has to end; a request may take 30, and be sent again."""


class Acts(Speaking):
    """A world in which the bot does things.

    Each act ends when everything has happened that needs no clock; what is held goes on.
    """

    finished = False
    _closed_while_syncing = False

    @property
    def syncing(self) -> bool:
        """Whether a sync is under way: a bot has one sync loop."""
        return any(operation.kind == "sync" for operation in self.operations)

    def pause(self, seconds: float = 0.015) -> None:
        """Let time pass: calls stop to wait for a sync, a 429 is over."""
        self.stage.run(self.stage.pass_time(seconds))

    # -- the bot

    def check(self, url: str) -> Operation:
        """Look at an identity server."""
        return self.do("check", lambda: self.server.check(url), url)

    def set(self, url: str) -> Operation:
        """Choose a server."""
        return self.do("set", lambda: self.server.set(url), url)

    def disable(self) -> Operation:
        """Choose no server."""
        return self.do("disable", self.server.disable)

    def reset(self) -> Operation:
        """Take the choice back."""
        return self.do("reset", self.server.reset)

    def refresh(self) -> Operation:
        """Read the choice again."""
        return self.do("refresh", self.server.refresh)

    def resolve(self) -> Operation:
        """Ask which server it is."""
        return self.do("resolve", self.server.resolve)

    def close(self, *, client: bool = False) -> Operation:
        """Close the connections, also those of nio."""
        self._closed_while_syncing |= client and self.syncing
        return self.do("close", self.bot.close if client else self.server.close)

    def sync(
        self, *, initial: bool = False, timeout: int = 0, hide: bool = False, **options: Any
    ) -> Operation:
        """Sync once."""
        if initial:
            self.bot.next_batch = self.bot.loaded_sync_token = ""
        if hide:
            options["sync_filter"] = HIDING
        return self.do("sync", lambda: self.bot.sync(timeout=timeout, **options))

    def inject(self, content: Any, *, token: str, deep: bool) -> None:
        """Give nio a response that nobody asked for; deep: below the mixin's first two nets."""
        body = {
            "next_batch": token,
            "account_data": {"events": [{"type": EVENT, "content": content}]},
        }
        response = SyncResponse.from_dict(body)
        if deep and token != self.bot.next_batch:  # nio drops one that it has had
            self.injected(response)
        work = self.bot._handle_sync if deep else self.bot.receive_response
        self.do("sync", lambda: work(response))

    def cancel(self, operation: Operation) -> None:
        """Cancel an operation."""
        if operation.task is not None and not operation.task.done():
            operation.cancelled = True
            operation.task.cancel()
        self.settle()

    def switch(self, who: int, *, notice: bool = True) -> None:
        """Log in as another user, as frameworks do it: by assignment."""
        self.bot.user_id, self.bot.access_token = (
            self.users[who].user_id,
            self.users[who].access_token,
        )
        self.note(f"now {self.bot.user_id}, {notice=}")
        self.stage.run(self._notice() if notice else self.stage.settle())

    async def _notice(self) -> None:
        self.ledger()
        assert self.server.preference is not None
        await self.stage.settle()

    def login(self, who: int) -> Operation:
        """Log in as another user, with a password."""
        name = self.users[who].user_id

        async def work() -> object:
            self.bot.user, self.bot.device_id = name, ""
            answer = await self.bot.login("secret")
            self.ledger()
            return answer

        return self.do("login", work)

    def new_token(self) -> None:
        """Log the same user in again."""
        account = self.stage.homeserver.login(self.bot.user_id)
        self.users = [account if it.user_id == account.user_id else it for it in self.users]
        self.bot.access_token = account.access_token
        self.note("a new token")

    # -- the end

    def finish(self) -> None:
        """Let everything end, and see that the bot knows the truth, has told nobody, and is gone.

        Raises:
            AssertionError: If anything was wrong, now or before.
        """
        self.finished = True
        try:
            self._quiesce()
        finally:
            self.stage.run_long(self.bot.close())
            self.settle()
            self._end_listening()
        self._look_for_leaks()
        self.look_at_terms()
        self.check_now()

    def _quiesce(self) -> None:
        self.calling = False
        self.release()
        for server in (self.stage.homeserver, *self.stage.identity_servers):
            server.clear_faults()
        self.stage.homeserver.cache_initial_sync = False
        self.poke()
        self._let_all_end()
        self.sync()
        self._let_all_end()
        refreshed = self.refresh()
        self._let_all_end()
        if refreshed.error is not None:
            self.blame(f"the last refresh raised {refreshed.error!r}")
        self._compare()
        self.sync()
        self._let_all_end()
        self._compare()

    def check_now(self) -> None:
        """See that nothing was wrong so far.

        Raises:
            AssertionError: If anything was.
        """
        for complaint in self.stage.complaints:
            self.blame(complaint)
        self.stage.complaints.clear()
        story = "\n".join(self.history[-60:])
        assert not self.violations, f"{self.violations[0]}\n\n{story}"

    def _let_all_end(self) -> None:
        for one in tuple(self.operations):
            # Closing its session makes nio wait for ever for a body that has begun.
            if one.kind == "sync" and self._closed_while_syncing:
                self.cancel(one)
        self._closed_while_syncing = False
        tasks = [one.task for one in self.operations if one.task is not None]
        try:
            self.stage.run_long(_all(tasks), LIMIT)
        except TimeoutError:
            self.blame(f"these hang: {[one.name for one in self.operations]}")
            for task in tasks:
                task.cancel()
        self.settle()

    def _compare(self) -> None:
        truth, resolution = self.truth(), self.server.resolution
        found = None if resolution.base_url is None else str(resolution.base_url)
        if found != self.rules.server(truth) or (found is None) != bool(resolution.refusal):
            self.blame(f"the truth is {truth}, the resolution {resolution}")
        expected = {
            Says.URL: "Chosen",
            Says.NULL: "Disabled",
            Says.MISSING: "NotSet",
            Says.GARBAGE: "Unusable",
        }[truth.says]
        if type(self.server.preference).__name__ != expected:
            self.blame(f"the truth is {truth}, the preference {self.server.preference}")

    def _look_for_leaks(self) -> None:
        for server in self.stage.identity_servers:
            if b"syt_" in server.raw_bytes or server.foreign_tokens:
                self.blame(f"a token reached {server.url}")
            if len(server.requests) > self._spoken[server.url]:
                self.blame(f"{server.url} was spoken to in a way that nobody saw")
        left = asyncio.all_tasks(self.stage.loop)
        if left:
            self.blame(f"these tasks are left: {left}")


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
