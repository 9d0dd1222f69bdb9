"""What the user's homeserver refuses, or does not answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from nio_identity_server.errors.root import IdentityServerError


class HomeserverError(IdentityServerError):
    """The homeserver refused a request of this package, or did not answer it properly.

    Attributes:
        status: The HTTP status, or None when no answer arrived.
        errcode: The Matrix error code, ``M_UNKNOWN`` if there was none.
        message: The homeserver's own words, or what went wrong.
        server: The homeserver's URL.
        retry_after: Seconds that a 429 asks to wait, else None.
    """

    advice: ClassVar[str] = ""

    def __init__(
        self,
        status: int | None,
        errcode: str,
        message: str,
        server: str,
        retry_after: float | None = None,
    ) -> None:
        answer = "no usable answer" if status is None else f"HTTP {status} {errcode}"
        super().__init__(f"homeserver {server}: {answer}: {message}{self.advice}")
        self.status = status
        self.errcode = errcode
        self.message = message
        self.server = server
        self.retry_after = retry_after

    @property
    def is_absence(self) -> bool:
        """Whether the homeserver knows that what was asked for is not there.

        Only both together prove that: a proxy answers 404 too, and so does a homeserver that does
        not know the request.
        """
        return (self.status, self.errcode) == (HTTPStatus.NOT_FOUND, "M_NOT_FOUND")


class OutcomeUnknown(HomeserverError):
    """Something was to be changed, and its end is not known: it may have been done.

    If it was the choice, nothing is reported as changed; the choice is unconfirmed and is read
    again before the next identity-server request. Anything else is not sent again by itself: look
    first, with ``share_status()`` or ``pending_invites()``.
    """

    advice: ClassVar[str] = "; it may have been done all the same"
