"""Requests to the homeserver, through a real nio client on real sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import attrs
import pytest
from nio import AsyncClient, AsyncClientConfig

from nio_identity_server.client import homeserver as module
from nio_identity_server.client.homeserver import Homeserver
from nio_identity_server.endpoint import Endpoint
from nio_identity_server.endpoints.homeserver import (
    GetAccountData,
    GetTokenOwner,
    SetAccountData,
    TokenOwner,
)
from nio_identity_server.errors import HomeserverError, OutcomeUnknown
from nio_identity_server.testing import MatrixHomeserver
from tests.canaries import assert_no_secret
from tests.raw_server import End, RawServer, Repeat, Script, answer, free_port

USER = "@alice/x:example.test"
TOKEN = "canary-homeserver-token"
CONTENT = "canary-account-data"
READ = GetAccountData(USER, "m.identity_server")
WRITE = SetAccountData(USER, "m.identity_server", {"base_url": CONTENT})
MIB = 2**20


@attrs.frozen
class Create(SetAccountData):
    """A write that is never sent twice, not by aiohttp either."""

    method: ClassVar[str] = "POST"


POST = Create(USER, "m.identity_server", {"base_url": CONTENT})


@asynccontextmanager
async def homeserver_at(
    url: str,
    time_limit: float = 5.0,
    token: str | None = TOKEN,
    custom: dict[str, str] | None = None,
) -> AsyncIterator[Homeserver]:
    """The homeserver of a client that is logged in."""
    config = AsyncClientConfig(custom_headers=custom)
    client = AsyncClient(url, USER, config=config)
    client.access_token = token
    try:
        yield Homeserver(client, time_limit)
    finally:
        await client.close()


async def failure(work: Awaitable[object], within: float = 2.0) -> HomeserverError:
    """The exception that comes out: ours, in time, and without a secret."""
    began = time.monotonic()
    with pytest.raises(HomeserverError) as caught:
        async with asyncio.timeout(10):
            await work

    assert time.monotonic() - began < within
    assert_no_secret(caught.value, [TOKEN])
    assert caught.value.__context__ is None
    return caught.value


async def outcome(
    script: Script, endpoint: Endpoint[Any], time_limit: float = 5.0
) -> HomeserverError:
    """What becomes of a request that is answered in this way."""
    async with RawServer(script) as server, homeserver_at(server.url, time_limit) as homeserver:
        error = await failure(homeserver.ask(endpoint))

    assert error.server == server.url
    return error


class TestSuccess:
    async def test_with_a_homeserver(self) -> None:
        """What is written is read again."""
        async with MatrixHomeserver() as server:
            account = server.register("alice")
            async with homeserver_at(server.url, token=account.access_token) as homeserver:
                content = {"base_url": "https://id.example.org"}
                written = SetAccountData(account.user_id, "m.identity_server", content)
                read = GetAccountData(account.user_id, "m.identity_server")

                missing = await failure(homeserver.ask(read))
                assert (missing.status, missing.errcode) == (404, "M_NOT_FOUND")
                assert await homeserver.ask(written) == {}
                assert await homeserver.ask(read) == content
                assert await homeserver.ask(GetTokenOwner()) == TokenOwner(account.user_id)
                assert server.account_data("alice", "m.identity_server") == content

    async def test_what_is_sent(self) -> None:
        """The token of the client goes along, and the path is one segment for each field."""
        async with RawServer([answer()]) as server, homeserver_at(server.url) as homeserver:
            await homeserver.ask(READ)
            await homeserver.ask(WRITE)

        get, put = (request.decode().partition("\r\n\r\n") for request in server.requests)
        path = "/_matrix/client/v3/user/@alice%2Fx:example.test/account_data/m.identity_server"
        assert get[0].splitlines()[0] == f"GET {path} HTTP/1.1"
        assert put[0].splitlines()[0] == f"PUT {path} HTTP/1.1"
        for head, _, _ in (get, put):
            assert head.splitlines().count(f"Authorization: Bearer {TOKEN}") == 1
            assert "Content-Type: application/json" in head.splitlines()
        assert get[2] == ""
        assert json.loads(put[2]) == {"base_url": CONTENT}

    @pytest.mark.parametrize("field", ["..", ".", "a/../b", "..%2f..", "?x", "#x", "%2e%2e"])
    async def test_a_field_that_would_be_a_step(self, field: str) -> None:
        """Whatever a field holds, it is one segment: yarl, below nio, resolves ``%2E%2E``."""
        async with RawServer([answer()]) as server, homeserver_at(server.url) as homeserver:
            try:
                await homeserver.ask(GetAccountData(field, "m.identity_server"))
            except (HomeserverError, ValueError):
                assert server.requests == []

        for request in server.requests:
            target = request.split(b" ")[1]
            assert target.count(b"/") == 7
            assert target.startswith(b"/_matrix/client/v3/user/")
            assert target.endswith(b"/account_data/m.identity_server")

    async def test_the_client_as_it_is_now(self) -> None:
        """A new login is seen at once."""
        async with RawServer([answer()]) as server, homeserver_at(server.url) as homeserver:
            homeserver.client.access_token = "another"
            await homeserver.ask(READ)

            assert b"\r\nAuthorization: Bearer another\r\n" in server.requests[0]

    async def test_custom_headers(self) -> None:
        """Headers that the operator configured in nio go along."""
        async with RawServer([answer()]) as server:
            async with homeserver_at(server.url, custom={"X-Gate": "open"}) as homeserver:
                await homeserver.ask(READ)

            assert b"\r\nX-Gate: open\r\n" in server.requests[0]
            assert f"\r\nAuthorization: Bearer {TOKEN}\r\n".encode() in server.requests[0]

    @pytest.mark.parametrize("kind", ["text/html", "application/json; charset=punycode", ""])
    async def test_whatever_the_label(self, kind: str) -> None:
        """JSON is JSON whatever its label."""
        script = [answer(b'{"a": 1}', "200 OK", f"Content-Type: {kind}")]
        async with RawServer(script) as server, homeserver_at(server.url) as homeserver:
            assert await homeserver.ask(READ) == {"a": 1}

    @pytest.mark.parametrize("content", [None, [], "x", 5, True])
    async def test_a_content_of_any_type(self, content: object) -> None:
        """Account data may be any JSON value: it is there, and unusable."""
        async with (
            RawServer([answer(json.dumps(content).encode())]) as server,
            homeserver_at(server.url) as homeserver,
        ):
            assert await homeserver.ask(READ) == content


class TestNotLoggedIn:
    @pytest.mark.parametrize("token", ["", None])
    @pytest.mark.parametrize("endpoint", [READ, WRITE])
    async def test_nothing_is_sent(self, token: str | None, endpoint: Endpoint[Any]) -> None:
        """Without a token, nothing is asked, and so nothing was written."""
        async with RawServer([answer()]) as server:
            async with homeserver_at(server.url, token=token) as homeserver:
                error = await failure(homeserver.ask(endpoint))

            assert type(error) is HomeserverError
            assert (error.status, error.errcode) == (None, "M_MISSING_TOKEN")
            assert server.connections == 0


UNCLEAR = [
    pytest.param([End.CLOSE], None, id="closed"),
    pytest.param([End.RESET], None, id="reset"),
    pytest.param([b"HTTP/1.1 200 OK\r\nContent-", End.CLOSE], None, id="cut in the headers"),
    pytest.param([b"nonsense\r\n\r\n", End.CLOSE], None, id="garbage"),
    pytest.param([answer(b"{", length=2), End.CLOSE], None, id="cut body"),
    pytest.param([answer(b"{", length=2), End.RESET], None, id="reset in the body"),
    pytest.param([answer(b"{}", "200 OK", "X: " + "x" * 100_000)], None, id="huge header"),
    pytest.param([answer(b"<html></html>")], 200, id="200 with a page"),
    pytest.param([answer(b"")], 200, id="200 with nothing"),
    pytest.param([answer(b"{")], 200, id="200 with half of an object"),
    pytest.param([answer(b"\xff")], 200, id="200 with no UTF-8"),
    pytest.param([answer(status="201 Created")], 201, id="201"),
    pytest.param([answer(status="202 Accepted")], 202, id="202"),
    pytest.param([answer(b"", "204 Empty")], 204, id="204"),
    pytest.param([answer(b"", "101 Switch")], 101, id="101"),
    pytest.param([answer(b"{}", "408 Timeout")], 408, id="408"),
    pytest.param([answer(b'{"errcode": "M_UNKNOWN"}', "500 Oh")], 500, id="500"),
    pytest.param([answer(b"<html>502</html>", "502 Bad Gateway")], 502, id="502 page"),
    pytest.param([answer(b"{}", "502 Bad Gateway")], 502, id="502 that looks like a success"),
    pytest.param([answer(b"", "503 Busy")], 503, id="503"),
    pytest.param([answer(b"{}", "504 Gateway Timeout")], 504, id="504"),
    pytest.param([answer(b"{}", "520 Unknown")], 520, id="520"),
    pytest.param([answer(b"{}", "999 What")], 999, id="999"),
    pytest.param([answer(b"x" * (2 * MIB))], 200, id="huge body"),
]


class TestUnclear:
    """Nobody knows whether a write was carried out; a read can be repeated."""

    @pytest.mark.parametrize(("script", "status"), UNCLEAR)
    @pytest.mark.parametrize("endpoint", [WRITE, POST])
    async def test_of_a_write(
        self, script: Script, status: int | None, endpoint: Endpoint[Any]
    ) -> None:
        """A write has an unknown outcome."""
        error = await outcome(script, endpoint)

        assert type(error) is OutcomeUnknown
        assert error.status == status

    @pytest.mark.parametrize(("script", "status"), UNCLEAR)
    async def test_of_a_read(self, script: Script, status: int | None) -> None:
        """A read has failed."""
        error = await outcome(script, READ)

        assert type(error) is HomeserverError
        assert error.status == status

    @pytest.mark.parametrize("body", [b"[]", b"null", b'"x"'])
    async def test_of_a_write_that_is_confirmed_oddly(self, body: bytes) -> None:
        """A write is confirmed by an object, and by nothing else."""
        assert type(await outcome([answer(body)], WRITE)) is OutcomeUnknown

    @pytest.mark.parametrize(
        "script",
        [
            pytest.param([End.STALL], id="before the answer"),
            pytest.param([answer(b"{", length=2), End.STALL], id="in the body"),
            pytest.param([answer(b"", length=999), Repeat(b" ", 0.01)], id="drip"),
        ],
    )
    @pytest.mark.parametrize(
        ("endpoint", "kind"), [(READ, HomeserverError), (WRITE, OutcomeUnknown)]
    )
    async def test_time(
        self, script: Script, endpoint: Endpoint[Any], kind: type[HomeserverError]
    ) -> None:
        """T27: an answer that does not come is not waited for."""
        async with RawServer(script) as server, homeserver_at(server.url, 0.1) as homeserver:
            error = await failure(homeserver.ask(endpoint))
            await server.left()

        assert type(error) is kind
        assert error.status is None
        assert "(0.1 s at most)" in str(error)
        assert len(server.requests) == 1

    async def test_nobody_there(self) -> None:
        """A homeserver that is down is described; carefully, even of a write."""
        async with homeserver_at(f"http://127.0.0.1:{free_port()}") as homeserver:
            assert type(await failure(homeserver.ask(READ))) is HomeserverError
            error = await failure(homeserver.ask(WRITE))

        assert type(error) is OutcomeUnknown
        assert "cannot connect" in str(error)

    async def test_a_write_is_not_repeated(self) -> None:
        """T35: what cannot be repeated is sent once."""
        async with RawServer([End.CLOSE]) as server, homeserver_at(server.url) as homeserver:
            await failure(homeserver.ask(POST))

        assert len(server.requests) == 1

    @pytest.mark.parametrize("endpoint", [READ, WRITE])
    async def test_an_endless_body(self, endpoint: Endpoint[Any]) -> None:
        """T26: a body has a limit, and beyond it the connection is closed."""
        script: Script = [answer(b"", length=10**10), Repeat(b" " * 10_000)]
        async with RawServer(script) as server, homeserver_at(server.url) as homeserver:
            tracemalloc.start()
            try:
                error = await failure(homeserver.ask(endpoint))
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            await server.left()

        assert peak < 8 * MIB
        assert "too large" in str(error)
        assert len(server.requests) == 1

    async def test_a_bomb(self) -> None:
        """T26: nio accepts compressed answers; the limit is one of what is unpacked."""
        bomb = gzip.compress(b" " * 64 * MIB, 1)
        script = [answer(bomb, "200 OK", "Content-Encoding: gzip")]
        async with RawServer(script) as server, homeserver_at(server.url) as homeserver:
            tracemalloc.start()
            try:
                error = await failure(homeserver.ask(READ))
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()

        assert peak < 8 * MIB
        assert "too large" in str(error)

    async def test_cancelled(self) -> None:
        """A caller that stops waiting leaves no connection behind."""
        script: Script = [answer(b"{", length=2), End.STALL]
        async with RawServer(script) as server, homeserver_at(server.url) as homeserver:
            task = asyncio.create_task(homeserver.ask(WRITE))
            await server.asked()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.left()


REFUSALS = [
    pytest.param(answer(b'{"errcode": "M_BAD_JSON", "error": "No"}', "400 Bad"), 400, id="400"),
    pytest.param(answer(b'{"errcode": "M_UNKNOWN_TOKEN"}', "401 Who"), 401, id="401"),
    pytest.param(answer(b'{"errcode": "M_FORBIDDEN"}', "403 No"), 403, id="403"),
    pytest.param(answer(b"<html>nginx</html>", "403 No"), 403, id="403 page"),
    pytest.param(answer(b'{"errcode": "M_NOT_FOUND"}', "404 No"), 404, id="404"),
    pytest.param(answer(b"<html>nginx</html>", "404 Not Found"), 404, id="404 page"),
    pytest.param(answer(b"{}", "404 Not Found"), 404, id="404 object"),
    pytest.param(answer(b'{"errcode": "M_UNRECOGNIZED"}', "405 No"), 405, id="405"),
    pytest.param(answer(b'{"errcode": "M_TOO_LARGE"}', "413 No"), 413, id="413"),
    pytest.param(answer(b"", "499 Gone"), 499, id="499"),
    pytest.param(answer(b"", "304 Same"), 304, id="304"),
    pytest.param(answer(b"", "300 Choose"), 300, id="300"),
]


class TestRefusals:
    @pytest.mark.parametrize("endpoint", [READ, WRITE])
    @pytest.mark.parametrize(("said", "status"), REFUSALS)
    async def test_refused(self, said: bytes, status: int, endpoint: Endpoint[Any]) -> None:
        """What is refused has not been done."""
        error = await outcome([said], endpoint)

        assert type(error) is HomeserverError
        assert error.status == status
        assert error.retry_after is None
        body = said.partition(b"\r\n\r\n")[2]
        expected = json.loads(body) if body.startswith(b"{") else {}
        assert error.errcode == expected.get("errcode", "M_UNKNOWN")
        assert error.message == expected.get("error", "")


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("endpoint", [READ, WRITE])
    @pytest.mark.parametrize("where", ["same", "other"])
    async def test_followed_by_aiohttp(
        self, status: int, endpoint: Endpoint[Any], where: str
    ) -> None:
        """A 200 from elsewhere is no success, and the token does not go there."""
        async with RawServer([answer()]) as other, RawServer([answer()]) as server:
            target = (server if where == "same" else other).url
            go = answer(b"", f"{status} Go", f"Location: {target}/there")
            server.plays([go], [answer()])
            async with homeserver_at(server.url) as homeserver:
                error = await failure(homeserver.ask(endpoint))

            assert type(error) is HomeserverError
            assert error.status == status
            assert TOKEN.encode() not in other.received

    @pytest.mark.parametrize("status", [302, 307])
    @pytest.mark.parametrize("endpoint", [READ, WRITE])
    async def test_a_loop(self, status: int, endpoint: Endpoint[Any]) -> None:
        """Nor is one that leads back."""
        async with RawServer() as server, homeserver_at(server.url) as homeserver:
            server.plays([answer(b"", f"{status} Go", f"Location: {server.url}/again")])
            error = await failure(homeserver.ask(endpoint))

        assert type(error) is HomeserverError
        assert error.status == status
        assert len(server.requests) <= 11

    @pytest.mark.parametrize(
        "location",
        ["http://[", "http://", "http://a:99999/", "ftp://example.org/", "file:///etc/passwd"],
    )
    @pytest.mark.parametrize("endpoint", [READ, WRITE])
    async def test_to_nothing(self, location: str, endpoint: Endpoint[Any]) -> None:
        """Nor is one that cannot be followed."""
        error = await outcome([answer(b"", "307 Go", f"Location: {location}")], endpoint)

        assert type(error) is HomeserverError
        assert "redirects" in error.message

    @pytest.mark.parametrize("endpoint", [READ, WRITE])
    async def test_without_a_target(self, endpoint: Endpoint[Any]) -> None:
        """Nor is one that leads nowhere."""
        error = await outcome([answer(b"", "307 Go")], endpoint)

        assert type(error) is HomeserverError
        assert error.status == 307

    async def test_to_a_dead_server(self) -> None:
        """Nor is one to where nobody is; of a write, that is not known for sure."""
        go = answer(b"", "307 Go", f"Location: http://127.0.0.1:{free_port()}/")

        assert type(await outcome([go], READ)) is HomeserverError
        assert isinstance(await outcome([go], WRITE), HomeserverError)


def limited(milliseconds: object = None, *headers: str) -> bytes:
    """A 429, perhaps with a hint."""
    body: dict[str, object] = {"errcode": "M_LIMIT_EXCEEDED"}
    if milliseconds is not None:
        body["retry_after_ms"] = milliseconds
    return answer(json.dumps(body).encode(), "429 Slow down", *headers)


class TestPatience:
    @pytest.mark.parametrize("endpoint", [READ, WRITE, POST])
    @pytest.mark.parametrize("hint", [limited(20), limited(0), limited(None, "Retry-After: 0")])
    async def test_within_the_limit(self, endpoint: Endpoint[Any], hint: bytes) -> None:
        """A 429 is waited for, as often as there is time."""
        async with (
            RawServer([hint], [hint], [answer()]) as server,
            homeserver_at(server.url) as homeserver,
        ):
            assert await homeserver.ask(endpoint) == {}
            assert len(server.requests) == 3

    async def test_no_sooner_than_asked(self) -> None:
        """The wait is as long as the homeserver asks for."""
        async with (
            RawServer([limited(30)], [answer()]) as server,
            homeserver_at(server.url) as homeserver,
        ):
            began = time.monotonic()
            await homeserver.ask(READ)

            assert time.monotonic() - began >= 0.03

    async def test_without_a_hint(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a hint, some time is waited."""
        monkeypatch.setattr(module, "_UNHINTED_WAIT", 0.01)
        async with (
            RawServer([limited()], [answer()]) as server,
            homeserver_at(server.url) as homeserver,
        ):
            assert await homeserver.ask(WRITE) == {}

    @pytest.mark.parametrize("endpoint", [READ, WRITE])
    @pytest.mark.parametrize(
        ("hint", "seconds"),
        [
            (limited(60_000), 60.0),
            (limited(None, "Retry-After: 60"), 60.0),
            (limited(1e300), 1e297),
            (limited(), None),
            (limited(-1), None),
            (limited("20"), None),
            (limited(10**400), None),
        ],
    )
    async def test_beyond_the_limit(
        self, endpoint: Endpoint[Any], hint: bytes, seconds: float | None
    ) -> None:
        """A wait that does not fit is a refusal, at once, which tells how long it would be."""
        async with RawServer([hint]) as server, homeserver_at(server.url) as homeserver:
            error = await failure(homeserver.ask(endpoint))

        assert type(error) is HomeserverError
        assert (error.status, error.errcode) == (429, "M_LIMIT_EXCEEDED")
        assert error.retry_after == seconds
        assert len(server.requests) == 1

    async def test_without_end(self) -> None:
        """A homeserver that never stops to say 429 is left in the end (nio would not)."""
        async with (
            RawServer([limited(100)]) as server,
            homeserver_at(server.url, 0.5) as homeserver,
        ):
            error = await failure(homeserver.ask(READ))

        assert type(error) is HomeserverError
        assert 2 <= len(server.requests) <= 6

    async def test_the_wait_counts(self) -> None:
        """Waits and answers share one time limit."""
        async with (
            RawServer([limited(50)], [End.STALL]) as server,
            homeserver_at(server.url, 0.3) as homeserver,
        ):
            error = await failure(homeserver.ask(WRITE))

        assert type(error) is OutcomeUnknown
        assert len(server.requests) == 2


async def test_a_body_that_is_announced_to_be_too_large_is_not_waited_for() -> None:
    """It is not read at all, and the connection is closed."""
    script: Script = [answer(b"{", length=10**10), End.STALL]
    async with RawServer(script) as server, homeserver_at(server.url) as homeserver:
        error = await failure(homeserver.ask(READ))
        await server.left()

    assert "too large" in str(error)


async def test_where_a_redirect_leads_is_not_told() -> None:
    """Not even by the frames of the exception, in which aiohttp's response shows its URL."""
    script = [answer(b"", "307 Elsewhere", "Location: /canary-target")]
    async with RawServer(script, [answer()]) as server, homeserver_at(server.url) as homeserver:
        error = await failure(homeserver.ask(POST))

    assert_no_secret(error, ["canary-target"])


async def test_a_homeserver_that_says_our_token_back_is_not_quoted() -> None:
    """Its words come into the message, but not that one."""
    body = json.dumps({"errcode": "M_UNKNOWN_TOKEN", "error": f"bad {TOKEN}"}).encode()

    assert "bad ***" in str(await outcome([answer(body, "401 No")], READ))
