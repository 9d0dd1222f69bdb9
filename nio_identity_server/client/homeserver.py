"""Requests to the user's own homeserver, through the nio client but not through its ``_send``.

nio's ``_send`` retries for ever, its ``EmptyResponse`` calls a 502 a success, and its response
classes log whole bodies at DEBUG. ``send`` does none of that; what is missing is added here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NoReturn, Protocol

import aiohttp
import attrs

from nio_identity_server import words
from nio_identity_server.client.answer import Answer
from nio_identity_server.client.trouble import describe
from nio_identity_server.endpoint import BadReply, Endpoint, Reply
from nio_identity_server.errors import HomeserverError, IdentityServerError, OutcomeUnknown
from nio_identity_server.secret import Secret


class NioClient(Protocol):
    """What is used of a nio ``AsyncClient`` by everything but ``room_create()``."""

    user_id: str
    access_token: str
    homeserver: str
    proxy: str | None
    ssl: Any
    config: Any

    async def send(  # noqa: PLR0917 - nio's own signature
        self,
        method: str,
        path: str,
        data: Any = None,
        headers: dict[str, str] | None = None,
        trace_context: Any = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> aiohttp.ClientResponse:
        """Send one request to the homeserver; retries nothing, adds no token."""
        ...


_UNHINTED_WAIT = 5.0
"""Seconds to wait after a 429 that names no time, as nio does."""

_SHORTEST_WAIT = 0.1
"""Seconds to wait even if a 429 asks for none."""

Again = Callable[[], Awaitable[object]]

_TOO_LARGE = "the answer is too large"


@attrs.frozen
class Homeserver:
    """The user's homeserver.

    Attributes:
        client: The nio client that is logged in there.
        time_limit: Seconds for one request, waits for 429 included.
    """

    client: NioClient
    time_limit: float

    async def ask(self, endpoint: Endpoint[Reply], again: Again | None = None) -> Reply:
        """Send one request and read the reply.

        Only HTTP 200 without a redirect is a success.

        Args:
            endpoint: What to ask.
            again: Awaited before it is sent again, after a 429; what it raises is raised.

        Raises:
            OutcomeUnknown: If a request that writes may or may not have been carried out.
            HomeserverError: If the homeserver refused, or a request that reads had no good answer.
        """
        answer = await self._send(endpoint, again)
        if answer.status != HTTPStatus.OK:
            self._refuse(endpoint, answer)
        reason = ""
        try:
            return endpoint.read(answer.body)
        except BadReply as error:
            reason = str(error)
        raise self._no_answer(endpoint, reason, answer.status)

    async def _send(self, endpoint: Endpoint[Reply], again: Again | None) -> Answer:
        try:
            async with asyncio.timeout(self.time_limit) as limit:
                return await self._send_patiently(endpoint, limit, again)
        except IdentityServerError as error:
            # Ours, but without the frame that holds aiohttp's response: that shows the whole URL.
            trouble: BaseException = error.with_traceback(None)
        except asyncio.CancelledError as error:
            # The same without the frames of nio and aiohttp, whose local variables hold the
            # headers.
            trouble = asyncio.CancelledError(*error.args)
        except aiohttp.TooManyRedirects as error:
            trouble = self._redirected(error.history[0].status)
        except aiohttp.RedirectClientError:
            trouble = self._redirected(302)  # aiohttp does not keep which of the five it was
        except Exception as error:  # noqa: BLE001 - whatever the transport raises, ours comes out
            trouble = self._no_answer(endpoint, describe(error, self.time_limit))
        raise trouble

    async def _send_patiently(
        self, endpoint: Endpoint[Reply], limit: asyncio.Timeout, again: Again | None
    ) -> Answer:
        """Send, and again after each 429 whose wait fits into the time limit.

        Not with the token of another login: what was asked is not for that one.
        """
        login = self._login()
        while True:
            answer = await self._send_once(endpoint)
            hint = answer.retry_after
            wait = _UNHINTED_WAIT if hint is None else max(hint, _SHORTEST_WAIT)
            ends = asyncio.get_running_loop().time() + wait
            if answer.status != HTTPStatus.TOO_MANY_REQUESTS or ends > (limit.when() or 0):
                return answer
            await asyncio.sleep(wait)
            if again is not None:
                await again()
            if login != self._login():
                return answer

    async def _send_once(self, endpoint: Endpoint[Reply]) -> Answer:
        # The headers hold the token: they are never a local variable of a frame that a traceback
        # could show.
        response = await self.client.send(
            endpoint.method,
            endpoint.target,
            endpoint.payload,
            self._headers(),
            timeout=self.time_limit,
        )
        try:
            self._refuse_redirect(response)
            body = await _read(response, endpoint.cap)
            if body is None:
                raise self._no_answer(endpoint, _TOO_LARGE, response.status)  # noqa: TRY301
        except BaseException:
            response.close()  # never drained: the rest of a huge body stays where it is
            raise
        return Answer(response.status, body, retry_after_header=response.headers.get("Retry-After"))

    def _login(self) -> Secret:
        return Secret(self.client.access_token or "")

    def _headers(self) -> dict[str, str]:
        token = self.client.access_token
        if not token:
            raise HomeserverError(
                None, "M_MISSING_TOKEN", "the client is not logged in", self.client.homeserver
            )
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        custom: Mapping[str, str] | None = getattr(self.client.config, "custom_headers", None)
        return headers | dict(custom or {})

    def _refuse(self, endpoint: Endpoint[Reply], answer: Answer) -> NoReturn:
        kind = HomeserverError if is_refusal(answer.status) else self._kind(endpoint)
        retry_after = answer.retry_after if answer.status == HTTPStatus.TOO_MANY_REQUESTS else None
        message = self.redact(endpoint.redact(answer.message))
        raise kind(answer.status, answer.errcode, message, self.client.homeserver, retry_after)

    def redact(self, text: str) -> str:
        """Blank out the user's token, which a homeserver may repeat in its answer."""
        return words.without(text, [self.client.access_token or ""])

    def _refuse_redirect(self, response: aiohttp.ClientResponse) -> None:
        if response.history:
            raise self._redirected(response.history[0].status)

    def _redirected(self, status: int) -> HomeserverError:
        return HomeserverError(
            status,
            "M_UNKNOWN",
            "it redirects; give the client the URL that it redirects to",
            self.client.homeserver,
        )

    def _no_answer(
        self, endpoint: Endpoint[Reply], reason: str, status: int | None = None
    ) -> HomeserverError:
        return self._kind(endpoint)(status, "M_UNKNOWN", reason, self.client.homeserver)

    def _kind(self, endpoint: Endpoint[Reply]) -> type[HomeserverError]:
        return HomeserverError if endpoint.repeatable else OutcomeUnknown


def is_refusal(status: int) -> bool:
    """Whether a status says that nothing was done."""
    # 408 is a proxy's word that the request was not finished in time: who knows.
    refused = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return refused and status != HTTPStatus.REQUEST_TIMEOUT


async def _read(response: aiohttp.ClientResponse, cap: int) -> bytes | None:
    """The whole body; None if it is larger than ``cap`` bytes, or is said to be."""
    if (response.content_length or 0) > cap:
        return None
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > cap:
            return None
    return bytes(body)
