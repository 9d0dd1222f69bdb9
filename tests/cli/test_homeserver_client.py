"""The homeserver without nio."""

from __future__ import annotations

import ssl

import pytest

from nio_identity_server.cli.credentials import Credentials
from nio_identity_server.cli.homeserver_client import HomeserverClient
from nio_identity_server.cli.settings import Settings


def client(proxy: str | None = None) -> HomeserverClient:
    """A client of nobody's server."""
    return HomeserverClient.of(Credentials("https://hs.test", "s3cret"), Settings(proxy=proxy))


async def test_before_it_is_opened() -> None:
    """Nothing can be sent."""
    with pytest.raises(RuntimeError, match="the client is not open"):
        await client().send("GET", "/")


async def test_closing_twice() -> None:
    """The second time does nothing."""
    async with client() as it:
        await it.__aexit__(None, None, None)


def test_nothing_secret_is_printed() -> None:
    """Neither the token nor the password of the proxy."""
    printed = repr(client("http://user:passw0rd@proxy.test"))

    assert "s3cret" not in printed
    assert "passw0rd" not in printed


def test_certificates_are_verified() -> None:
    """Of the homeserver as of identity servers."""
    assert client().ssl.verify_mode is ssl.CERT_REQUIRED
