from __future__ import annotations

import asyncio
import logging
import tracemalloc
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from itertools import chain, pairwise
from types import SimpleNamespace
from typing import Any, cast

import attrs
import pytest

from nio_identity_server.endpoints.lookup import GetHashDetails, HashDetails
from nio_identity_server.errors import HashingNotSupported, InvalidAddress, MatrixError
from nio_identity_server.flows.directory import Found, look_up
from nio_identity_server.flows.lookup import AT_ONCE, CHUNK, Peppers
from nio_identity_server.hashing import hash_addresses
from nio_identity_server.threepid import ThreePid, email, msisdn
from tests.flows.holding import USER, Server


def addresses(number: int, start: int = 0) -> Iterator[str]:
    """So many texts."""
    return (f"User{each}@Example.org" for each in range(start, start + number))


async def slowly(texts: Iterable[str]) -> AsyncIterator[str]:
    """An async iterable."""
    for text in texts:
        yield text


def stream(
    server: Server, texts: Iterable[Any] | AsyncIterable[Any], invalid: str = "raise"
) -> AsyncIterator[tuple[ThreePid, str]]:
    """Begin to stream."""
    return server.directory(invalid).stream(texts)


@pytest.mark.parametrize(
    ("number", "sizes"),
    [
        (0, []),
        (1, [1]),
        (CHUNK, [CHUNK]),
        (CHUNK + 1, [CHUNK, 1]),
        (12_345, [CHUNK, CHUNK, 2_345]),
    ],
)
async def test_chunks(number: int, sizes: list[int]) -> None:
    """5,000 in a request, however many there are, and each finds its user."""
    server = Server()
    found = await server.directory().find(addresses(number))
    assert server.sizes == sizes
    assert [threepid.address for threepid in found] == [
        text.casefold() for text in addresses(number)
    ]


@pytest.mark.parametrize("kind", ["find", "sync", "async"])
async def test_two_at_once(kind: str) -> None:
    """Proved by letting none of them end: a third is sent when one has been answered."""
    server = Server(holds=True)
    texts = addresses(4 * CHUNK)

    async def work() -> int:
        if kind == "find":
            return len(await server.directory().find(texts))
        given = slowly(texts) if kind == "async" else texts
        return len([each async for each in stream(server, given)])

    task = asyncio.create_task(work())
    await server.held(AT_ONCE)
    server.waiting[0].set_result(None)
    await server.held(AT_ONCE)
    assert len(server.sizes) == AT_ONCE + 1
    server.holds = False
    for waiting in server.waiting:
        waiting.set_result(None)
    assert await task == 4 * CHUNK
    assert server.most == AT_ONCE


async def test_answers_come_in_the_order_of_the_addresses() -> None:
    """Also when the second chunk is answered first."""
    server = Server(holds=True)
    task = asyncio.create_task(_all(stream(server, addresses(2 * CHUNK))))
    await server.held(2)
    server.waiting[1].set_result(None)
    await server.held(1)
    server.waiting[0].set_result(None)
    found = [threepid.address for threepid, _ in await task]
    assert found == [text.casefold() for text in addresses(2 * CHUNK)]


async def test_every_spelling_has_its_answer() -> None:
    """Asked once each, and found by any spelling, as a text or as a ThreePid."""
    server = Server()
    given: list[ThreePid | str] = [
        "Alice@Example.org",
        "alice@example.ORG",
        email("aliCe@example.org"),
        "+44 20",
        "+4420",
    ]
    found = await server.directory().find(given)
    assert server.sizes == [2]
    for spelling in [*given, "ALICE@EXAMPLE.ORG", "+44-20", msisdn("4420")]:
        assert spelling in found
        assert found[spelling] == found.get(spelling) == USER
    assert list(found) == [email("alice@example.org"), msisdn("4420")]
    assert len(found) == 2
    assert dict(found) == {email("alice@example.org"): USER, msisdn("4420"): USER}


