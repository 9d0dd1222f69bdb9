"""What stands between a user and an address of theirs."""

from __future__ import annotations

from typing import ClassVar

from nio_identity_server.errors.root import IdentityServerError
from nio_identity_server.errors.server import MatrixError


class WrongToken(MatrixError):
    """The token that was submitted is not the one that was sent; the validation goes on.

    Servers do not agree on how to say it: Sydent answers ``M_NO_VALID_SESSION`` to a wrong token
    and ``M_INVALID_PARAM`` to an unknown session, for emails with HTTP 200.
    """

    advice: ClassVar[str] = "; compare it with the mail or SMS and submit it again, or resend()"


class NotValidated(MatrixError):
    """The user has not shown yet that the address is theirs."""

    advice: ClassVar[str] = "; the user has to open the link in the mail, or submit_token() the SMS"


class ValidationExpired(MatrixError):
    """The server does not know the validation, or no more: it ends after 24 hours."""

    advice: ClassVar[str] = "; begin again with request_token()"


class AddressRefused(MatrixError):
    """The server sends no mail or SMS to this address, or to this country."""

    advice: ClassVar[str] = "; another address has to be used"


class SendingFailed(MatrixError):
    """The server could not send the mail or SMS."""

    advice: ClassVar[str] = "; check the address, and try again later"


class ThreePidInUse(MatrixError):
    """The address is bound already.

    Attributes:
        user_id: Whose it is, as the server says; None if it does not.
    """

    advice: ClassVar[str] = "; invite its owner, or have them unbind it"

    def __init__(
        self, status: int, errcode: str, message: str, server: str, user_id: str | None = None
    ) -> None:
        super().__init__(status, errcode, message, server)
        self.user_id = user_id


class UnbindNotSupported(IdentityServerError):
    """The identity server did not take the address away: it may still be found there.

    Attributes:
        server: Its base URL, or None if the homeserver was left to remember which one it is.
    """

    def __init__(self, server: str | None) -> None:
        super().__init__(
            f"{server or 'an identity server'} does not support unbinding, or knows no such "
            "address: it may still be found there; look it up, and ask the server's operator"
        )
        self.server = server
