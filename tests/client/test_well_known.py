"""The published default, end to end: TLS, DNS and the user's own server name."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme
from aiohttp.abc import AbstractResolver, ResolveResult
from nio import AsyncClient

from nio_identity_server import (
    ForbiddenAddress,
    IdentityServer,
    IdentityServerChanged,
    IdentityServerConfig,
    MatrixError,
    NoIdentityServer,
    Source,
    enable,
)
from nio_identity_server.client import default as default_module
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.endpoints.discovery import Ping
from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer
from tests.bots import log_in

WELL_KNOWN = "/.well-known/matrix/client"


class Names(AbstractResolver):
    """A DNS in which names lead to ports on loopback."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._ports = ports

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Lead a name to 127.0.0.1 and its port."""
        if host not in self._ports:
            raise OSError(None, "no such name")
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=self._ports.get(host, port),
                family=family,
                proto=0,
                flags=0,
            )
        ]

    async def close(self) -> None:
        """Nothing to close."""


@asynccontextmanager
async def published(
    document: Any, trusted: str = "https://id.example.test"
) -> AsyncIterator[tuple[Any, MatrixHomeserver, IdentityServer]]:
    """A user of example.test, whose well-known document this is."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("example.test", "id.example.test").configure_cert(tls)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    async with (
        MatrixHomeserver() as homeserver,
        MatrixHomeserver(host="example.test", ssl_context=tls) as web,
        MatrixIdentityServer(homeserver, host="id.example.test", ssl_context=tls) as identity,
    ):
        web.well_known = document
        client = AsyncClient(homeserver.url)
        log_in(client, homeserver.register("alice"))
        server = enable(
            client,
            IdentityServerConfig(trusted=[trusted], ssl_context=trust, sync_wait=0.01),
        )
        ports = {
            "example.test": int(web.netloc.rpartition(":")[2]),
            "id.example.test": int(identity.netloc.rpartition(":")[2]),
        }
        server._connections.resolver = lambda: Names(ports)
        yield web, homeserver, server
        await client.close()


IDENTITY = {"m.identity_server": {"base_url": "https://id.example.test/"}}


async def test_the_published_default_is_used_when_nothing_is_chosen() -> None:
    """It is fetched once, when it is first needed, without a token."""
    async with published(IDENTITY) as (web, homeserver, server):
        assert web.connections == 0
        for _ in range(2):
            assert await server.call(Ping()) == {}
        assert [request.path for request in web.requests] == [WELL_KNOWN]
        assert "Authorization" not in web.requests[0].headers
        assert server.resolution.source is Source.WELL_KNOWN
        assert homeserver.writes == []


async def test_all_calls_that_need_it_fetch_it_once() -> None:
    """And they run in one generation, whoever of them is first."""
    async with published(IDENTITY) as (web, homeserver, server):
        async with web.hold() as hold:
            calls = [asyncio.create_task(server.call(GetAccount())) for _ in range(5)]
            await hold.reached()
        await asyncio.gather(*calls)
        assert len(web.requests) == 1
        assert len(homeserver.seen(path="openid")) == 1


async def test_it_is_not_fetched_when_the_user_has_chosen() -> None:
    """No request is made that is not needed."""
    async with published(IDENTITY) as (web, homeserver, server):
        homeserver.set_account_data("alice", "m.identity_server", {"base_url": None})
        await server.resolve()
        assert web.connections == 0


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (None, "404"),
        ({}, "names no identity server"),
        ({"m.identity_server": {}}, "no base_url"),
        ({"m.identity_server": {"base_url": "ftp://x"}}, "https://"),
        ({"m.identity_server": {"base_url": "http://id.example.test"}}, "not https"),
    ],
)
async def test_a_broken_document_means_no_default_with_the_reason(
    document: Any, reason: str
) -> None:
    """The call fails and says why; it does not ask again at once."""
    async with published(document) as (web, _homeserver, server):
        for _ in range(2):
            with pytest.raises(NoIdentityServer, match=reason):
                await server.call(Ping())
        assert len(web.requests) == 1


async def test_a_document_that_was_not_found_is_looked_for_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A web server that was down for a minute does not stop a bot for ever."""
    async with published(None) as (web, _homeserver, server):
        with pytest.raises(NoIdentityServer):
            await server.call(Ping())
        web.well_known = IDENTITY
        monkeypatch.setattr(default_module, "RETRY_AFTER", 0.0)
        assert await server.call(Ping()) == {}


async def test_a_published_server_with_a_private_address_is_refused() -> None:
    """The document is somebody else's word, even if the web server itself is private."""
    async with published({"m.identity_server": {"base_url": "https://example.test"}}) as (
        web,
        _homeserver,
        server,
    ):
        with pytest.raises(ForbiddenAddress, match="not public"):
            await server.call(Ping())
        assert [request.path for request in web.requests] == [WELL_KNOWN]


async def test_what_is_no_identity_server_is_told_nothing_of_the_user() -> None:
    """Whatever a document names is asked whether it is one, before the user becomes known there."""
    anything = "https://example.test"
    document = {"m.identity_server": {"base_url": anything}}
    async with published(document, trusted=anything) as (web, homeserver, server):
        with pytest.raises(MatrixError, match="404"):
            await server.call(GetAccount())
        assert [(each.method, each.path) for each in web.requests] == [
            ("GET", WELL_KNOWN),
            ("GET", "/_matrix/identity/v2/terms"),
            ("GET", "/_matrix/identity/v2"),
        ]
        assert homeserver.seen(path="openid") == []


@pytest.mark.parametrize("location", ["//][@", "https://[", "http://example.test/", ""])
async def test_a_redirect_to_nowhere_means_no_default(location: str) -> None:
    """Whatever the URL library makes of it."""
    async with published(None) as (web, _homeserver, server):
        web.redirect_next(location, 302)
        with pytest.raises(NoIdentityServer):
            await server.call(Ping())


async def test_a_redirect_to_a_host_that_is_named_in_code_may_be_private() -> None:
    """The operator vouches for it; for nobody else."""
    async with published(IDENTITY) as (web, _homeserver, server):
        web.redirect_next("https://id.example.test/wk.json", 302)
        with pytest.raises(NoIdentityServer, match="404"):  # it was asked, and has none
            await server.call(Ping())


async def test_refresh_fetches_it_again_and_ends_what_ran_on_the_old_one() -> None:
    """The default can change as well; nothing of one server reaches another."""
    async with published(IDENTITY) as (web, _homeserver, server):
        await server.call(Ping())
        generation = await server._gate.enter()
        web.well_known = {"m.identity_server": {"base_url": "https://other.example.org"}}
        resolution = await server.refresh()
        assert str(resolution.base_url) == "https://other.example.org"
        assert generation.ended is not None
        assert isinstance(generation.changed(), IdentityServerChanged)
