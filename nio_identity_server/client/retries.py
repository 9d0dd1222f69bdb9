"""Sending again what may be sent again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from nio_identity_server.endpoint import Endpoint
from nio_identity_server.errors import CannotConnect, MatrixError, RateLimited

ATTEMPTS = 3
LONGEST_WAIT = 60.0
"""Seconds that a 429 may ask to wait; if it asks for more, the caller is told instead."""
ALTOGETHER = 120.0
"""Seconds after which nothing is sent again."""

Result = TypeVar("Result")


async def send_patiently(endpoint: Endpoint[Any], send: Callable[[], Awaitable[Result]]) -> Result:
    """Send a request, and again if that is safe and may help.

    Safe are requests that mail nothing, bind nothing and write nothing. It may help after trouble
    with the connection, after 5xx, and after a 429 in the time that it names.

    Args:
        endpoint: What is sent.
        send: Sends it once.
    """
    if not endpoint.repeatable:
        return await send()
    wait_after = partial(_wait_after, endpoint)
    try:
        return await send()
    except (CannotConnect, MatrixError) as error:
        if wait_after(error) is False:
            raise
        failed = error
    # Only now: its import and its bookkeeping would cost every bot and every call that succeeds.
    import stamina  # noqa: PLC0415

    async for attempt in stamina.retry_context(
        on=wait_after, attempts=ATTEMPTS, timeout=ALTOGETHER
    ):
        with attempt:
            if attempt.num == 1:
                raise failed
            return await send()
    raise failed  # pragma: no cover - the loop returns or raises


def _wait_after(endpoint: Endpoint[Any], error: Exception) -> bool | float:
    """Whether to send again after this error: no, soon, or after so many seconds."""
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return error.retry_after if error.retry_after <= LONGEST_WAIT else False
    if isinstance(error, CannotConnect):
        # A large body may have been refused for its size: then only a smaller one may help.
        return not (endpoint.is_large and error.cut)
    return isinstance(error, RateLimited) or (
        isinstance(error, MatrixError) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )
