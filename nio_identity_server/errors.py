"""Every exception that this package raises on purpose.

::

    IdentityServerError
    ├── NotConfirmed              the user's choice could not be learned
    ├── IdentityDisabled          the user switched identity servers off
    ├── NoIdentityServer          nothing was chosen and there is no default
    ├── IdentityServerChanged     the choice (or the user) changed under the call
    ├── InvalidBaseUrl            not the address of an identity server (a ValueError too)
    ├── ForbiddenAddress          an address that this client must not connect to
    ├── InvalidAddress            not an email address or phone number (a ValueError too)
    ├── TermsNotSigned            the server's terms have not been accepted
    ├── TermsNotOffered           a URL that the server does not offer was accepted
    ├── HashingNotSupported       the server takes addresses in the clear only
    ├── CannotConnect             no answer from the identity server
    ├── BadResponse               an answer that is not what the specification says
    ├── MatrixError               the identity server refused: status and errcode
    │   ├── RateLimited           ... for now: 429
    │   └── RegistrationRefused   ... to know this user at all
    └── HomeserverError           the homeserver refused, or did not answer properly
        └── OutcomeUnknown        a write whose end nobody knows

Messages name the server and the reason, and what to do next where there is something to do.
They never hold a token, a secret or somebody's address, and nothing that a transport raised
hangs on them as ``__cause__`` or ``__context__``: aiohttp keeps request headers in its errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

_MOST_POSITIONS = 10


class IdentityServerError(Exception):
    """The root of everything that goes wrong here."""


class NotConfirmed(IdentityServerError):
    """It could not be learned which identity server the user chose, so nothing was sent.

    Attributes:
        reason: What was tried and how it failed.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the user's choice of identity server is not confirmed: {reason}; "
            "nothing was sent to any identity server, try again when the homeserver answers"
        )
        self.reason = reason


class IdentityDisabled(IdentityServerError):
    """The user wants no identity server, or named one that cannot be used.

    Attributes:
        reason: Why it is off.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"identity servers are switched off for this user: {reason}; "
            "set(url) or reset() switches them on again"
        )
        self.reason = reason


class NoIdentityServer(IdentityServerError):
    """The user chose no identity server and this client has no default.

    Attributes:
        reason: Why there is no default.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"no identity server: the user chose none and there is no default ({reason}); "
            "call set(url), or configure default="
        )
        self.reason = reason


class IdentityServerChanged(IdentityServerError):
    """The operation belonged to a choice that is over; nothing more was sent for it.

    Attributes:
        server: Base URL of the server it had been talking to, or None if it had none yet.
        reason: What changed.
    """

    def __init__(self, server: str | None, reason: str) -> None:
        where = f" (it was using {server})" if server else ""
        super().__init__(f"{reason}{where}; call again to use what is chosen now")
        self.server = server
        self.reason = reason


class InvalidBaseUrl(IdentityServerError, ValueError):
    """A text that cannot be the base URL of an identity server.

    Attributes:
        reason: The first rule that it breaks. The text itself is not repeated: it may hold
            a password.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"not the base URL of an identity server: {reason}")
        self.reason = reason


class ForbiddenAddress(IdentityServerError):
    """This client must not connect there.

    Attributes:
        server: The base URL.
        reason: Which rule forbids it.
    """

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(
            f"{server} must not be contacted: {reason}; "
            "if it is yours, name it in code: IdentityServerConfig(trusted=[...])"
        )
        self.server = server
        self.reason = reason


class InvalidAddress(IdentityServerError, ValueError):
    """A text that is neither an email address nor a phone number in international form.

    Attributes:
        reason: What is wrong. The text itself is not repeated: it may be somebody's address.
        positions: Where the bad ones stand in what was given, counted from 0.
    """

    def __init__(self, reason: str, positions: tuple[int, ...] = ()) -> None:
        super().__init__(f"{reason}{_at(positions)}; nothing was sent")
        self.reason = reason
        self.positions = positions


class TermsNotSigned(IdentityServerError):
    """The identity server has terms that the user has not accepted.

    Attributes:
        policies: The pending ones, a tuple of ``Policy``.
        server: The base URL.
    """

    def __init__(self, policies: Sequence[Any], server: str) -> None:
        names = ", ".join(policy.name for policy in policies)
        super().__init__(
            f"{server} has terms that are not accepted: {names}; show them to the user and call "
            "accept_terms(urls), or configure accept_terms="
        )
        self.policies = tuple(policies)
        self.server = server


class TermsNotOffered(IdentityServerError, ValueError):
    """A URL was accepted that is no policy of this server.

    Attributes:
        url: The URL.
        server: The base URL of the server.
    """

    def __init__(self, url: str, server: str) -> None:
        super().__init__(f"{server} does not offer {url!r}; accept URLs of pending_terms() only")
        self.url = url
        self.server = server


class HashingNotSupported(IdentityServerError):
    """The server takes no hashed addresses, so that a lookup would have to show them to it.

    Attributes:
        server: The base URL.
    """

    def __init__(self, server: str) -> None:
        super().__init__(
            f"{server} does not support sha256: a lookup would send addresses in the clear; "
            "pass allow_plaintext=True if the people behind them agree"
        )
        self.server = server


class CannotConnect(IdentityServerError):
    """The identity server could not be reached, or its answer did not arrive.

    Attributes:
        server: The base URL.
        reason: How it failed.
    """

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(f"no answer from {server}: {reason}")
        self.server = server
        self.reason = reason


class BadResponse(IdentityServerError):
    """The server answered something that the specification does not allow.

    Attributes:
        server: The base URL.
        reason: What is wrong with the answer.
        status: The HTTP status, or None when there was none to read.
    """

    def __init__(self, server: str, reason: str, status: int | None = None) -> None:
        super().__init__(f"{server} answered something that cannot be used: {reason}")
        self.server = server
        self.reason = reason
        self.status = status


class MatrixError(IdentityServerError):
    """The identity server refused.

    Attributes:
        status: The HTTP status.
        errcode: The Matrix error code, ``M_UNKNOWN`` if the answer had none.
        message: The server's own words, shortened and on one line.
        server: The base URL.
    """

    def __init__(self, status: int, errcode: str, message: str, server: str) -> None:
        super().__init__(f"{server} refused: HTTP {status} {errcode} {message}".rstrip())
        self.status = status
        self.errcode = errcode
        self.message = message
        self.server = server


class RateLimited(MatrixError):
    """The identity server asks for patience (429).

    Attributes:
        retry_after: Seconds to wait, or None if the server did not say.
    """

    def __init__(
        self, status: int, errcode: str, message: str, server: str, retry_after: float | None
    ) -> None:
        super().__init__(status, errcode, message, server)
        self.retry_after = retry_after


class RegistrationRefused(MatrixError):
    """The identity server did not register the user, and asking again will not help.

    It may not accept users of this homeserver (403), or cannot reach the homeserver to check the
    OpenID token (500).
    """


class HomeserverError(IdentityServerError):
    """The homeserver refused a request of this package, or did not answer it properly.

    Attributes:
        status: The HTTP status, or None when no answer arrived.
        errcode: The Matrix error code, ``M_UNKNOWN`` if there was none.
        message: The homeserver's own words, or what went wrong.
        server: The homeserver's URL.
        retry_after: Seconds that a 429 asks to wait, else None.
    """

    def __init__(
        self,
        status: int | None,
        errcode: str,
        message: str,
        server: str,
        retry_after: float | None = None,
    ) -> None:
        answer = "no usable answer" if status is None else f"HTTP {status} {errcode}"
        super().__init__(f"homeserver {server}: {answer}: {message}")
        self.status = status
        self.errcode = errcode
        self.message = message
        self.server = server
        self.retry_after = retry_after

    @property
    def is_redirect(self) -> bool:
        """Whether the homeserver sent the request elsewhere (which is never a success)."""
        return (
            self.status is not None
            and HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST
        )


class OutcomeUnknown(HomeserverError):
    """A write was sent and its end is not known: it may have been stored.

    Nothing is reported as changed; the choice is unconfirmed and is read again before the next
    identity-server request.
    """


def _at(positions: tuple[int, ...]) -> str:
    if not positions:
        return ""
    first = ", ".join(map(str, positions[:_MOST_POSITIONS]))
    more = f" and {len(positions) - _MOST_POSITIONS} more" * (len(positions) > _MOST_POSITIONS)
    return f" (at position {first}{more})"
