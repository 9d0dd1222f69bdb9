from __future__ import annotations

from urllib.parse import quote

from nio_identity_server.testing import MatrixIdentityServer

from .asking import Ask, at_identity_server

PREFIXES = ("/_matrix/identity/v2", "/_matrix/identity/api/v1")
ME = "@me:example.test"


class TestKeys:
    """Public keys."""

    async def test_the_own_key(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """The key is the same each time, needs no token, and is valid as long as it is exact."""
        for prefix in PREFIXES:
            base = f"{idserver.url}{prefix}/pubkey"
            keys = {(await ask("GET", f"{base}/ed25519:0")).json["public_key"] for _ in range(2)}
            (key,) = keys
            valid = await ask("GET", f"{base}/isvalid?public_key={quote(key, safe='')}")
            wrong = await ask("GET", f"{base}/isvalid?public_key=x")
            ephemeral = await ask("GET", f"{base}/ephemeral/isvalid?public_key={quote(key)}")

            assert (len(key), valid.json, wrong.json) == (43, {"valid": True}, {"valid": False})
            assert ephemeral.json == {"valid": False}

    async def test_the_key_of_an_invitation(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """It is valid as ephemeral key only."""
        me = at_identity_server(ask, idserver, ME)
        body = {"medium": "email", "address": "a@x.test", "room_id": "!r:x", "sender": ME}
        key = (await me.post("/store-invite", body)).json["public_keys"][1]["public_key"]

        as_ephemeral = await me.get(f"/pubkey/ephemeral/isvalid?public_key={key}")
        as_own = await me.get(f"/pubkey/isvalid?public_key={key}")

        assert not set(key) & set("+/=")
        assert (as_ephemeral.json, as_own.json) == ({"valid": True}, {"valid": False})

    async def test_refused(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """An unknown key is a page; a question without a key lacks a parameter."""
        base = f"{idserver.url}{PREFIXES[0]}/pubkey"

        unknown = await ask("GET", f"{base}/ed25519:1")

        assert (unknown.status, b"errcode" in unknown.body) == (404, False)
        assert (await ask("GET", f"{base}/isvalid")).error == (400, "M_MISSING_PARAMS")
