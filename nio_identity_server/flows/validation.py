"""Showing that an address is the user's: a token goes out by mail or SMS and comes back.

https://spec.matrix.org/v1.16/identity-service-api/#establishing-associations

Nothing in here is ever sent twice by itself: each mail annoys somebody, and each SMS costs money.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from http import HTTPStatus

import attrs

from nio_identity_server import words
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
    HomeserverError,
    IdentityServerChanged,
    IdentityServerError,
    InvalidAddress,
    MatrixError,
    NotConfirmed,
    NotValidated,
    RateLimited,
    ValidationExpired,
    WrongToken,
)
from nio_identity_server.flows.session import Session
from nio_identity_server.pending_validation import PendingValidation
from nio_identity_server.secret import Secret
from nio_identity_server.threepid import ThreePid, read_threepid

_SECRET_BYTES = 32
_SHORTEST_QUESTION = 5.0
"""Seconds for one question about a validation, however little time is left."""

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
    user_id = await session.line.user_id()
    opened = await session.ask(_request(threepid, secret, 1, country, next_link))
    return PendingValidation(
        threepid,
        parse_base_url(session.line.server),
        opened.sid,
        secret.reveal(),
        send_attempt=1,
        user_id=user_id,
        country=country,
        next_link=next_link,
    )


async def resend(session: Session, validation: PendingValidation) -> PendingValidation:
    """Have another mail or SMS sent for the same validation."""
    await check_ours(session, validation)
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
    await check_ours(session, validation)
    endpoint = _submission(validation, token)

    async def send(identity_token: Secret) -> None:
        # Only what is said to this very request: becoming known can be refused in the same words.
        try:
            result = await session.line.say(endpoint, identity_token)
        except MatrixError as error:
            if error.errcode not in _WRONG_TOKEN:
                raise
            refusal = error.status, error.errcode, error.message
        else:
            if result.success:
                return
            # Sydent's way to refuse; a server may repeat what it was sent.
            told = endpoint.redact(result.error).replace(identity_token.reveal(), "***")
            refusal = HTTPStatus.OK, words.errcode(result.errcode), words.message(told)
        kind = ValidationExpired if refusal[1] == "M_SESSION_EXPIRED" else WrongToken
        raise kind(*refusal, session.line.server)

    await session.use(send)


async def wait_until_validated(
    session: Session,
    validation: PendingValidation,
    *,
    timeout: float | None,  # noqa: ASYNC109 - no longer than the validation lasts
    interval: float,
    clock: Callable[[], float],
) -> None:
    """Ask again and again whether the user has opened the link.

    Trouble with a server does not end it: the user may need hours.

    Raises:
        NotValidated: If it was not finished in time.
        ValidationExpired: If it is too late for this validation.
    """
    if not interval > 0 or not (timeout is None or timeout >= 0):
        raise ValueError("interval= takes seconds, more than 0, and timeout= no less than 0")
    await check_ours(session, validation)
    now = asyncio.get_running_loop().time
    left = validation.expires_at - clock()
    ends = now() + (left if timeout is None else min(timeout, left))
    while True:
        trouble = await _trouble_with(session, validation, ends - now())
        if trouble is None:
            return
        left, wait = ends - now(), interval
        if isinstance(trouble, RateLimited):
            wait = max(wait, trouble.retry_after or 0)
        if left <= 0 or (wait > left and isinstance(trouble, RateLimited)):
            raise trouble
        await session.line.within(asyncio.sleep(min(wait, left)))


async def _trouble_with(
    session: Session, validation: PendingValidation, left: float
) -> IdentityServerError | None:
    """Ask once; None if it is validated, else what may be over soon."""
    seconds = max(left, _SHORTEST_QUESTION)
    try:
        async with asyncio.timeout(seconds):
            await _check_validated(session, validation)
    except TimeoutError:
        return CannotConnect(session.line.server, f"it did not answer within {seconds:g} seconds")
    except (NotValidated, RateLimited, CannotConnect, NotConfirmed) as error:
        return error
    except BadResponse as error:
        if error.status is None:  # nothing that HTTP says: another address was validated
            raise
        return error
    except (MatrixError, HomeserverError) as error:
        if error.status is not None and error.status < 500:  # noqa: PLR2004 - more is passing trouble
            raise
        return error
    return None


async def check_ours(session: Session, validation: PendingValidation) -> str:
    """Refuse a validation of another server or another user; gives the user's id.

    Raises:
        IdentityServerChanged: If it is one.
    """
    user_id = await session.line.user_id()
    if str(validation.base_url) != session.line.server:
        raise IdentityServerChanged(
            str(validation.base_url), "the validation belongs to another server than the user's"
        )
    if validation.user_id not in {"", user_id}:
        raise IdentityServerChanged(
            str(validation.base_url), "the validation belongs to another user"
        )
    return user_id


async def _check_validated(session: Session, validation: PendingValidation) -> None:
    found = await session.ask(GetValidated3pid(validation.sid, validation.client_secret))
    try:
        # Sydent tells the address as it was typed.
        same = read_threepid(found.medium, found.address) == validation.threepid
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
