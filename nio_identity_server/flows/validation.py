"""Showing that an address is the user's: a token goes out by mail or SMS and comes back.

https://spec.matrix.org/v1.16/identity-service-api/#establishing-associations

Nothing in here is ever sent twice by itself: each mail annoys somebody, and each SMS costs money.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable

import attrs

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.endpoint import Endpoint
from nio_identity_server.endpoints.association import GetValidated3pid
from nio_identity_server.endpoints.validation import (
    EmailRequestToken,
    EmailSubmitTokenPost,
    MsisdnRequestToken,
    MsisdnSubmitTokenPost,
    Session as Opened,
    Submission,
)
from nio_identity_server.errors import (
    BadResponse,
    CannotConnect,
    IdentityServerChanged,
    InvalidAddress,
    MatrixError,
    NotValidated,
    RateLimited,
    ValidationExpired,
    WrongToken,
)
from nio_identity_server.flows.session import Session
from nio_identity_server.pending_validation import PendingValidation
from nio_identity_server.secret import Secret
from nio_identity_server.threepid import ThreePid, parse_threepid

_SECRET_BYTES = 32
# What servers say to a token that is not the right one; what they say to a wrong session differs,
# and Sydent has swapped the two.
_WRONG_TOKEN = frozenset({"M_TOKEN_INCORRECT", "M_NO_VALID_SESSION", "M_INVALID_PARAM"})


async def request_token(
    session: Session, threepid: ThreePid, country: str | None, next_link: str | None
) -> PendingValidation:
    """Have a token sent to an address, with a secret that was never used before."""
    if next_link is not None and not next_link.startswith("https://"):
        raise ValueError("next_link= must begin with https://")
    secret = Secret(secrets.token_urlsafe(_SECRET_BYTES))  # no text that a traceback could show
    opened = await session.ask(_request(threepid, secret, 1, country, next_link))
    return PendingValidation(
        threepid,
        parse_base_url(session.line.server),
        opened.sid,
        secret.reveal(),
        send_attempt=1,
        country=country,
        next_link=next_link,
    )


async def resend(session: Session, validation: PendingValidation) -> PendingValidation:
    """Have another mail or SMS sent for the same validation."""
    check_server(session, validation)
    attempt, link = validation.send_attempt + 1, validation.next_link
    secret, country = Secret(validation.client_secret), validation.country
    opened = await session.ask(_request(validation.threepid, secret, attempt, country, link))
    return attrs.evolve(validation, sid=opened.sid, send_attempt=attempt, changed_at=time.time())


async def submit_token(session: Session, validation: PendingValidation, token: str) -> None:
    """Show that the mail or SMS was read.

    Raises:
        WrongToken: If it is not the token that was sent.
        ValidationExpired: If it is too late.
    """
    check_server(session, validation)
    refusal = None
    try:
        result = await session.ask(_submission(validation, token))
        if result.success:
            return
        refusal = (200, result.errcode or "M_UNKNOWN", result.error)
    except MatrixError as error:
        if error.errcode not in _WRONG_TOKEN:
            raise
        refusal = (error.status, error.errcode, error.message)
    kind = ValidationExpired if refusal[1] == "M_SESSION_EXPIRED" else WrongToken
    raise kind(*refusal, session.line.server)


async def wait_until_validated(
    session: Session,
    validation: PendingValidation,
    *,
    timeout: float | None,  # noqa: ASYNC109 - no longer than the validation lasts
    interval: float,
    clock: Callable[[], float],
) -> None:
    """Ask again and again whether the user has opened the link.

    Trouble with the server does not end it: the user may need hours.

    Raises:
        NotValidated: If it was not finished in time.
        ValidationExpired: If it is too late for this validation.
    """
    check_server(session, validation)
    left = validation.expires_at - clock()
    ends = asyncio.get_running_loop().time() + (left if timeout is None else min(timeout, left))
    while True:
        wait = interval
        try:
            return await _check_validated(session, validation)
        except NotValidated as error:
            last: MatrixError | CannotConnect = error
        except RateLimited as error:
            last, wait = error, max(interval, error.retry_after or 0)
        except CannotConnect as error:
            last = error
        except MatrixError as error:
            if error.status < 500:  # noqa: PLR2004 - the server's own trouble passes
                raise
            last = error
        if asyncio.get_running_loop().time() + wait > ends:
            raise last
        await session.line.within(asyncio.sleep(wait))


def check_server(session: Session, validation: PendingValidation) -> None:
    """Refuse a validation of another server.

    Raises:
        IdentityServerChanged: If it is one.
    """
    if str(validation.base_url) != session.line.server:
        raise IdentityServerChanged(
            str(validation.base_url), "the validation belongs to another server than the user's"
        )


async def _check_validated(session: Session, validation: PendingValidation) -> None:
    found = await session.ask(GetValidated3pid(validation.sid, validation.client_secret))
    # Sydent tells the address as it was typed.
    address = found.address if found.medium == "email" else f"+{found.address}"
    try:
        same = parse_threepid(address) == validation.threepid
    except InvalidAddress:
        same = False
    if not same:
        raise BadResponse(session.line.server, "it has validated another address")


def _request(
    threepid: ThreePid, secret: Secret, attempt: int, country: str | None, link: str | None
) -> Endpoint[Opened]:
    if threepid.medium == "email":
        return EmailRequestToken(secret.reveal(), threepid.address, attempt, link)
    if country is None:
        raise ValueError("country= is needed for a phone number, as two capital letters like GB")
    return MsisdnRequestToken(secret.reveal(), country, f"+{threepid.address}", attempt, link)


def _submission(validation: PendingValidation, token: str) -> Endpoint[Submission]:
    is_email = validation.threepid.medium == "email"
    kind = EmailSubmitTokenPost if is_email else MsisdnSubmitTokenPost
    return kind(validation.sid, validation.client_secret, token)
