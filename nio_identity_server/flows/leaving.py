"""Leaving an identity server: what is still bound there, and what became of each step."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

import attrs

from nio_identity_server.endpoints.homeserver_association import GetAccount3PIDs
from nio_identity_server.errors import InvalidAddress
from nio_identity_server.flows.directory import look_up
from nio_identity_server.flows.line import Ask
from nio_identity_server.flows.session import Session
from nio_identity_server.threepid import ThreePid, read_threepid

StepName = Literal["list", "unbind", "logout", "write"]


@attrs.frozen
class Step:
    """One step of leaving.

    Attributes:
        name: ``list`` what is bound, ``unbind`` an address, ``logout`` of the token, ``write`` that
            identity servers are switched off.
        error: Why it failed, or None. What is no ``IdentityServerError`` was raised by the
            application's own ``token_store`` or ``accept_terms``.
        threepid: The address of an ``unbind``.
    """

    name: StepName
    error: Exception | None = None
    threepid: ThreePid | None = None


@attrs.frozen
class LeaveReport:
    """What became of leaving an identity server.

    Attributes:
        steps: Each step in order; those that failed did not keep the others from being taken.
        left_behind: Addresses that are, or may be, still bound to the user there.
    """

    steps: tuple[Step, ...]
    left_behind: tuple[ThreePid, ...] = ()

    @property
    def has_left(self) -> bool:
        """Whether identity servers are switched off now, whatever became of the rest."""
        return any(step.name == "write" and step.error is None for step in self.steps)


async def account_addresses(ask: Ask) -> tuple[ThreePid, ...]:
    """The addresses of the account at the homeserver, which may be bound or not."""
    known = []
    for each in (await ask(GetAccount3PIDs())).threepids:
        with suppress(InvalidAddress):  # of a medium that no identity server knows
            known.append(read_threepid(each.medium, each.address))
    return tuple(known)


async def bound_to(
    session: Session, threepids: tuple[ThreePid, ...], user_id: str
) -> tuple[ThreePid, ...]:
    """Those of the addresses that lead to the user at this server."""
    found = await look_up(session, threepids)
    return tuple(each for each in threepids if found.get(each) == user_id)
