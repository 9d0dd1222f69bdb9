from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any, cast

import pytest
import stamina

from nio_identity_server import email, msisdn
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.errors import (
    BadResponse,
    CannotConnect,
    HashingNotSupported,
    IdentityServerChanged,
    InvalidAddress,
    MatrixError,
)
from nio_identity_server.flows.lookup import CHUNK
from nio_identity_server.testing import MatrixIdentityServer, Request
from tests.bots import World, world
from tests.vectors.mappings import WRONG_SHAPES

LOOKUP = "v2/lookup"
DETAILS = "v2/hash_details"


@pytest.fixture(name="a_world")
async def _a_world() -> AsyncIterator[World]:
    """A bot that is registered at server a, where carol and a phone of hers are bound."""
    async with world(default="a") as made:
        made.a.bind("email", "carol@example.org", "@carol:x")
        made.a.bind("msisdn", "442079460000", "@carol:x")
        await made.bot.sync()
        await made.server.call(GetAccount())
        made.a.clear()
        yield made


@pytest.fixture(name="no_waits")
def _no_waits() -> Iterator[None]:
    """Attempts follow each other at once."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


def addresses(number: int) -> Iterator[str]:
    """So many texts."""
    return (f"User{each}@Example.org" for each in range(number))


def sizes(server: MatrixIdentityServer) -> list[int]:
    """How many addresses each lookup asked about."""
    return [len(request.json["addresses"]) for request in server.seen("POST", LOOKUP)]


async def test_a_lookup(a_world: World) -> None:
    """By any spelling; the addresses themselves are in no byte that the server received."""
    given = ["Carol@Example.ORG", "carol@example.org", "+44 20 7946 0000", "canary@example.org"]
    found = await a_world.server.lookup(given)
    assert dict(found) == {
        email("carol@example.org"): "@carol:x",
        msisdn("442079460000"): "@carol:x",
    }
    assert [key in found for key in given] == [True, True, True, False]
    for secret in (b"carol@example", b"canary", b"442079460000"):
        assert secret not in a_world.a.raw_bytes
    assert sizes(a_world.a) == [3]


async def test_a_large_lookup(a_world: World) -> None:
    """In chunks, with one pepper; no body is larger than what Sydent takes."""
    found = await a_world.server.lookup([*addresses(12_000), "carol@example.org"])
    assert list(found.values()) == ["@carol:x"]
    assert sizes(a_world.a) == [5_000, 5_000, 2_001]
    assert max(len(request.body) for request in a_world.a.requests) <= 460_100
    assert len(a_world.a.seen("GET", DETAILS)) == 1
    await a_world.server.lookup(["carol@example.org"])
    assert len(a_world.a.seen("GET", DETAILS)) == 1


async def test_nobody(a_world: World) -> None:
    """A lookup of nobody asks nothing."""
    assert len(await a_world.server.lookup([])) == 0
    assert a_world.a.requests == []


async def test_arguments(a_world: World) -> None:
    """Mistakes are told before anything is sent."""
    with pytest.raises(TypeError):
        await a_world.server.lookup("carol@example.org")
    with pytest.raises(TypeError):
        await anext(a_world.server.lookup_stream("carol@example.org"))
    with pytest.raises(ValueError, match="invalid"):
        await a_world.server.lookup([], invalid=cast("Any", "ignore"))
    with pytest.raises(InvalidAddress) as caught:
        await a_world.server.lookup(["a@b", "x", "c@d", ""])
    assert caught.value.positions == (1, 3)
    assert a_world.a.requests == []


async def test_two_requests_at_once(a_world: World) -> None:
    """Proved by holding them: a third comes when one has been answered."""
    async with a_world.a.hold("POST", LOOKUP) as hold:
        task = asyncio.create_task(a_world.server.lookup(addresses(3 * CHUNK)))
        await hold.reached(2)
        await a_world.server.check(a_world.a.url)  # as long as several turns of everything
        assert len(hold.requests) == 2
    await task
    assert sizes(a_world.a) == [CHUNK] * 3


@pytest.mark.parametrize(
    ("times", "sent"), [(1, 2), (2, 4), (None, 6)], ids=["once", "twice", "always"]
)
async def test_a_pepper_that_is_refused(a_world: World, times: int | None, sent: int) -> None:
    """Fetched, once for each chunk that it strikes, and never taken from the error."""
    a_world.a.reject_next(
        400, "M_INVALID_PEPPER", path=LOOKUP, times=times, lookup_pepper="forged", algorithm="none"
    )
    for _ in range(3 if times is None else times):
        if times == 1:
            assert await a_world.server.lookup(["carol@example.org"])
        else:
            with pytest.raises(MatrixError, match="M_INVALID_PEPPER"):
                await a_world.server.lookup(["carol@example.org"])
            times = times and 1
    assert len(a_world.a.seen("POST", LOOKUP)) <= sent
    assert len(a_world.a.seen("GET", DETAILS)) <= sent
    assert {request.json["pepper"] for request in a_world.a.seen("POST", LOOKUP)} == {
        a_world.a.pepper
    }


async def test_a_pepper_that_is_rotated(a_world: World) -> None:
    """Between two lookups: hashed again with the new one, and found."""
    await a_world.server.lookup(["carol@example.org"])
    a_world.a.rotate_pepper("fresh")
    assert await a_world.server.lookup(["carol@example.org"])
    assert len(a_world.a.seen("GET", DETAILS)) == 2
    assert [request.json["pepper"] for request in a_world.a.seen("POST", LOOKUP)][1:] != ["fresh"]


@pytest.mark.parametrize("always", [False, True])
async def test_a_pepper_that_is_rotated_before_each_chunk(a_world: World, always: bool) -> None:
    """Two rotations in one lookup are followed; a server that never stops is not."""
    a_world.a.reject_next(
        400, "M_INVALID_PEPPER", path=LOOKUP, times=None if always else 1, method="POST"
    )
    if always:
        with pytest.raises(MatrixError, match="M_INVALID_PEPPER"):
            await a_world.server.lookup(addresses(10 * CHUNK))
        assert len(a_world.a.seen("POST", LOOKUP)) <= 4
        assert len(a_world.a.seen("GET", DETAILS)) <= 3
    else:
        assert not await a_world.server.lookup(addresses(3 * CHUNK))
        assert len(a_world.a.seen("POST", LOOKUP)) <= 5


PEPPERS: list[Any] = [None, 5, {}, ["p"], "", "x" * 257, "a\nb", "a\0", "\x1b[0m", "\x9f"]


@pytest.mark.parametrize(
    "details",
    [
        {"algorithms": "sha256", "lookup_pepper": "p"},
        {"algorithms": [1], "lookup_pepper": "p"},
        {"algorithms": ["sha256"]},
        {"lookup_pepper": "p"},
        *({"algorithms": ["sha256"], "lookup_pepper": pepper} for pepper in PEPPERS),
    ],
)
async def test_hash_details_that_cannot_be(a_world: World, details: dict[str, Any]) -> None:
    """Of another type, empty, too long or with control characters: nothing is looked up."""
    a_world.a.answer_next(200, json.dumps(details), path=DETAILS)
    with pytest.raises(BadResponse):
        await a_world.server.lookup(["carol@example.org"])
    assert sizes(a_world.a) == []
    assert await a_world.server.lookup(["carol@example.org"])


@pytest.mark.parametrize(
    "algorithms",
    [["none"], [], ["NONE"], ["sha256 "], ["SHA256"], [f"x{each}" for each in range(4_000)]],
)
async def test_nothing_is_sent_in_the_clear(a_world: World, algorithms: list[str]) -> None:
    """Unless the caller allows it, for this call."""
    a_world.a.algorithms[:] = algorithms
    with pytest.raises(HashingNotSupported):
        await a_world.server.lookup(["carol@example.org"])
    assert sizes(a_world.a) == []
    if algorithms == ["none"]:
        found = await a_world.server.lookup(["Carol@example.org", "+1"], allow_plaintext=True)
        assert found["carol@EXAMPLE.org"] == "@carol:x"
        (request,) = a_world.a.seen("POST", LOOKUP)
        assert set(request.json["addresses"]) == {"carol@example.org email", "1 msisdn"}
        with pytest.raises(HashingNotSupported):
            await a_world.server.lookup(["carol@example.org"])


async def test_100_000_algorithms(a_world: World) -> None:
    """More than a reply may hold: refused unread."""
    a_world.a.algorithms[:] = [f"algorithm{each}" for each in range(100_000)]
    with pytest.raises(BadResponse, match="more than 65536 bytes"):
        await a_world.server.lookup(["carol@example.org"])


@pytest.mark.parametrize("mappings", [*WRONG_SHAPES, {"__proto__": "@evil:x"}])
async def test_mappings_of_the_wrong_shape(a_world: World, mappings: Any) -> None:
    """Whatever stands there, it is no result."""
    a_world.a.answer_next(200, json.dumps({"mappings": mappings}), path=LOOKUP)
    with pytest.raises(BadResponse):
        await a_world.server.lookup(["carol@example.org"])


@pytest.mark.parametrize("how", ["M_TOO_LARGE", "413", "reset", "reset by size"])
async def test_a_large_request_is_halved(a_world: World, how: str) -> None:
    """Twice, and everybody is found."""
    if how == "reset by size":
        a_world.a.max_body = 70_000
    elif how == "reset":
        a_world.a.reset_next(path=LOOKUP)
    elif how == "413":
        a_world.a.answer_next(413, "<html>", content_type="text/html", path=LOOKUP)
    else:
        a_world.a.reject_next(400, how, path=LOOKUP)
    given = [*addresses(4_999), "carol@example.org"]
    assert (await a_world.server.lookup(given))["carol@example.org"] == "@carol:x"
    if how == "reset by size":  # what was cut off is no JSON
        requests = a_world.a.seen("POST", LOOKUP)
        a_world.a.requests = [each for each in requests if len(each.body) <= a_world.a.max_body]
        assert sizes(a_world.a) == [1_250] * 4
    else:
        assert sizes(a_world.a) == [5_000, 2_500, 2_500]


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize("number", [1, 624])
async def test_a_small_request_that_is_reset(a_world: World, number: int) -> None:
    """Is sent again a few times, not halved."""
    a_world.a.reset_next(path=LOOKUP, times=None)
    with pytest.raises(CannotConnect):
        await a_world.server.lookup(addresses(number))
    assert sizes(a_world.a) == [number] * 3


async def test_a_change_in_the_middle(a_world: World) -> None:
    """Ends it at once, ends its requests, and no chunk is sent to either server any more."""
    async with a_world.a.hold("POST", LOOKUP) as hold:
        task = asyncio.create_task(a_world.server.lookup(addresses(10 * CHUNK)))
        await hold.reached(2)
        a_world.other_client_sets({"base_url": None})
        await a_world.bot.sync(timeout=0)
        began = time.perf_counter()
        with pytest.raises(IdentityServerChanged):
            await task
        assert time.perf_counter() - began < 0.1
        await a_world.a.wait_for_disconnect(2)
    assert sizes(a_world.a) == [CHUNK] * 2


async def test_a_stream(a_world: World) -> None:
    """From sync and async iterables alike."""

    async def slowly() -> AsyncIterator[str]:
        for text in ("carol@example.org", "dave@example.org"):
            yield text

    for given in (slowly(), ["carol@example.org", "dave@example.org"]):
        found = [each async for each in a_world.server.lookup_stream(given)]
        assert found == [(email("carol@example.org"), "@carol:x")]


async def test_leaving_a_stream_ends_its_requests(a_world: World) -> None:
    """The server sees the clients go; no task is left that was not there before."""
    before = asyncio.all_tasks()
    given = ["carol@example.org", *addresses(5 * CHUNK)]
    held: list[Request] = []
    async with aclosing(cast("Any", a_world.server.lookup_stream(given))) as found:
        async for _ in found:
            break
        held = a_world.a.seen("POST", LOOKUP)
    assert len(held) <= 3
    assert not [task for task in asyncio.all_tasks() - before if "Lookup" in repr(task)]


async def test_cancelling_a_lookup_ends_its_requests(a_world: World) -> None:
    """The server sees both clients go, and the next lookup is answered."""
    async with a_world.a.hold("POST", LOOKUP) as hold:
        task = asyncio.create_task(a_world.server.lookup(addresses(3 * CHUNK)))
        await hold.reached(2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await a_world.a.wait_for_disconnect(2)
    assert await a_world.server.lookup(["carol@example.org"])
