"""The chapter of the keys: which of them are this server's."""

from __future__ import annotations

from collections.abc import Callable

from nio_identity_server.testing.identity_server.binder import KEY_ID, Binder
from nio_identity_server.testing.identity_server.bodies import OLD_PREFIX, query_arguments
from nio_identity_server.testing.replies import Reply
from nio_identity_server.testing.routes import Call, Route
from nio_identity_server.testing.signing import SigningKey, encode_base64


class Keys:
    """The server's own key, and one for each invitation."""

    def __init__(self, binder: Binder, url: Callable[[], str]) -> None:
        self._binder = binder
        self._url = url
        self._ephemeral: set[str] = set()

    def routes(self, prefix: str) -> list[Route]:
        """Give the routes of this chapter, which need no token."""
        return [
            route
            for each in (prefix, OLD_PREFIX)
            for route in (
                Route("GET", f"{each}/pubkey/isvalid", self._is_valid),
                Route("GET", f"{each}/pubkey/ephemeral/isvalid", self._is_ephemeral),
                Route("GET", f"{each}/pubkey/{{key_id}}", self._show),
            )
        ]

    def announce(self, key: SigningKey) -> list[dict[str, str]]:
        """Take the key of an invitation; gives the public keys that may sign for that."""
        # Sydent 2.6.1 writes its own key in the one alphabet of base64, these in the other.
        ephemeral = encode_base64(key.public, url_safe=True)
        self._ephemeral.add(ephemeral)
        base = f"{self._url()}{OLD_PREFIX}/pubkey"
        return [
            {"public_key": self._own(), "key_validity_url": f"{base}/isvalid"},
            {"public_key": ephemeral, "key_validity_url": f"{base}/ephemeral/isvalid"},
        ]

    def _own(self) -> str:
        return encode_base64(self._binder.key.public)

    async def _show(self, call: Call) -> Reply:
        if call.values["key_id"] != KEY_ID:
            return Reply.of_html(404, "No Such Resource")
        return Reply.of_json({"public_key": self._own()})

    async def _is_valid(self, call: Call) -> Reply:
        given = query_arguments(call.request, "public_key")
        return Reply.of_json({"valid": given["public_key"] == self._own()})

    async def _is_ephemeral(self, call: Call) -> Reply:
        given = query_arguments(call.request, "public_key")
        return Reply.of_json({"valid": given["public_key"] in self._ephemeral})
