"""What a homeserver says about itself."""

from __future__ import annotations

from nio_identity_server.testing.homeserver.accounts import Accounts
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.routes import Call, Route

_PAGE = "/.well-known/matrix/client"


class Discovery:
    """The chapter of the API that needs no login: versions and the well-known document."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def routes(self) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            Route("GET", "/_matrix/client/versions", self._versions),
            Route("GET", _PAGE, self._well_known),
            # Synapse 1.163 is lenient about this one trailing slash.
            Route("GET", f"{_PAGE}/", self._well_known),
        ]

    async def _versions(self, _: Call) -> Reply:
        old = ["r0.6.0", "r0.6.1"]
        versions = [*old, *(f"v1.{minor}" for minor in range(1, 13))]
        return Reply.of_json({"versions": versions, "unstable_features": {}})

    async def _well_known(self, _: Call) -> Reply:
        if self._accounts.well_known is None:
            raise Refusal(404, "M_NOT_FOUND", ".well-known not available")
        cors = {"Access-Control-Allow-Origin": "*"}
        return Reply.of_json(self._accounts.well_known, headers=cors)
