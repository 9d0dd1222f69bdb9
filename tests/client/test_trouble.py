from __future__ import annotations

import socket
import ssl
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from nio_identity_server.client.trouble import describe

SECRET = "canary-of-a-transport"
KEY = ConnectionKey("id.example.org", 443, True, True, None, None, None)  # noqa: FBT003 - aiohttp's
REQUEST = aiohttp.RequestInfo(
    URL(f"https://id.example.org/?access_token={SECRET}"),
    "GET",
    CIMultiDictProxy(CIMultiDict({"Authorization": f"Bearer {SECRET}"})),
)


def certificate(why: str) -> aiohttp.ClientConnectorCertificateError:
    """What aiohttp raises about a certificate."""
    error = ssl.SSLCertVerificationError(1, SECRET)
    error.verify_message = why
    return aiohttp.ClientConnectorCertificateError(KEY, error)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "it took longer than allowed (2.5 s at most)"),
        (TimeoutError(SECRET), "it took longer than allowed (2.5 s at most)"),
        (aiohttp.ServerTimeoutError(SECRET), "it took longer than allowed (2.5 s at most)"),
        (aiohttp.ConnectionTimeoutError(SECRET), "it took longer than allowed (2.5 s at most)"),
        (aiohttp.SocketTimeoutError(SECRET), "it took longer than allowed (2.5 s at most)"),
        (certificate("it expired"), "its TLS certificate is not valid: it expired"),
        (
            aiohttp.ClientConnectorCertificateError(KEY, ValueError(SECRET)),
            "its TLS certificate is not valid: refused",
        ),
        (
            aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, SECRET)),
            "the TLS connection failed",
        ),
        (
            aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "Connection refused")),
            "cannot connect: Connection refused",
        ),
        (
            aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "Name or service not known")),
            "its name cannot be resolved",
        ),
        (
            aiohttp.ClientConnectorDNSError(KEY, OSError(None, "no answer")),
            "its name cannot be resolved",
        ),
        (
            aiohttp.ClientConnectorDNSError(KEY, OSError("odd")),
            "its name cannot be resolved",
        ),
        (aiohttp.ClientPayloadError(SECRET), "the answer was cut short"),
        (aiohttp.ClientResponseError(REQUEST, ()), "the answer is not valid HTTP"),
        (aiohttp.ContentTypeError(REQUEST, (), message=SECRET), "the answer is not valid HTTP"),
        (aiohttp.ServerDisconnectedError(), "the connection was closed without an answer"),
        (aiohttp.ClientOSError(104, SECRET), "the connection was closed without an answer"),
        (OSError(SECRET), "the transport failed (OSError)"),
        (RuntimeError(SECRET), "the transport failed (RuntimeError)"),
        (ValueError(SECRET), "the transport failed (ValueError)"),
        (aiohttp.InvalidURL(SECRET), "the transport failed (InvalidUrlClientError)"),
    ],
)
def test_words(error: Exception, words: str) -> None:
    """Every trouble has words of its own, and they tell nothing of the request."""
    if isinstance(error, aiohttp.InvalidURL):
        words = "the transport failed (InvalidURL)"

    said = describe(error, 2.5)

    assert said.startswith(words)
    assert SECRET not in said


def test_several_addresses_that_fail_in_different_ways() -> None:
    """A name that resolves to two addresses, neither of which answers, can be resolved."""
    inner = OSError(
        "Multiple exceptions: [Errno 111] Connect call failed ('127.0.0.1', 1), "
        "[Errno 101] Network is unreachable"
    )
    error: Any = aiohttp.ClientConnectorError(KEY, inner)

    said = describe(error, 2.5)

    assert "cannot connect" in said
    assert "resolved" not in said
