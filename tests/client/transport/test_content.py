"""What a body may hold."""

from __future__ import annotations

import importlib
import json
import pkgutil
import time
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from nio_identity_server import endpoints
from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoint import Endpoint, Receiver
from nio_identity_server.endpoints.discovery import GetVersions
from nio_identity_server.errors import BadResponse
from tests.client.transport.stage import BODY, Large, ask, failure, sorry
from tests.raw_server import RawServer, answer


class TestCharsets:
    """T28: text is UTF-8, whatever a server says."""

    async def test_punycode(self, transport: Transport) -> None:
        """A charset whose decoder takes quadratic time is not looked at."""
        body = json.dumps({"x": "y" * 640_000}).encode()
        kind = "Content-Type: application/json; charset=punycode"
        async with RawServer([answer(body, "200 OK", kind)]) as server:
            await ask(transport, server, Large())  # opens the connection
            began = time.process_time()
            reply = await ask(transport, server, Large())

            assert len(reply["x"]) == 640_000
            assert time.process_time() - began < 0.2

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("{}".encode("utf-16"), id="UTF-16"),
            pytest.param("{}".encode("utf-16-le"), id="UTF-16 without a mark"),
            pytest.param("{}".encode("utf-32"), id="UTF-32"),
            pytest.param(b"\xef\xbb\xbf{}", id="mark"),
            pytest.param(b'{"a": "\xe9"}', id="Latin-1"),
            pytest.param(b'{"a": "\xed\xa0\x80"}', id="surrogate"),
            pytest.param(b'{"a": "\xc0\x80"}', id="overlong"),
        ],
    )
    async def test_not_utf8(self, body: bytes) -> None:
        """Nothing is guessed: only UTF-8 without a mark is text."""
        kind = "Content-Type: application/json; charset=utf-16"
        error = await sorry([answer(body, "200 OK", kind)])

        assert type(error) is BadResponse
        assert vars(error)["status"] == 200


# Threat T29: bodies that no endpoint may take.

BODIES = {
    "nothing": b"",
    "blanks": b" \r\n\t ",
    "cut": b'{"a": 1',
    "cut string": b'{"a": "b',
    "cut literal": b"tru",
    "trailing": b"{} {}",
    "trailing comma": b'{"a": 1,}',
    "no comma": b'{"a": 1 "b": 2}',
    "single quotes": b"{'a': 1}",
    "bare key": b"{a: 1}",
    "comment": b"{} // nothing",
    "NUL": b"{}\x00",
    "control character": b'{"a": "\x01"}',
    "bad escape": b'{"a": "\\x41"}',
    "cut escape": b'{"a": "\\u12"}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": -Infinity}',
    "1e400": b'{"a": 1e400}',
    "leading zero": b'{"a": 01}',
    "plus": b'{"a": +1}',
    "hexadecimal": b'{"a": 0x10}',
    "5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "same key twice": b'{"a": 1, "a": 2}',
    "same key inside": b'{"x": {"a": 1, "a": 1}}',
    "half of a pair": b'{"a": "\\ud800"}',
    "half of a pair as key": b'{"\\udfff": 1}',
    "deep lists": b'{"a": ' + b"[" * 30_000,
    "deep objects": b'{"a":' * 10_000,
    "list": b"[]",
    "string": b'"{}"',
    "null": b"null",
    "number": b"1",
}


def to_identity_servers() -> Iterator[type[Endpoint[Any]]]:
    """Every endpoint of the package that an identity server answers."""
    for found in pkgutil.iter_modules(endpoints.__path__, endpoints.__name__ + "."):
        chapter = importlib.import_module(found.name)
        for kind in vars(chapter).values():
            if (
                isinstance(kind, type)
                and issubclass(kind, Endpoint)
                and kind.__module__ == found.name
                and kind.receiver is Receiver.IDENTITY_SERVER
                and kind.reply is not str  # a page for people
            ):
                yield kind


def example(kind: type[Endpoint[Any]]) -> Endpoint[Any]:
    """A request of this kind, with something in every field that needs it."""
    values = {
        "addresses": [],
        "country": "GB",
        "expires_in": 3600,
        "key_id": "ed25519:0",
        "medium": "email",
        "send_attempt": 1,
    }
    needed = [field for field in attrs.fields(kind) if field.default is attrs.NOTHING]
    return kind(**{field.name: values.get(field.name, "x") for field in needed})


class TestJson:
    @pytest.mark.parametrize(
        "kind", list(to_identity_servers()), ids=lambda kind: str(kind.__name__)
    )
    async def test_bodies(self, transport: Transport, kind: type[Endpoint[Any]]) -> None:
        """T29: none of 33 bad bodies gets through at any endpoint; each is asked for once."""
        assert len(BODIES) == 33
        async with RawServer(*([answer(body)] for body in BODIES.values())) as server:
            outcomes = {
                name: await failure(ask(transport, server, example(kind))) for name in BODIES
            }

            assert {
                name: error for name, error in outcomes.items() if type(error) is not BadResponse
            } == {}
            assert len(BODIES) == len(server.requests)

    async def test_no_part_of_a_body_is_told(self) -> None:
        """T29: what is wrong is said without a word of the body."""
        for body in (f'{{"versions": "{BODY}"}}', f'{{"{BODY}": 1, "{BODY}": 2}}', BODY):
            error = await sorry([answer(body.encode())], GetVersions())

            assert type(error) is BadResponse
