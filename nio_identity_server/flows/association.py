"""Letting the user's own addresses be found, and taking that back.

Both go through the homeserver, which remembers where it bound what.

https://spec.matrix.org/v1.16/client-server-api/#post_matrixclientv3account3pidbind
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from enum import Enum

from nio_identity_server.base_url import BaseUrl
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.endpoints.homeserver_association import (
    Bind3PID,
    Unbind3pidFromAccount,
)
from nio_identity_server.errors import HomeserverError, UnbindNotSupported
from nio_identity_server.errors.refusals import passed_on
from nio_identity_server.flows.line import Ask
from nio_identity_server.flows.session import Session
from nio_identity_server.pending_validation import PendingValidation
from nio_identity_server.secret import Secret
from nio_identity_server.threepid import ThreePid


class ShareStatus(Enum):
    """Whom an address leads to at the user's identity server."""

    MINE = "mine"
    """To this user."""
    OTHER = "other"
    """To somebody else."""
    PENDING = "pending"
    """To nobody, but this client has asked the user to show that it is theirs."""
    NOBODY = "nobody"
    """To nobody."""


async def bind(session: Session, validation: PendingValidation) -> None:
    """Bind a validated address to the user.

    Raises:
        NotValidated: If the user has not shown that it is theirs.
        ValidationExpired: If they did, but too long ago.
    """

    async def send(token: Secret) -> None:
        await session.line.ask_homeserver(
            Bind3PID(
                validation.sid,
                validation.client_secret,
                validation.base_url.id_server,
                token.reveal(),
            )
        )

    await through_homeserver(session, send)


async def through_homeserver(session: Session, send: Callable[[Secret], Awaitable[None]]) -> None:
    """Have the homeserver speak to the identity server, with the user's token there.

    Token and terms are looked at first, at the identity server itself: the homeserver hides both
    kinds of trouble in a 400 or 500 of its own.

    Args:
        session: The user at the identity server.
        send: Sends the request to the homeserver.

    Raises:
        MatrixError: If the identity server refused, and the homeserver told how.
        HomeserverError: If the homeserver refused, or does not tell.
    """
    await session.ask(GetAccount())
    try:
        await session.use(send)
    except HomeserverError as error:
        told = passed_on(error, session.line.server)
        if told is None:
            raise
    else:
        return
    raise told


async def unbind(ask: Ask, threepid: ThreePid, server: BaseUrl | None) -> None:
    """Unbind an address; at the servers that the homeserver remembers, if none is named.

    Raises:
        UnbindNotSupported: If the address may still be found.
    """
    id_server = None if server is None else server.id_server
    result = await ask(Unbind3pidFromAccount(threepid.medium, threepid.address, id_server))
    if not result.succeeded:
        raise UnbindNotSupported(None if server is None else str(server))


def share_statuses(
    threepids: Collection[ThreePid],
    found: Mapping[ThreePid, str],
    user_id: str,
    pending: Collection[ThreePid],
) -> dict[ThreePid, ShareStatus]:
    """Tell whom each address leads to, given whom a lookup found."""

    def status(threepid: ThreePid) -> ShareStatus:
        owner = found.get(threepid)
        if owner is None:
            return ShareStatus.PENDING if threepid in pending else ShareStatus.NOBODY
        return ShareStatus.MINE if owner == user_id else ShareStatus.OTHER

    return {threepid: status(threepid) for threepid in threepids}
