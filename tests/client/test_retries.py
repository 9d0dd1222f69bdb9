from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import attrs
import pytest

from nio_identity_server.client.retries import ALTOGETHER, ATTEMPTS, send_patiently
from nio_identity_server.endpoint import Endpoint
from nio_identity_server.endpoints.account import GetAccount, RegisterAccount
from nio_identity_server.endpoints.discovery import GetVersions
from nio_identity_server.endpoints.lookup import GetHashDetails, LookupUsers
from nio_identity_server.endpoints.validation import EmailRequestToken, MsisdnRequestToken
from nio_identity_server.errors import (
    BadResponse,
    CannotConnect,
    IdentityServerError,
    MatrixError,
    RateLimited,
)
from tests.bots import World, world

SERVER = "https://id.example.org"
EMAIL = EmailRequestToken("secret", "alice@example.org", 1)
MSISDN = MsisdnRequestToken("secret", "GB", "07700900001", 1)
REPEATABLE: list[Endpoint[Any]] = [
    GetVersions(),
    GetAccount(),
    GetHashDetails(),
    LookupUsers(["x"], "sha256", "p"),
]
NEVER: list[Endpoint[Any]] = [EMAIL, MSISDN, RegisterAccount("t", "Bearer", "x", 1)]

RESET = CannotConnect(SERVER, "the connection was closed without an answer", cut=True)


def refused(status: int) -> MatrixError:
    """A refusal of this status."""
    return MatrixError(status, "M_UNKNOWN", "no", SERVER)


def limited(retry_after: float | None) -> RateLimited:
    """A 429 that asks to wait so long."""
    return RateLimited(429, "M_LIMIT_EXCEEDED", "slow down", SERVER, retry_after)


@attrs.define
class Time:
    """Time that passes only when somebody sleeps."""

    now: float = 1_000.0
    waits: list[float] = attrs.field(factory=list)

    async def sleep(self, seconds: float, result: object = None) -> object:
        """Let it pass."""
        if seconds:
            self.waits.append(seconds)
            self.now += seconds
        await _turn()
        return result


async def _turn() -> None:
    """Let everything else have its turn, as ``asyncio.sleep(0)`` does."""
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, None)
    await future


@pytest.fixture(name="time")
def _time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The only place where time is replaced: stamina waits by ``asyncio.sleep``."""
    time = Time()
    monkeypatch.setattr(asyncio, "sleep", time.sleep)
    monkeypatch.setattr("time.monotonic", lambda: time.now)
    return time


@attrs.define
class Sender:
    """Fails as it is told, then succeeds."""

    errors: list[Exception]
    sent: int = 0

    async def __call__(self) -> str:
        """Send once."""
        self.sent += 1
        if self.errors:
            raise self.errors.pop(0)
        return "reply"


@pytest.mark.parametrize("endpoint", REPEATABLE)
@pytest.mark.parametrize("error", [RESET, refused(500), refused(502), refused(503), limited(None)])
async def test_trouble_that_may_pass(time: Time, endpoint: Endpoint[Any], error: Exception) -> None:
    """Three attempts at most, with short waits; then the last error is the caller's."""
    for failures in range(1, ATTEMPTS):
        sender = Sender([error] * failures)
        assert await send_patiently(endpoint, sender) == "reply"
        assert sender.sent == failures + 1
    time.waits.clear()
    sender = Sender([error] * 10)
    with pytest.raises(type(error)) as caught:
        await send_patiently(endpoint, sender)
    assert caught.value is error
    assert sender.sent == ATTEMPTS
    assert len(time.waits) == ATTEMPTS - 1
    assert all(0 < wait <= 10 for wait in time.waits)


@pytest.mark.parametrize("endpoint", [*REPEATABLE, *NEVER])
@pytest.mark.parametrize(
    "error",
    [refused(400), refused(401), refused(403), refused(404), refused(413), BadResponse(SERVER, "")],
)
async def test_what_will_not_pass(time: Time, endpoint: Endpoint[Any], error: Exception) -> None:
    """A refusal and nonsense are not asked for twice."""
    sender = Sender([error])
    with pytest.raises(type(error)):
        await send_patiently(endpoint, sender)
    assert (sender.sent, time.waits) == (1, [])


@pytest.mark.parametrize("endpoint", NEVER)
@pytest.mark.parametrize("error", [RESET, refused(500), limited(None), limited(0), limited(5)])
async def test_what_may_not_be_repeated(
    time: Time, endpoint: Endpoint[Any], error: Exception
) -> None:
    """A second request would be a second mail: whatever happens, there is one."""
    sender = Sender([error])
    with pytest.raises(IdentityServerError) as caught:
        await send_patiently(endpoint, sender)
    assert caught.value is error
    assert (sender.sent, time.waits) == (1, [])


@pytest.mark.parametrize("seconds", [0.5, 1, 12.345, 59.9, 60])
async def test_a_429_is_waited_for_as_long_as_it_says(time: Time, seconds: float) -> None:
    """Exactly so long, without jitter, for up to a minute."""
    sender = Sender([limited(seconds)])
    assert await send_patiently(GetAccount(), sender) == "reply"
    assert time.waits == [seconds]


