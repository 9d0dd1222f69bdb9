"""Leaving carefully: every step is tried and reported, and a dead server blocks none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING

import attrs

from nio_identity_server.base_url import BaseUrl, parse_base_url
from nio_identity_server.client.trouble import out_of_time
from nio_identity_server.errors import (
    HomeserverError,
    IdentityDisabled,
    IdentityServerError,
    NoIdentityServer,
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

if TYPE_CHECKING:
    from nio_identity_server.client.owning import Owning

LIST_TIMEOUT = 15.0
"""Seconds for finding out what is bound."""

UNBIND_TIMEOUT = 30.0
"""Seconds for unbinding, however many addresses there are."""


async def leave(server: Owning, more: tuple[ThreePid, ...], *, unbind: bool) -> LeaveReport:
    """Leave the user's identity server.

    Args:
        server: What is to be left.
        more: Addresses that may be bound as well.
        unbind: Whether to unbind what is bound.
    """
    leaving = _Leaving(server, more, unbind=unbind)
    await leaving.go()
    return LeaveReport(tuple(leaving.steps), left_behind=tuple(leaving.bound))


@attrs.define
class _Leaving:
    server: Owning
    more: tuple[ThreePid, ...]
    unbind: bool
    steps: list[Step] = attrs.field(factory=list)
    bound: dict[ThreePid, None] = attrs.field(factory=dict)

    async def go(self) -> None:
        session = await self._list()
        if self.unbind and session is not None:
            await self._unbind_all(session)
        await self._switch_off()

    async def _list(self) -> Session | None:
        """Find out what is bound; as long as no lookup tells, everything may be."""
        error = None
        try:
            session = await self.server._session()  # noqa: SLF001 - a part of the same object
        except (IdentityDisabled, NoIdentityServer):
            session = None  # there is nothing to leave
        except IdentityServerError as failure:
            session, error = None, failure
        if session is not None:
            error = await _within(LIST_TIMEOUT, session, self._look(session))
        self.steps.append(Step("list", error))
        return session

    async def _look(self, session: Session) -> None:
        user_id = await session.line.user_id()
        bound_here = self.server._ledger.bound(user_id, session.line.server)  # noqa: SLF001
        self.bound = dict.fromkeys((*bound_here, *self.more))
        trouble = None
        try:
            account = await account_addresses(session.line.ask_homeserver)
        except HomeserverError as error:
            trouble = error  # the others are looked up all the same
        else:
            self.bound |= dict.fromkeys(account)
        self.bound = dict.fromkeys(await bound_to(session, tuple(self.bound), user_id))
        if trouble is not None:
            raise trouble

    async def _unbind_all(self, session: Session) -> None:
        ends = asyncio.get_running_loop().time() + UNBIND_TIMEOUT
        for threepid in tuple(self.bound):
            left = ends - asyncio.get_running_loop().time()
            error: IdentityServerError | None = out_of_time(_server(session), UNBIND_TIMEOUT)
            if left > 0:
                error = await _within(left, session, self._unbind(session, threepid))
            self.steps.append(Step("unbind", error, threepid))

    async def _unbind(self, session: Session, threepid: ThreePid) -> None:
        await unbind_one(session.line.ask_homeserver, threepid, _server(session))
        self.server._ledger.note_unbound(  # noqa: SLF001 - as above
            await session.line.user_id(), session.line.server, threepid
        )
        del self.bound[threepid]

    async def _switch_off(self) -> None:
        logout: list[IdentityServerError | None] = []
        error = None
        try:
            await self.server._leave_for_good(logout.append)  # noqa: SLF001 - as above
        except IdentityServerError as failure:
            error = failure
        self.steps += [Step("logout", each) for each in logout]
        self.steps.append(Step("write", error))


async def _within(
    seconds: float, session: Session, work: Awaitable[None]
) -> IdentityServerError | None:
    """Do a step in limited time; tell how it failed."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except IdentityServerError as error:
        return error
    except TimeoutError:
        return out_of_time(_server(session), seconds)
    return None


def _server(session: Session) -> BaseUrl:
    return parse_base_url(session.line.server)
