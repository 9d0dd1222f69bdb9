"""The line of one generation: what its conversations speak through."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import attrs

from nio_identity_server.client.config import IdentityServerConfig
from nio_identity_server.client.gate import Gate
from nio_identity_server.client.generation import Generation
from nio_identity_server.client.reader import Reader
from nio_identity_server.client.retries import send_patiently
from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoint import Endpoint, Reply
from nio_identity_server.flows.session import Session
from nio_identity_server.preference.resolution import Source
from nio_identity_server.secret import Secret

Result = TypeVar("Result")


@attrs.frozen(eq=False)
class GenerationLine:
    """The line to the server of one generation; dead as soon as that ends.

    Attributes:
        generation: Whose line it is.
        gate: Every request passes it.
        reader: Knows the homeserver and the user's id.
        transport: Sends to the identity server.
        trusted: Whether that server was named in code.
    """

    generation: Generation
    gate: Gate
    reader: Reader
    transport: Transport
    trusted: bool

    @property
    def server(self) -> str:
        """The server's base URL."""
        return str(self.generation.base_url)

    @property
    def is_published(self) -> bool:
        """Whether only a published document says that there is an identity server."""
        return self.generation.resolution.source is Source.WELL_KNOWN

    async def within(self, work: Awaitable[Result]) -> Result:
        """Await something that must end when the user's choice changes."""
        return await self.generation.run(work)

    async def user_id(self) -> str:
        """The user's id."""
        return await self.generation.run(self.reader.user_id())

    async def say(self, endpoint: Endpoint[Reply], token: Secret | None = None) -> Reply:
        """Send a request to the identity server, patiently if it may be sent again."""
        # The generation ends all of it: waiting at the gate, the request, and waiting to repeat it.
        return await self.generation.run(
            send_patiently(endpoint, lambda: self._say_once(endpoint, token))
        )

    async def ask_homeserver(self, endpoint: Endpoint[Reply]) -> Reply:
        """Send a request to the user's homeserver."""
        return await self.generation.run(self._ask_homeserver_once(endpoint))

    async def _say_once(self, endpoint: Endpoint[Reply], token: Secret | None) -> Reply:
        await self.gate.enter_again(self.generation)
        reply = await self.transport.ask(
            self.generation.base_url, endpoint, trusted=self.trusted, token=token
        )
        # The answer is not for another user who has logged in meanwhile.
        self.reader.accounts.current()
        return reply

    async def _ask_homeserver_once(self, endpoint: Endpoint[Reply]) -> Reply:
        async def enter() -> None:
            await self.gate.enter_again(self.generation)

        await enter()
        reply = await self.reader.homeserver.ask(endpoint, enter)
        self.reader.accounts.current()  # as above
        return reply


def open_session(line: GenerationLine, config: IdentityServerConfig) -> Session:
    """The session of the user at the server that the line leads to."""
    return Session(line, config.accept_terms, config.token_store)
