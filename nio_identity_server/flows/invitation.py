"""Inviting people who are known by an address.

https://spec.matrix.org/v1.16/client-server-api/#third-party-invites
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus

import attrs

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.endpoints.homeserver_room import InviteBy3PID, InviteUser
from nio_identity_server.endpoints.invitation import StoredInvite, StoreInvite
from nio_identity_server.errors import (
    AddressRefused,
    HomeserverError,
    IdentityServerChanged,
    IdentityServerError,
    InvalidAddress,
    OutcomeUnknown,
    SendingFailed,
    ThreePidInUse,
)
from nio_identity_server.flows.association import through_homeserver
from nio_identity_server.flows.session import Session
from nio_identity_server.secret import Secret
from nio_identity_server.threepid import ThreePid

NO_MAIL = "no identity server keeps an invitation for a phone number whose owner is not on Matrix"

# Any other refusal would meet the next address as well.
_OF_ONE_ADDRESS = (AddressRefused, InvalidAddress, SendingFailed, ThreePidInUse)
# No answer, no login, no patience.
_OF_EVERYBODY = {None, HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
PERHAPS_DONE = (IdentityServerChanged, OutcomeUnknown)
"""Errors after which an invitation may have been made all the same."""


@attrs.frozen
class InviteReport:
    """What became of many invitations.

    Attributes:
        invited: Who was found on Matrix and invited by user ID.
        mailed: Who was invited by email: they get a mail, and the invitation when they bind it.
        failed: Who could not be invited, and why. With ``OutcomeUnknown`` they may have been:
            look at ``pending_invites()`` before they get a second mail.
        left: Who has certainly no invitation yet, because nothing works or patience is asked for.
        stopped: Why the rest was left; None if everybody was tried.
    """

    invited: Mapping[ThreePid, str] = attrs.field(factory=dict)
    mailed: tuple[ThreePid, ...] = ()
    failed: Mapping[ThreePid, IdentityServerError] = attrs.field(factory=dict)
    left: tuple[ThreePid, ...] = ()
    stopped: IdentityServerError | None = None

    @property
    def missing(self) -> dict[ThreePid, IdentityServerError]:
        """Who has no invitation, failed or left, and why."""
        if self.stopped is None:
            return dict(self.failed)
        return dict(self.failed) | dict.fromkeys(self.left, self.stopped)


async def invite(session: Session, room_id: str, threepid: ThreePid, user_id: str | None) -> None:
    """Invite one person: by user ID if one is known, else by email."""
    if user_id is not None:
        await session.line.ask_homeserver(InviteUser(room_id, user_id))
        return
    if threepid.medium != "email":
        raise InvalidAddress(NO_MAIL)

    async def send(token: Secret) -> None:
        await session.line.ask_homeserver(
            InviteBy3PID(
                room_id,
                # In canonical form: Synapse hashes the address as it is given.
                id_server=parse_base_url(session.line.server).id_server,
                id_access_token=token.reveal(),
                medium=threepid.medium,
                address=threepid.address,
            )
        )

    await through_homeserver(session, send)


OnAttempt = Callable[[ThreePid], object]
OnResult = Callable[[ThreePid, str | None, IdentityServerError | None], object]


async def invite_all(
    session: Session,
    room_id: str,
    threepids: Collection[ThreePid],
    found: Mapping[ThreePid, str],
    *,
    on_attempt: OnAttempt | None = None,
    on_result: OnResult | None = None,
) -> InviteReport:
    """Invite many, each once, until everybody was tried or it makes no sense to go on.

    Args:
        session: The user at the identity server.
        room_id: The room.
        threepids: Whom to invite.
        found: Who of them is on Matrix.
        on_attempt: Called before each attempt.
        on_result: Called after it, with the user ID if there is one, and the error if it failed.
    """
    waiting = deque(dict.fromkeys(threepids))
    invited: dict[ThreePid, str] = {}
    mailed: list[ThreePid] = []
    failed: dict[ThreePid, IdentityServerError] = {}
    stopped = last = None
    while waiting and stopped is None:
        threepid = waiting.popleft()
        user_id = found.get(threepid)
        if on_attempt is not None:
            on_attempt(threepid)
        try:
            await invite(session, room_id, threepid, user_id)
        except IdentityServerError as error:
            stopped = await _reason_to_stop(session, error, last, by_email=user_id is None)
            last = error
            if stopped is None or isinstance(error, PERHAPS_DONE):
                failed[threepid] = error
            else:
                waiting.appendleft(threepid)
        else:
            last = None
            if user_id is None:
                mailed.append(threepid)
            else:
                invited[threepid] = user_id
        if on_result is not None:
            on_result(threepid, user_id, last)
    return InviteReport(invited, tuple(mailed), failed, tuple(waiting), stopped)


async def store_invite(
    session: Session, room_id: str, threepid: ThreePid, sender: str
) -> StoredInvite:
    """Have the identity server keep an invitation and send a mail; the room is not told.

    Raises:
        ThreePidInUse: If somebody has bound the address: invite them instead.
    """
    if threepid.medium != "email":
        raise InvalidAddress(NO_MAIL)
    return await session.ask(StoreInvite(threepid.address, room_id, sender))


async def _reason_to_stop(
    session: Session,
    error: IdentityServerError,
    last: IdentityServerError | None,
    *,
    by_email: bool,
) -> IdentityServerError | None:
    """What is wrong with more than this one address, if anything is."""
    if isinstance(error, _OF_ONE_ADDRESS):
        return None
    if not isinstance(error, HomeserverError):
        return error  # the choice, the terms, or the identity server itself
    if error.status in _OF_EVERYBODY:
        return error
    if by_email and _is_forbidden(error) and _is_forbidden(last):
        return error  # two in a row: not these people, but whoever invites, is not welcome
    if by_email:
        try:
            # Synapse says 500 to an address that cannot be mailed, and to a server that is down.
            await session.ask(GetAccount())
        except IdentityServerError as trouble:
            return trouble
    return None


def _is_forbidden(error: IdentityServerError | None) -> bool:
    return isinstance(error, HomeserverError) and error.status == HTTPStatus.FORBIDDEN
