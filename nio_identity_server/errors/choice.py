"""What the user chose, and what was given to us, and why nothing was sent."""

from __future__ import annotations

from nio_identity_server.errors.root import IdentityServerError

_MOST_POSITIONS = 10


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
        super().__init__(f"{reason}{_at(positions)}")
        self.reason = reason
        self.positions = positions


def _at(positions: tuple[int, ...]) -> str:
    if not positions:
        return ""
    shown = ", ".join(map(str, positions[:_MOST_POSITIONS]))
    more = len(positions) - _MOST_POSITIONS
    return f" (at position {shown}{f' and {more} more' if more > 0 else ''})"
