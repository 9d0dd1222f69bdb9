"""What a transport's exception means, in words that are safe to show.

aiohttp's exceptions hold the request with its headers, so neither they nor their texts may leave
this package: the caller describes one here and raises its own *outside* the ``except`` block.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import Any

import aiohttp

from nio_identity_server.base_url import BaseUrl
from nio_identity_server.errors import CannotConnect


def describe(error: Exception, seconds: float) -> str:
    """Say what went wrong, without a header, a query or an address of the user.

    Args:
        error: What the transport raised.
        seconds: The time limit that applied.
    """
    for kind, say in _WORDS:
        if isinstance(error, kind):
            return say(error, seconds)
    return f"the transport failed ({type(error).__name__})"


def _certificate(error: aiohttp.ClientConnectorCertificateError, _seconds: float) -> str:
    inner = error.certificate_error
    why = inner.verify_message if isinstance(inner, ssl.SSLCertVerificationError) else "refused"
    return f"its TLS certificate is not valid: {why}"


def _connector(error: aiohttp.ClientConnectorError, _seconds: float) -> str:
    number = error.os_error.errno
    return f"cannot connect: {os.strerror(number) if number else 'the connection was broken off'}"


# In this order: aiohttp's classes inherit from each other, and from TimeoutError and OSError.
_WORDS: tuple[tuple[type[Exception], Callable[[Any, float], str]], ...] = (
    (TimeoutError, lambda _, seconds: f"it took longer than allowed ({seconds:g} s at most)"),
    (aiohttp.ClientConnectorCertificateError, _certificate),
    (aiohttp.ClientSSLError, lambda *_: "the TLS connection failed"),
    (aiohttp.ClientConnectorDNSError, lambda *_: "its name cannot be resolved"),
    (aiohttp.ClientConnectorError, _connector),
    (aiohttp.ClientPayloadError, lambda *_: "the answer was cut short"),
    (aiohttp.ClientResponseError, lambda *_: "the answer is not valid HTTP"),
    (aiohttp.ClientConnectionError, lambda *_: "the connection was closed without an answer"),
)


def out_of_time(base_url: BaseUrl, seconds: float) -> CannotConnect:
    """What is told of a server that was given only so much time."""
    return CannotConnect(str(base_url), f"it did not answer within {seconds:g} seconds")
