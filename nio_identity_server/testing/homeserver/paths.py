"""The paths of the Client-Server API."""

from __future__ import annotations

from nio_identity_server.testing.routes import Handler, Route


def client_routes(method: str, path: str, handler: Handler) -> list[Route]:
    """Route a path of the Client-Server API, under `v3` and under the older `r0`."""
    return [Route(method, f"/_matrix/client/{release}{path}", handler) for release in ("v3", "r0")]