async def test_duplicates_are_reported_before_anything_is_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Their number in the log, before there is even a session to ask in."""
    caplog.set_level(logging.INFO, "nio_identity_server")
    said: list[str] = []

    async def begin() -> Any:
        said.extend(record.getMessage() for record in caplog.records)
        raise RuntimeError

    directory = attrs.evolve(Server().directory(), begin=begin)
    with pytest.raises(RuntimeError):
        await directory.find(["canary@example.org", "+1", "Canary@example.org", "+1", "+1"])
    assert {record.name for record in caplog.records} == {"nio_identity_server"}
    assert said == ["2 of the addresses to look up were given more than once"]


async def test_duplicates_are_asked_about_once() -> None:
    """Also when they stand in different chunks; the answer names them and knows each spelling."""
    server = Server()
    given = [*addresses(CHUNK), "USER7@example.org", "+44 20", "+4420", "new@example.org", "+4420"]
    found = await server.directory().find(given)
    assert server.sizes == [CHUNK, 2]
    assert found.duplicates == (email("user7@example.org"), msisdn("4420"))
    assert all(spelling in found for spelling in given)


async def test_no_duplicates_no_report(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is said of a list without any."""
    caplog.set_level(logging.INFO, "nio_identity_server")
    found = await Server().directory().find(["a@b", "+1"])
    assert (found.duplicates, caplog.records) == ((), [])


async def test_who_was_not_found() -> None:
    """Is not in the mapping, and neither is what is no address; the KeyError names nobody."""
    found = await Server({}).directory().find(["canary@example.org"])
    for key in ("canary@example.org", "canary", "", 5, None):
        assert key not in found
        with pytest.raises(KeyError) as caught:
            found[key]  # type: ignore[index]
        assert "canary" not in repr(caught.value)
        assert found.get(key) is None  # type: ignore[arg-type]
        assert found.get(key, "nobody") == "nobody"  # type: ignore[arg-type]
    assert repr(found) == "<Found 0>"
    assert "canary" not in repr(Found({email("canary@example.org"): USER}))


async def test_the_request_does_not_tell_the_order_of_the_book() -> None:
    """The same people in another order are the same request: what is sent depends on hashes only.

    Alphabetical, reversed, and shuffled books differ; a set forgets in which order it was filled,
    up to collisions in it, so few places may differ.
    """
    texts = [f"user{number:04}@example.org" for number in range(2_000)]
    server = Server()
    await server.directory().find(texts)
    await server.directory().find(reversed(texts))
    first, second = server.orders
    in_book = hash_addresses([text.encode() for text in texts], "email", "pepper")
    assert set(first) == set(second) == set(in_book)
    place = {each: number for number, each in enumerate(in_book)}
    ascents = sum(place[a] < place[b] for a, b in pairwise(first))
    assert 0.45 < ascents / len(first) < 0.55
    assert sum(a == b for a, b in zip(first, in_book, strict=True)) < 20


async def test_bad_addresses_are_reported_with_all_positions_before_anything_is_sent() -> None:
    """In all chunks; no server is even looked for."""
    texts = list(addresses(2 * CHUNK + 10))
    bad = [3, CHUNK - 1, CHUNK, 2 * CHUNK + 9]
    for position in bad:
        texts[position] = "canary"
    server = Server()
    with pytest.raises(InvalidAddress) as caught:
        await server.directory().find(texts)
    assert caught.value.positions == tuple(bad)
    assert "canary" not in str(caught.value)
    assert (server.begun, server.sizes) == (0, [])


async def test_bad_addresses_are_skipped_if_one_wishes() -> None:
    """The others are asked about."""
    server = Server()
    given = ["junk", "a@b", "", "+1", "c d@e"]
    found = await server.directory("skip").find(given)
    assert list(found) == [email("a@b"), msisdn("1")]
    assert [threepid async for threepid, _ in stream(server, given, "skip")] == list(found)


async def test_nothing_is_asked_about_nobody() -> None:
    """Neither for an empty list nor for one of junk."""
    server = Server()
    assert len(await server.directory().find([])) == 0
    assert len(await server.directory("skip").find(["junk", ""])) == 0
    assert [each async for each in stream(server, ["junk"], "skip")] == []
    assert server.sizes == []


