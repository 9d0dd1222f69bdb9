"""Which handler answers which path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

import attrs

from nio_identity_server.testing.replies import Reply
from nio_identity_server.testing.requests import Request


@attrs.frozen
class Call:
    """A request together with what the route read from its path.

    Attributes:
        request: What arrived.
        values: The decoded path parameters, by the names that stand in the route's template.
    """

    request: Request
    values: Mapping[str, str]


Handler = Callable[[Call], Awaitable[Reply]]


@attrs.frozen
class Route:
    """One method on one path; pieces of the path in braces are parameters."""

    method: str
    template: str
    handler: Handler

    def read(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Give the path parameters, or `None` if this is another path."""
        wanted = self.template.split("/")
        if len(wanted) != len(segments):
            return None
        values: dict[str, str] = {}
        for name, segment in zip(wanted, segments, strict=True):
            if name.startswith("{"):
                values[name.strip("{}")] = segment
            elif name != segment:
                return None
        return values


class UnknownPath(LookupError):
    """No route has this path."""


class UnknownMethod(LookupError):
    """A route has this path, but for other methods."""


class Routes:
    """All the routes of a server, asked in order."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)

    def find(self, request: Request) -> tuple[Handler, Call]:
        """Find who answers a request.

        Raises:
            UnknownPath: Nobody, whatever the method.
            UnknownMethod: Nobody with this method.
        """
        known = False
        for route in self._routes:
            values = route.read(request.segments)
            if values is None:
                continue
            if route.method == request.method:
                return route.handler, Call(request, values)
            known = True
        if known:
            raise UnknownMethod(request.method)
        raise UnknownPath(request.path)
