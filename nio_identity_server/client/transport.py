"""One request to an identity server, with every limit; the only place that sees raw bytes."""

from __future__ import annotations

import asyncio
import ipaddress
from functools import cache
from http import HTTPStatus
from typing import Any, NoReturn

import aiohttp
import attrs
from aiohttp import hdrs
from yarl import URL

from nio_identity_server import words
from nio_identity_server.addresses import is_public
from nio_identity_server.base_url import BaseUrl
from nio_identity_server.client.answer import Answer
from nio_identity_server.client.connections import Connections, NotPublic
from nio_identity_server.client.trouble import describe
from nio_identity_server.endpoint import BadReply, Endpoint, Reply
from nio_identity_server.errors import (
    BadResponse,
    CannotConnect,
    ForbiddenAddress,
    IdentityServerError,
)
from nio_identity_server.errors.refusals import refusal
from nio_identity_server.secret import Secret

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 15.0
"""Seconds between two pieces of an answer; the total time bounds a server that drips."""

_HEADERS: dict[str, str] = {
    hdrs.ACCEPT: "application/json",
    # Nothing compressed, so that a few bytes cannot become gigabytes (aiohttp CVE-2025-69223).
    hdrs.ACCEPT_ENCODING: "identity",
    hdrs.USER_AGENT: "nio-identity-server",
}


@attrs.frozen
class _Request:
    """What one exchange needs to know."""

    server: str
    method: str
    url: str = attrs.field(repr=False)  # one request of the specification has a secret in it
    trusted: bool
    cap: int
    timeout: float
    body: bytes | None = attrs.field(default=None, repr=False)
    token: Secret | None = None


@attrs.frozen(eq=False)
class Transport:
    """Sends requests and checks answers.

    Attributes:
        connections: The sessions to use.
    """

    connections: Connections

    async def ask(
        self,
        base_url: BaseUrl,
        endpoint: Endpoint[Reply],
        *,
        trusted: bool,
        token: Secret | None = None,
    ) -> Reply:
        """Send a request of the specification and read the reply.

        Args:
            base_url: The identity server.
            endpoint: What to ask.
            trusted: Whether the server was named in code.
            token: A token that this server issued, for an endpoint that needs one.

        Raises:
            ForbiddenAddress: If the server must not be contacted.
            CannotConnect: If no whole answer arrived.
            MatrixError: If the server refused.
            BadResponse: If the answer is not what the specification says.
        """
        server = str(base_url)
        _refuse_address(server, base_url, trusted=trusted)
        answer = await self._exchange(
            _Request(
                server=server,
                method=endpoint.method,
                url=server + endpoint.target,
                trusted=trusted,
                cap=endpoint.cap,
                timeout=endpoint.timeout,
                body=endpoint.payload,
                token=token,
            )
        )
        if answer.status != HTTPStatus.OK:
            _refuse(server, endpoint, answer, token)
        reason = ""
        try:
            return endpoint.read(answer.body)
        except BadReply as error:
            reason = str(error)
        raise BadResponse(server, reason, answer.status)

    async def fetch(self, url: URL, *, trusted: bool, cap: int = 64 * 1024) -> Answer:
        """GET a document that is no Matrix endpoint, following no redirect.

        Args:
            url: An ``https`` URL whose host has been parsed strictly.
            trusted: Whether its host may have private addresses.
            cap: Most bytes to read.

        Raises:
            ForbiddenAddress: If the host must not be contacted.
            CannotConnect: If no whole answer arrived.
            BadResponse: If the answer is no proper HTTP.
        """
        server = str(url.origin())
        _refuse_literal(server, url.raw_host or "", trusted=trusted)
        return await self._exchange(
            _Request(
                server=server, method="GET", url=str(url), trusted=trusted, cap=cap, timeout=30.0
            )
        )

    async def _exchange(self, request: _Request) -> Answer:
        """Send one request; whatever aiohttp raises is left behind here.

        Our exception is raised outside the ``except`` block: aiohttp's hold the request's headers,
        and neither ``__cause__`` nor ``__context__`` may carry them on.
        """
        try:
            return await self._exchange_raw(request)
        except IdentityServerError as error:
            # Ours, but without the frame that holds aiohttp's response: that shows the whole URL.
            trouble: BaseException = error.with_traceback(None)
        except asyncio.CancelledError as error:
            # The same without the frames of aiohttp, whose local variables hold the headers.
            trouble = asyncio.CancelledError(*error.args)
        except Exception as error:  # noqa: BLE001 - promise: only our exceptions come out
            trouble = _translate(error, request)
        raise trouble

    async def _exchange_raw(self, request: _Request) -> Answer:
        session = await self.connections.session(trusted=request.trusted)
        async with session.request(
            request.method,
            URL(request.url, encoded=True),
            data=request.body,
            headers=_headers(request),  # with the token: never a local variable here
            allow_redirects=False,
            timeout=_limits(request.timeout, CONNECT_TIMEOUT, READ_TIMEOUT),
        ) as response:
            try:
                return await _read(response, request)
            except BaseException:
                response.close()  # never drained: the rest of a huge body stays where it is
                raise


