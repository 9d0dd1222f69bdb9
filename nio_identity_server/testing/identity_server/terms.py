"""The chapter of the terms."""

from __future__ import annotations

from nio_identity_server.testing.identity_server.accounts import Accounts
from nio_identity_server.testing.identity_server.bodies import arguments, broken
from nio_identity_server.testing.identity_server.policies import Policies
from nio_identity_server.testing.replies import Reply
from nio_identity_server.testing.routes import Call, Route


class Terms:
    """Shows the policies to everybody, and takes acceptances from whoever has a token."""

    def __init__(self, accounts: Accounts, policies: Policies) -> None:
        self._accounts = accounts
        self._policies = policies

    def routes(self, prefix: str) -> list[Route]:
        """Give the routes of this chapter."""
        path = f"{prefix}/terms"
        return [Route("GET", path, self._show), Route("POST", path, self._accept)]

    async def _show(self, _: Call) -> Reply:
        return Reply.of_json({"policies": self._policies.documents})

    async def _accept(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request, terms=False)
        urls = arguments(call.request, "user_accepts")["user_accepts"]
        if isinstance(urls, str):
            # Sydent takes a string for a list of its letters, none of which is on offer.
            urls = list(urls)
        if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
            raise broken()
        self._policies.accept(user_id, urls)
        return Reply.of_json({})
