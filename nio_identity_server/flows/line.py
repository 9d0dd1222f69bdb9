"""What conversations speak through."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypeVar

from nio_identity_server.endpoint import Endpoint, Reply
from nio_identity_server.secret import Secret

Result = TypeVar("Result")


class Ask(Protocol):
    """Sends one request to one server, with a token if that is needed."""

    async def __call__(self, endpoint: Endpoint[Reply], /) -> Reply:
        """Send it and read the reply."""
        ...


class Line(Protocol):
    """The line to one identity server, for one user, while both stay what they are.

    Every request on it passes the gate again and ends with ``IdentityServerChanged`` when the
    user's choice changes.
    """

    @property
    def server(self) -> str:
        """The server's base URL."""
        ...

    @property
    def is_published(self) -> bool:
        """Whether only a published document says that there is an identity server."""
        ...

    async def within(self, work: Awaitable[Result]) -> Result:
        """Await something that must end when the user's choice changes."""
        ...

    async def user_id(self) -> str:
        """The user's id."""
        ...

    async def say(self, endpoint: Endpoint[Reply], token: Secret | None = None) -> Reply:
        """Send a request to the identity server, with a token of that server or without."""
        ...

    async def ask_homeserver(self, endpoint: Endpoint[Reply]) -> Reply:
        """Send a request to the user's homeserver."""
        ...