async def test_a_bad_address_ends_a_stream_when_it_is_reached() -> None:
    """With its position in the whole; what was sent before is answered or given up, not leaked."""
    texts = [*addresses(2 * CHUNK), "junk"]
    server = Server()
    found = []

    async def work() -> None:
        async for each in stream(server, iter(texts)):
            found.append(each)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(InvalidAddress) as caught:
        await work()
    assert caught.value.positions == (2 * CHUNK,)
    assert len(found) >= CHUNK
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_nothing_is_read_behind_a_bad_address_of_a_stream() -> None:
    """It may be endless; whoever feeds it learns of the mistake at once."""
    rest = iter(addresses(CHUNK, start=CHUNK))
    texts = chain(["junk"], addresses(CHUNK - 1), rest)
    with pytest.raises(InvalidAddress):
        await _all(stream(Server(), texts))
    assert next(rest) == f"User{CHUNK}@Example.org"


async def test_a_session_that_has_been_entered_is_asked_in() -> None:
    """Also for a list of one's own making, whose addresses go out hashed only."""
    server = Server()
    session = await server.directory().begin()
    found = await look_up(session, [email("a@b"), msisdn("1")])
    assert dict(found) == {email("a@b"): USER, msisdn("1"): USER}
    assert server.sizes == [2]


async def test_a_session_that_has_been_entered_sends_nothing_in_the_clear() -> None:
    """A server that cannot hash is not asked."""

    async def plain(endpoint: Any) -> Any:
        assert isinstance(endpoint, GetHashDetails)
        return HashDetails("pepper", ("none",))

    session = cast("Any", SimpleNamespace(ask=plain, peppers=Peppers(plain, "https://x")))
    with pytest.raises(HashingNotSupported):
        await look_up(session, [email("a@b")])


@pytest.mark.parametrize("kind", ["find", "stream"])
async def test_one_string_is_a_mistake(kind: str) -> None:
    """Its letters are no addresses."""
    server = Server()
    text = "alice@example.org"
    with pytest.raises(TypeError, match="not one string"):
        await (server.directory().find(text) if kind == "find" else _all(stream(server, text)))
    assert server.begun == 0


def test_invalid_is_raise_or_skip() -> None:
    """Anything else is a mistake of the caller."""
    with pytest.raises(ValueError, match="invalid"):
        Server().directory("ignore")


async def test_leaving_a_stream_early_leaves_nothing_behind() -> None:
    """``break`` (with ``aclosing``): no task, no request, and no more addresses are read."""
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        for text in addresses(100 * CHUNK):
            read += 1
            yield text

    server = Server()
    async with aclosing(cast("Any", stream(server, texts()))) as found:
        async for _ in found:
            server.holds = True
            break
    assert read <= (AT_ONCE + 1) * CHUNK
    assert not server.waiting
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("kind", ["find", "stream"])
async def test_cancelling_leaves_nothing_behind(kind: str) -> None:
    """Both requests that are under way are ended."""
    server = Server(holds=True)
    work = (
        server.directory().find(addresses(3 * CHUNK))
        if kind == "find"
        else _all(stream(server, addresses(3 * CHUNK)))
    )
    task: asyncio.Task[Any] = asyncio.create_task(cast("Any", work))
    await server.held(AT_ONCE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (server.cancelled, server.waiting) == (AT_ONCE, [])
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_error_ends_everything() -> None:
    """The other request is ended, and nothing more is sent."""
    server = Server(holds=True)
    task = asyncio.create_task(server.directory().find(addresses(4 * CHUNK)))
    await server.held(AT_ONCE)
    server.error = MatrixError(403, "M_FORBIDDEN", "no", "https://x")
    server.waiting[0].set_result(None)
    with pytest.raises(MatrixError):
        await task
    assert (server.cancelled, len(server.sizes)) == (1, AT_ONCE)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("kind", [iter, slowly])
async def test_a_stream_takes_constant_memory(kind: Any) -> None:
    """200,000 addresses in less than 10 MiB, from sync and async iterables."""
    server = Server({})
    server.orders = cast("Any", SimpleNamespace(append=lambda _: None))
    await _all(stream(server, addresses(2 * CHUNK)))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        assert await _all(stream(server, kind(addresses(200_000)))) == []
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert sum(server.sizes) == 210_000
    assert peak < 10 * 2**20


async def _all(found: AsyncIterator[tuple[ThreePid, str]]) -> list[tuple[ThreePid, str]]:
    return [each async for each in found]
