"""The chapter of discovery: versions, and whether it is an identity server at all."""

from __future__ import annotations

from nio_identity_server.testing.replies import Reply
from nio_identity_server.testing.routes import Call, Route

# The list of Sydent 2.6.1, which implements newer versions of the specification as well.
_VERSIONS = ["r0.1.0", "r0.2.0", "r0.2.1", "r0.3.0", "v1.1", "v1.2", "v1.3", "v1.4", "v1.5"]


class Discovery:
    """The two calls that need no token."""

    def routes(self, prefix: str) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            Route("GET", "/_matrix/identity/versions", self._versions),
            Route("GET", prefix, self._ping),
        ]

    async def _versions(self, _: Call) -> Reply:
        return Reply.of_json({"versions": _VERSIONS})

    async def _ping(self, _: Call) -> Reply:
        return Reply.of_json({})
