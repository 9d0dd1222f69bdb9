"""How a homeserver talks to identity servers: as Synapse does by HTTPS, but inside the process."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

import attrs

from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.server import LoopbackServer

_SUCCESS = range(200, 300)
_PREFIX = "/_matrix/identity/v2"
_LOCATION = re.compile(r"(?:[0-9A-Za-z.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[^#?]*)?")


class Refused(Exception):
    """An identity server has answered, but not with success.

    Attributes:
        reply: What it answered.
    """

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.status))
        self.reply = reply


@attrs.frozen
class _Known:
    server: LoopbackServer
    names: tuple[str, ...]

    def is_called(self, id_server: str) -> bool:
        return id_server in (self.names or (self.server.netloc,))


class IdentityServers:
    """The identity servers that a homeserver can reach."""

    def __init__(self, server_name: Callable[[], str]) -> None:
        self._server_name = server_name
        self._known: list[_Known] = []

    def add(self, server: LoopbackServer, names: tuple[str, ...]) -> None:
        """Let a server be reached under these names, or under its `netloc` if there are none."""
        self._known.append(_Known(server, names))

    def check(self, id_server: str) -> None:
        """Make sure that this is a place without a scheme.

        Raises:
            Refusal: 400 `M_UNKNOWN`.
        """
        if not _LOCATION.fullmatch(id_server):
            told = "id_server must be a valid hostname with optional port and path components"
            raise Refusal(400, "M_UNKNOWN", told)

    async def bind(self, id_server: str, token: str, content: dict[str, Any]) -> Any:
        """Have an address bound; gives the association.

        Raises:
            Refused: The identity server does not want to.
            Refusal: 500: it cannot be reached.
        """
        return await self._post(id_server, "/3pid/bind", f"Bearer {token}", content)

    async def unbind(self, id_server: str, content: dict[str, Any]) -> None:
        """Have an address unbound, in the name of this homeserver.

        Raises:
            Refused: The identity server does not want to.
            Refusal: 500: it cannot be reached.
        """
        origin = f'X-Matrix origin="{self._server_name()}",key="ed25519:a",sig=""'
        await self._post(id_server, "/3pid/unbind", origin, content)

    async def store_invite(self, id_server: str, token: str, content: dict[str, Any]) -> Any:
        """Have an invitation kept; gives what the room has to know of it.

        Raises:
            Refused: The identity server does not want to.
            Refusal: 500: it cannot be reached.
        """
        return await self._post(id_server, "/store-invite", f"Bearer {token}", content)

    async def find(self, id_server: str, token: str, medium: str, address: str) -> str | None:
        """Look an address up as it is given; whatever goes wrong, it is nobody's."""
        try:
            return await self._find(id_server, token, medium, address)
        except (Refused, Refusal, LookupError, TypeError, AttributeError):
            return None

    async def _find(self, id_server: str, token: str, medium: str, address: str) -> str | None:
        path, query = f"{_PREFIX}/hash_details", {"access_token": token}
        details = await self._ask(id_server, Request.inside("GET", path, query=query))
        pepper, offered = details["lookup_pepper"], details["algorithms"]
        algorithm = "sha256" if "sha256" in offered else "none"
        if algorithm not in offered:
            return None
        wanted = f"{address} {medium}"
        if algorithm == "sha256":
            digest = hashlib.sha256(f"{wanted} {pepper}".encode()).digest()
            wanted = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        content = {"addresses": [wanted], "algorithm": algorithm, "pepper": pepper}
        found = await self._post(id_server, "/lookup", f"Bearer {token}", content)
        mxid: str | None = found["mappings"].get(wanted)
        return mxid

    async def _post(
        self, id_server: str, path: str, authorization: str, content: dict[str, Any]
    ) -> Any:
        request = Request.inside(
            "POST", f"{_PREFIX}{path}", authorization=authorization, content=content
        )
        return await self._ask(id_server, request)

    async def _ask(self, id_server: str, request: Request) -> Any:
        for known in self._known:
            if known.is_called(id_server):
                return await _answered(known.server, request)
        raise internal()


async def _answered(server: LoopbackServer, request: Request) -> Any:
    try:
        reply = await server.answer(request)
    except ConnectionRefusedError:
        raise internal() from None
    except ConnectionResetError:
        # Synapse 1.163 takes a connection that breaks for one that is slow.
        raise Refusal(500, "M_UNKNOWN", "Timed out contacting identity server") from None
    if reply.status not in _SUCCESS:
        raise Refused(reply)
    try:
        return reply.json
    except ValueError:
        raise internal() from None


def internal() -> Refusal:
    """What Synapse 1.163 says when something trips it up."""
    return Refusal(500, "M_UNKNOWN", "Internal server error")