@pytest.mark.parametrize("seconds", [60.001, 61, 3_600, 1e12])
async def test_a_429_that_asks_for_too_much(time: Time, seconds: float) -> None:
    """The caller is told at once how long."""
    sender = Sender([limited(seconds)])
    with pytest.raises(RateLimited) as caught:
        await send_patiently(GetAccount(), sender)
    assert caught.value.retry_after == seconds
    assert (sender.sent, time.waits) == (1, [])


async def test_a_429_may_ask_for_no_wait(time: Time) -> None:
    """Zero is a time, too; but not for ever."""
    sender = Sender([limited(0)] * 10)
    with pytest.raises(RateLimited):
        await send_patiently(GetAccount(), sender)
    assert sender.sent == ATTEMPTS
    assert sum(time.waits) == 0


async def test_the_kind_of_trouble_may_change(time: Time) -> None:
    """After a reset a 429, and after that a refusal, which is final."""
    sender = Sender([RESET, limited(7), refused(403)])
    with pytest.raises(MatrixError, match="403"):
        await send_patiently(GetAccount(), sender)
    assert sender.sent == 3
    assert time.waits[1] == 7
    sender = Sender([refused(500), limited(61)])
    with pytest.raises(RateLimited):
        await send_patiently(GetAccount(), sender)
    assert sender.sent == 2


async def test_a_large_request_without_an_answer_is_left_to_be_halved(time: Time) -> None:
    """The connection may have been cut for its size; a 500 or a 429 has another reason."""
    large = LookupUsers([f"{each}" for each in range(1_250)], "sha256", "p")
    sender = Sender([RESET])
    with pytest.raises(CannotConnect):
        await send_patiently(large, sender)
    assert (sender.sent, time.waits) == (1, [])
    assert await send_patiently(large, Sender([refused(500), limited(1)])) == "reply"


async def test_all_waits_together_are_two_minutes_at_most(time: Time) -> None:
    """Even if each asks for as much as one may."""
    sender = Sender([limited(60)] * 10)
    with pytest.raises(RateLimited):
        await send_patiently(GetAccount(), sender)
    assert sum(time.waits) <= ALTOGETHER


async def test_nothing_is_sent_again_after_two_minutes(time: Time) -> None:
    """A server that is slow to fail is not given all three attempts."""

    async def slow() -> str:
        time.now += 1 if not time.waits else ALTOGETHER
        return await sender()

    sender = Sender([refused(500)] * 10)
    with pytest.raises(MatrixError):
        await send_patiently(GetAccount(), slow)
    assert sender.sent == 2


async def test_cancelling_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more is sent."""
    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(asyncio, "sleep", sleep)
    sender = Sender([limited(30)])
    task = asyncio.create_task(send_patiently(GetAccount(), sender))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sender.sent == 1


# -- at a real server


@pytest.fixture(name="a_world")
async def _a_world() -> AsyncIterator[World]:
    """A bot that is registered at server a."""
    async with world(default="a") as made:
        await made.bot.sync()
        await made.server.call(GetAccount())
        made.a.clear()
        yield made


FAULTS: dict[str, tuple[Callable[[Any], None], type[Exception]]] = {
    "reset": (lambda server: server.reset_next(times=None), CannotConnect),
    "closed": (lambda server: server.drop_next(times=None), CannotConnect),
    "lost": (lambda server: server.cut_next(times=None), CannotConnect),
    "500": (lambda server: server.reject_next(500, "M_UNKNOWN", times=None), MatrixError),
    "502": (lambda server: server.answer_next(502, "<html>", times=None), MatrixError),
    "429": (lambda server: server.reject_next(429, "M_LIMIT_EXCEEDED", times=None), RateLimited),
    "429 with a hint": (
        lambda server: server.reject_next(429, "M_UNKNOWN", retry_after_ms=10, times=None),
        RateLimited,
    ),
}


@pytest.mark.parametrize("endpoint", [EMAIL, MSISDN])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_server_is_asked_to_send_a_mail_once(
    time: Time, a_world: World, endpoint: Endpoint[Any], fault: str
) -> None:
    """Counted where it arrives: aiohttp does not send it again either."""
    order, error = FAULTS[fault]
    order(a_world.a)
    with pytest.raises(error):
        await a_world.server.call(endpoint)
    assert len(a_world.a.requests) == 1
    assert time.waits == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_server_is_asked_three_times_at_most(
    time: Time, a_world: World, fault: str
) -> None:
    """A GET may arrive twice without harm."""
    order, error = FAULTS[fault]
    order(a_world.a)
    with pytest.raises(error):
        await a_world.server.call(GetVersions())
    assert len(a_world.a.requests) == ATTEMPTS
    assert len(time.waits) == ATTEMPTS - 1


async def test_a_hint_of_a_real_server(time: Time, a_world: World) -> None:
    """By header or body; the header counts."""
    a_world.a.reject_next(429, "M_LIMIT_EXCEEDED", retry_after_ms=2_500)
    a_world.a.reject_next(429, "M_LIMIT_EXCEEDED", headers={"Retry-After": "40"})
    await a_world.server.call(GetVersions())
    assert time.waits == [2.5, 40]
