"""Leaving carefully: every step is tried and reported, and a dead server blocks none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import attrs

from nio_identity_server.client.account import Account
from nio_identity_server.client.generation import Generation
from nio_identity_server.client.ledger import Ledger
from nio_identity_server.errors import (
    CannotConnect,
    IdentityDisabled,
    IdentityServerChanged,
    NoIdentityServer,
    OutcomeUnknown,
)
from nio_identity_server.flows.association import unbind as unbind_one
from nio_identity_server.flows.leaving import (
    LeaveReport,
    Step,
    account_addresses,
    bound_to,
)
from nio_identity_server.flows.session import Session
from nio_identity_server.threepid import ThreePid

ENTER_TIMEOUT = 15.0
"""Seconds for learning which server is to be left."""

LIST_TIMEOUT = 10.0
"""Seconds for the homeserver to list the account's addresses, and as many for looking them up."""

UNBIND_TIMEOUT = 30.0
"""Seconds for unbinding, however many addresses there are."""


Silence = Callable[[float], Exception]
Tell = Callable[[Exception | None], object]


@attrs.define
class Leaving:
    """One user on the way out, whoever may log in while that takes its time.

    Attributes:
        account: Who leaves.
        homeserver: The URL of their homeserver.
        ledger: What this client has bound.
        enter: Passes the gate: what is to be left.
        switch_off: Logs out, tells how that went, and writes that no server is used.
        more: Addresses that may be bound as well.
        unbind: Whether to unbind what is bound.
    """

    account: Account
    homeserver: str
    ledger: Ledger
    enter: Callable[[], Awaitable[tuple[Generation, Session]]]
    switch_off: Callable[[Account, Tell], Awaitable[None]]
    more: tuple[ThreePid, ...]
    unbind: bool
    steps: list[Step] = attrs.field(factory=list)
    bound: dict[ThreePid, None] = attrs.field(factory=dict)
    # The choice, or the user, is another one by now: what is chosen now is not what is left.
    changed: IdentityServerChanged | None = None

    async def leave(self) -> LeaveReport:
        """Take every step."""
        entered = await self._list()
        if self.unbind:
            await self._unbind_all(entered)
        await self._switch_off()
        return LeaveReport(tuple(self.steps), left_behind=tuple(self.bound))

    async def _list(self) -> tuple[Generation, Session] | None:
        """Find out what is bound; as long as no lookup tells, everything may be."""
        entered: list[tuple[Generation, Session]] = []
        self._suppose(None)

        async def enter() -> None:
            entered.append(await self.enter())

        error = await self._step(ENTER_TIMEOUT, enter(), self._homeserver_is_silent)
        if isinstance(error, IdentityDisabled | NoIdentityServer):
            error = None  # there is nothing to leave
        for generation, session in entered:
            error = await self._look(generation, session)
        self.steps.append(Step("list", error))
        return entered[0] if entered else None

    async def _look(self, generation: Generation, session: Session) -> Exception | None:
        self._suppose(str(generation.base_url))

        async def ask_homeserver() -> None:
            known = await account_addresses(session.line.ask_homeserver)
            self.bound |= dict.fromkeys(known)

        async def look_up() -> None:
            user_id = await session.line.user_id()
            self.bound = dict.fromkeys(await bound_to(session, tuple(self.bound), user_id))

        def is_silent(seconds: float) -> Exception:
            return CannotConnect(str(generation.base_url), _late(seconds))

        unlisted = await self._step(LIST_TIMEOUT, ask_homeserver(), self._homeserver_is_silent)
        return await self._step(LIST_TIMEOUT, look_up(), is_silent) or unlisted

    def _suppose(self, server: str | None) -> None:
        """Take what this client has bound, and what the caller names, for bound."""
        here = self.ledger.bound(self.account.user_id, server)
        self.bound = dict.fromkeys((*here, *self.more))

    async def _unbind_all(self, entered: tuple[Generation, Session] | None) -> None:
        ends = asyncio.get_running_loop().time() + UNBIND_TIMEOUT
        untried = self.steps[-1].error
        for threepid in tuple(self.bound):
            left = ends - asyncio.get_running_loop().time()
            if entered is None:
                self.steps.append(Step("unbind", untried, threepid))
            elif left <= 0:
                error = self._homeserver_is_silent(UNBIND_TIMEOUT)
                self.steps.append(Step("unbind", error, threepid))
            else:
                work = self._unbind(*entered, threepid)
                failure = await self._step(left, work, self._homeserver_is_silent)
                self.steps.append(Step("unbind", failure, threepid))

    async def _unbind(self, generation: Generation, session: Session, threepid: ThreePid) -> None:
        await unbind_one(session.line.ask_homeserver, threepid, generation.base_url)
        self.ledger.note_unbound(self.account.user_id, str(generation.base_url), threepid)
        del self.bound[threepid]

    async def _switch_off(self) -> None:
        if self.changed is not None:
            self.steps.append(Step("write", self.changed))
            return
        logout: list[Exception | None] = []
        work = self.switch_off(self.account, logout.append)
        error = await self._step(None, work, self._homeserver_is_silent)
        self.steps += [Step("logout", each) for each in logout]
        self.steps.append(Step("write", error))

    async def _step(
        self, seconds: float | None, work: Awaitable[None], is_silent: Silence
    ) -> Exception | None:
        """Do something in limited time; tell how it failed, whoever's failure it is."""
        try:
            async with asyncio.timeout(seconds):
                await work
        except TimeoutError:
            return is_silent(seconds or 0.0)
        except IdentityServerChanged as error:
            self.changed = error
            return error
        except Exception as error:  # noqa: BLE001 - the application's store; nobody is kept
            return error
        return None

    def _homeserver_is_silent(self, seconds: float) -> Exception:
        return OutcomeUnknown(None, "M_UNKNOWN", _late(seconds), self.homeserver)


def _late(seconds: float) -> str:
    return f"it did not answer within {seconds:g} seconds"
