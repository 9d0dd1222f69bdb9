"""How much a server may send, and for how long it may keep us waiting."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import Any

import pytest
from yarl import URL

from nio_identity_server.client import transport as module
from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoint import Endpoint
from nio_identity_server.endpoints.discovery import Ping
from nio_identity_server.errors import BadResponse, CannotConnect, IdentityServerError
from tests.client.transport.stage import (
    BOMB,
    CHUNKED,
    CLOSE,
    MIB,
    OK,
    Quick,
    Small,
    ask,
    failure,
    sorry,
    transport_for,
)
from tests.raw_server import End, RawServer, Repeat, Script, answer


class TestBodies:
    """T26: a body may be as large as the endpoint says and comes as it is."""

    @staticmethod
    async def measured(
        script: Script, endpoint: Endpoint[Any] | None = None
    ) -> IdentityServerError:
        """The error of a request that takes little time and memory and hangs up."""
        async with RawServer(script) as server, transport_for() as transport:
            tracemalloc.start()
            try:
                error = await failure(ask(transport, server, endpoint or Ping()))
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            await server.left()

        assert peak < 8 * MIB
        assert (server.connections, len(server.requests)) == (1, 1)
        return error

    async def test_announced(self) -> None:
        """A body that is announced to be too large is not read at all."""
        error = await self.measured([answer(b"x" * 1000, length=10 * 10**9), End.STALL])

        assert type(error) is BadResponse
        assert "more than 65536 bytes" in str(error)

    async def test_endless_chunks(self) -> None:
        """Chunks without end are cut off at the limit."""
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"

        assert type(await self.measured([CHUNKED, Repeat(chunk)])) is BadResponse

    async def test_tiny_chunks(self) -> None:
        """So are small ones."""
        chunks = b"1\r\n \r\n" * 1000

        assert type(await self.measured([CHUNKED, Repeat(chunks)], Small())) is BadResponse

    async def test_without_length(self) -> None:
        """And what has neither a length nor chunks."""
        assert type(await self.measured([OK + b"\r\n", Repeat(b" " * 0x10000)])) is BadResponse

    async def test_endless_trailers(self) -> None:
        """Trailers after the body without end do not fill the memory."""
        line = b"X: " + b"x" * 1000 + b"\r\n"

        error = await self.measured([CHUNKED + b"2\r\n{}\r\n0\r\n", Repeat(line)])

        assert type(error) is CannotConnect

    async def test_an_endless_chunk_extension(self) -> None:
        """Nor does the extension of a chunk."""
        error = await self.measured([CHUNKED + b"2;", Repeat(b"x" * 1000)], Quick())

        assert type(error) is CannotConnect

    @pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "zstd", "deflate", "identity, gzip"])
    async def test_encoded(self, coding: str) -> None:
        """What was not asked for is not unpacked, bomb or no bomb."""
        head = answer(BOMB, "200 OK", f"Content-Encoding: {coding}", length=10**9)
        error = await self.measured([head, Repeat(BOMB)])

        assert type(error) is BadResponse
        assert "encoded" in str(error)

    async def test_identity_is_no_encoding(self, transport: Transport) -> None:
        """A server may say that it has not encoded the body."""
        script = [answer(b"{}", "200 OK", "Content-Encoding: Identity")]
        async with RawServer(script) as server:
            assert await ask(transport, server) == {}

    async def test_an_encoding_that_is_hidden(self) -> None:
        """A bomb behind a second header is taken for the nonsense that it looks like."""
        twice = ("Content-Encoding: identity", "Content-Encoding: gzip")
        error = await sorry([answer(BOMB, "200 OK", *twice)])

        assert type(error) is BadResponse

    async def test_exactly_the_limit(self, transport: Transport) -> None:
        """The limit itself may be reached."""
        body = b"{" + b" " * (Ping.cap - 2) + b"}"
        async with RawServer([answer(body)], [CHUNKED, b"10000\r\n", body, b"\r\n0\r\n\r\n"]) as (
            server
        ):
            assert await ask(transport, server) == {}
            assert await ask(transport, server) == {}

    async def test_one_byte_more(self) -> None:
        """But not passed, announced or not."""
        body = b"{" + b" " * (Ping.cap - 1) + b"}"

        assert type(await sorry([answer(body)])) is BadResponse
        assert type(await sorry([OK + b"\r\n" + body, CLOSE])) is BadResponse

    async def test_a_huge_error(self) -> None:
        """A refusal of 10 MB is no better."""
        begin = b'{"errcode": "M_FORBIDDEN", "error": "'
        head = answer(begin, "403 Forbidden", length=10 * MIB)
        error = await self.measured([head, Repeat(b"x" * 1000)])

        assert type(error) is BadResponse
        assert vars(error)["status"] == 403

    async def test_a_document(self, transport: Transport) -> None:
        """Documents have a limit as well."""
        async with RawServer([answer(b"x" * 11)]) as server:
            url = URL(f"{server.url}/doc")

            assert (await transport.fetch(url, trusted=True, cap=11)).body == b"x" * 11
            assert type(await failure(transport.fetch(url, trusted=True, cap=10))) is BadResponse


class TestTime:
    """T27: no server can keep us waiting; in more ways in ``tests/proof/fault_matrix``."""

    async def test_a_document(self, monkeypatch: pytest.MonkeyPatch, transport: Transport) -> None:
        """Documents are not waited for any longer."""
        monkeypatch.setattr(module, "READ_TIMEOUT", 0.1)
        async with RawServer([End.STALL]) as server:
            work = transport.fetch(URL(server.url), trusted=True)

            assert type(await failure(work)) is CannotConnect

    async def test_cancelled(self, transport: Transport) -> None:
        """A caller that stops waiting leaves no connection behind."""
        async with RawServer([answer(b"{", length=2), End.STALL]) as server:
            task = asyncio.create_task(ask(transport, server))
            await server.asked()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.left()
