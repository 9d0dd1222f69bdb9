"""What the bot says to its identity server, and what that server's operator does meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nio_identity_server import Policy, email
from nio_identity_server.endpoints.discovery import GetVersions
from nio_identity_server.endpoints.lookup import GetHashDetails

from .bot import CURRENT, Operation
from .others import Others

ADDRESS = "Carol@Example.org"
_BOOK = (ADDRESS, "dave@example.org", "+44 20 7946 0000")


class Speaking(Others):
    """A world in which the bot speaks to identity servers.

    Each act ends when everything has happened that needs no clock; what is held goes on.
    """

    def do(
        self, kind: str, work: Callable[[], Awaitable[object]], url: str | None = None
    ) -> Operation:
        """Start an operation, and let it come as far as it can."""

        async def go() -> Operation:
            operation = self.start(kind, work, url)
            await self.stage.settle()
            return operation

        return self.stage.run(go())

    # -- the bot

    def ping(self) -> Operation:
        """Call the user's identity server."""
        return self.do("call", self.call)

    def versions(self) -> Operation:
        """Call the user's identity server, for something else."""
        return self.do("call", lambda: self.server.call(GetVersions()))

    def hash_details(self) -> Operation:
        """Call it for something that needs a token, and so a registration."""
        return self.do("call", lambda: self.server.call(GetHashDetails()))

    def lookup(self) -> Operation:
        """Look addresses up; each server gives another user for the first."""
        return self.do("call", self._lookup)

    def pending_terms(self) -> Operation:
        """Ask what the user has not accepted."""
        return self.do("call", self.server.pending_terms)

    def accept_terms(self) -> Operation:
        """Accept what is pending, as a user does who was shown it."""
        return self.do("call", self._accept_terms)

    async def _lookup(self) -> object:
        found = await self.server.lookup(_BOOK)
        operation = CURRENT.get()
        asked = operation.server if operation is not None else None
        expected = {email(ADDRESS): self.stage.carols[asked]} if asked else None
        if dict(found) != expected:
            self.blame(f"a lookup at {asked} found {dict(found)}")
        return found

    async def _accept_terms(self) -> object:
        urls = _urls(await self.server.pending_terms())
        self.agreed.update(urls)
        await self.server.accept_terms(urls)
        return urls

    # -- the operators of identity servers

    def forget_tokens(self, url: str) -> None:
        """A server ends all its tokens."""
        self.note(f"{url} ends its tokens")
        self._identity_server(url).revoke_tokens()

    def rotate_pepper(self, url: str) -> None:
        """A server takes another pepper."""
        self.note(f"{url} takes another pepper")
        self._identity_server(url).rotate_pepper()

    def change_terms(self, url: str, *, some: bool) -> None:
        """A server has other terms, or none any more."""
        terms = f"https://terms.example/{self.stage.tick()}"
        self.note(f"{url} has the terms {terms if some else None}")
        policies: dict[str, Any] = {
            "privacy": {"version": "1", "en": {"name": "Privacy", "url": terms}}
        }
        self._identity_server(url).require_terms(policies if some else {})

    # -- the end

    def look_at_terms(self) -> None:
        """No server has been told that a user accepts what the user was not asked, or refused."""
        for server in self.stage.identity_servers:
            for user in self.users:
                told = server.accepted_terms.get(user.user_id, set())
                if not told <= self.agreed:
                    self.blame(f"{server.url} was told of {told}, agreed was {self.agreed}")


def _urls(policies: tuple[Policy, ...]) -> list[str]:
    return [document.url for policy in policies for document in policy.documents.values()]
