"""From the words of a server to an exception of ours."""

from __future__ import annotations

from http import HTTPStatus

from nio_identity_server.errors.association import (
    AddressRefused,
    NotValidated,
    SendingFailed,
    ThreePidInUse,
    ValidationExpired,
    WrongToken,
)
from nio_identity_server.errors.homeserver import HomeserverError, OutcomeUnknown
from nio_identity_server.errors.server import MatrixError, RateLimited

_KINDS: dict[str, type[MatrixError]] = {
    "M_DESTINATION_REJECTED": AddressRefused,
    "M_EMAIL_SEND_ERROR": SendingFailed,
    "M_INVALID_ADDRESS": AddressRefused,
    "M_INVALID_EMAIL": AddressRefused,
    "M_INVALID_PHONE_NUMBER": AddressRefused,  # Sydent's own
    "M_NO_VALID_SESSION": ValidationExpired,
    "M_SEND_ERROR": SendingFailed,
    "M_SESSION_EXPIRED": ValidationExpired,
    "M_SESSION_NOT_VALIDATED": NotValidated,
    "M_THREEPID_IN_USE": ThreePidInUse,
    "M_TOKEN_INCORRECT": WrongToken,
}


def refusal(
    status: int,
    errcode: str,
    message: str,
    server: str,
    *,
    retry_after: float | None = None,
    user_id: str | None = None,
) -> MatrixError:
    """The exception that a refusal of an identity server becomes.

    Args:
        status: The HTTP status.
        errcode: The Matrix error code.
        message: The server's own words.
        server: The base URL.
        retry_after: Seconds that a 429 asks to wait.
        user_id: Whose an address is that is in use.
    """
    if status == HTTPStatus.TOO_MANY_REQUESTS:  # with any errcode: Sydent says M_UNKNOWN
        return RateLimited(status, errcode, message, server, retry_after)
    if errcode == "M_THREEPID_IN_USE":
        return ThreePidInUse(status, errcode, message, server, user_id)
    return _KINDS.get(errcode, MatrixError)(status, errcode, message, server)


def passed_on(error: HomeserverError, server: str) -> MatrixError | None:
    """What the identity server said, if the homeserver has passed it on.

    Only what no homeserver says of its own accord, and only if it is known to be a refusal.
    """
    if isinstance(error, OutcomeUnknown) or error.status is None or error.errcode not in _KINDS:
        return None
    return refusal(
        error.status, error.errcode, error.message, server, retry_after=error.retry_after
    )