@cache
def _limits(total: float, connect: float, read: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=connect, sock_read=read)


def _headers(request: _Request) -> dict[str, str]:
    headers: dict[str, str] = dict(_HEADERS)
    if request.body is not None:
        headers[hdrs.CONTENT_TYPE] = "application/json"
    if request.token is not None:
        headers[hdrs.AUTHORIZATION] = f"Bearer {request.token.reveal()}"
    return headers


async def _read(response: aiohttp.ClientResponse, request: _Request) -> Answer:
    status = response.status
    if not 200 <= status < 600:  # noqa: PLR2004 - the classes of HTTP
        raise BadResponse(request.server, f"HTTP status {status} does not exist here", status)
    if response.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise BadResponse(request.server, "the body is encoded, which was not asked for", status)
    too_large = BadResponse(request.server, f"more than {request.cap} bytes", status)
    if (response.content_length or 0) > request.cap:
        raise too_large
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > request.cap:
            body.clear()  # what a server sent is not for a traceback that shows local variables
            del chunk
            raise too_large
    return Answer(
        status,
        bytes(body),
        location=response.headers.get(hdrs.LOCATION),
        retry_after_header=response.headers.get(hdrs.RETRY_AFTER),
    )


def _translate(error: Exception, request: _Request) -> IdentityServerError:
    if isinstance(getattr(error, "os_error", None), NotPublic):
        return ForbiddenAddress(request.server, "its name has an address that is not public")
    reason = describe(error, request.timeout)
    if isinstance(error, aiohttp.ClientResponseError):
        return BadResponse(request.server, reason)
    broken = aiohttp.ServerDisconnectedError | aiohttp.ClientOSError
    cut = isinstance(error, broken) and not isinstance(error, aiohttp.ClientConnectorError)
    return CannotConnect(request.server, reason, cut=cut)


def _refuse(server: str, endpoint: Endpoint[Any], answer: Answer, token: Secret | None) -> NoReturn:
    status, message = answer.status, endpoint.redact(answer.message)
    if token is not None:
        message = words.without(message, [token.reveal()])
    if status < HTTPStatus.MULTIPLE_CHOICES:
        raise BadResponse(server, f"HTTP {status} instead of 200", status)
    if status < HTTPStatus.BAD_REQUEST:
        raise BadResponse(server, f"HTTP {status}, but redirects are not followed", status)
    raise refusal(
        status,
        answer.errcode,
        message,
        server,
        retry_after=answer.retry_after,
        user_id=answer.owner,
    )


def _refuse_address(server: str, base_url: BaseUrl, *, trusted: bool) -> None:
    if base_url.scheme != "https" and not trusted:
        raise ForbiddenAddress(server, "it is not https")
    _refuse_literal(server, base_url.host, trusted=trusted)


def _refuse_literal(server: str, host: str, *, trusted: bool) -> None:
    """Judge an address that stands in the URL itself: aiohttp asks no resolver about it."""
    if not trusted and _is_address(host) and not is_public(host):
        raise ForbiddenAddress(server, "its address is not public")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
