"""What comes out of the public calls holds no secret: not in its chain, nor in its frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from nio_identity_server import IdentityServerError, MatrixError
from nio_identity_server.endpoints.account import GetAccount
from tests.bots import World, world
from tests.canaries import assert_no_secret

POLICY = {"privacy": {"version": "1", "en": {"name": "P", "url": "https://x.org/p"}}}


def _secrets(it: World) -> list[str]:
    tokens = [
        it.alice.access_token,
        it.bot.access_token,
        *it.a.tokens,
        *it.homeserver.openid_tokens,
    ]
    return list(dict.fromkeys(tokens))


Call = Callable[[Any], Coroutine[Any, Any, Any]]

CALLS: dict[str, Call] = {
    "call": lambda server: server.call(GetAccount()),
    "lookup": lambda server: server.lookup(["somebody@example.org"]),
    "pending_terms": lambda server: server.pending_terms(),
    "accept_terms": lambda server: server.accept_terms(["https://x.org/p"]),
    "disable": lambda server: server.disable(),
    "refresh": lambda server: server.refresh(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("which", ["identity server", "homeserver"])
async def test_a_call_that_is_cancelled_carries_no_token_out(call: Call, which: str) -> None:
    """The frames of aiohttp and nio hold headers; they stay behind."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        it.a.require_terms(POLICY)
        server = it.a if which == "identity server" else it.homeserver
        async with server.hold() as hold:
            task = asyncio.create_task(call(it.server))
            reached = asyncio.create_task(hold.reached())
            await asyncio.wait([task, reached], return_when=asyncio.FIRST_COMPLETED)
            task.cancel()
            reached.cancel()
            outcome = (await asyncio.gather(task, reached, return_exceptions=True))[0]
        if isinstance(outcome, BaseException):
            assert_no_secret(outcome, _secrets(it))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
async def test_a_call_that_is_refused_carries_no_token_out(call: Call, status: int) -> None:
    """Whoever refuses it, and whatever it was about to send."""
    async with world(default="a", homeserver_timeout=0.2) as it:
        await it.server.call(GetAccount())
        for server in (it.a, it.homeserver):
            server.reject_next(status, "M_UNKNOWN", times=None, retry_after_ms=10**6)
        with pytest.raises(IdentityServerError) as caught:
            await call(it.server)
        assert_no_secret(caught.value, _secrets(it))


async def test_a_server_that_says_our_token_back_is_not_quoted() -> None:
    """Its words come into the message, but not that one."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        said = f"bad token {next(iter(it.a.live_tokens))}"
        it.a.reject_next(400, "M_UNKNOWN", said, path="/account$")
        del said  # a traceback shows the frame of this test as well
        with pytest.raises(MatrixError, match=r"bad token \*\*\*") as caught:
            await it.server.call(GetAccount())
        assert_no_secret(caught.value, _secrets(it))
