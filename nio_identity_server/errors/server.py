"""What an identity server wants, refuses, or does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from nio_identity_server.errors.root import IdentityServerError
from nio_identity_server.words import printable


class TermsNotSigned(IdentityServerError):
    """The identity server has terms that the user has not accepted.

    Attributes:
        policies: The pending ones, a tuple of ``Policy``.
        server: The base URL.
    """

    def __init__(self, policies: Sequence[Any], server: str) -> None:
        names = ", ".join(map(printable, (policy.name for policy in policies)))
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
        cut: Whether a connection that stood was broken off without an answer.
    """

    def __init__(self, server: str, reason: str, *, cut: bool = False) -> None:
        super().__init__(f"no answer from {server}: {reason}")
        self.server = server
        self.reason = reason
        self.cut = cut


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

    advice: ClassVar[str] = ""

    def __init__(self, status: int, errcode: str, message: str, server: str) -> None:
        refusal = f"{server} refused: HTTP {status} {errcode} {message}".rstrip()
        super().__init__(f"{refusal}{self.advice}")
        self.status = status
        self.errcode = errcode
        self.message = message
        self.server = server


class RateLimited(MatrixError):
    """The identity server asks for patience (429).

    Attributes:
        retry_after: Seconds to wait, or None if the server did not say.
    """

    advice: ClassVar[str] = "; try again later, after retry_after seconds if it says how many"

    def __init__(
        self, status: int, errcode: str, message: str, server: str, retry_after: float | None
    ) -> None:
        super().__init__(status, errcode, message, server)
        self.retry_after = retry_after


class RegistrationRefused(MatrixError):
    """The identity server did not register the user, and asking again will not help.

    It does not serve this homeserver (403), or cannot check the OpenID token there (500).
    """
