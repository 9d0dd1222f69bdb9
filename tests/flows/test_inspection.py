from __future__ import annotations

from typing import Any, cast

import pytest

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.endpoint import Endpoint, Reply
from nio_identity_server.endpoints.discovery import GetVersions, Ping, Versions
from nio_identity_server.endpoints.terms import Document, GetTerms, Policy, Terms
from nio_identity_server.errors import (
    BadResponse,
    CannotConnect,
    IdentityServerError,
    MatrixError,
    RateLimited,
)
from nio_identity_server.flows.inspection import ServerInfo, inspect

SERVER = parse_base_url("https://id.example.org")
DOCUMENT = Document("Terms", "https://example.org/terms")
GOOD: dict[type[Endpoint[Any]], Any] = {
    Ping: {},
    GetVersions: Versions(("v1.1", "v1.2")),
    GetTerms: Terms({"p": {"version": "1", "en": DOCUMENT}}),
}
POLICIES = (Policy("p", "1", {"en": DOCUMENT}),)


def _matrix_error(status: int, errcode: str = "M_UNRECOGNIZED") -> MatrixError:
    return MatrixError(status, errcode, "no", str(SERVER))


class Script:
    """Answers each request as written down, and keeps what was asked."""

    def __init__(self, **other: Any) -> None:
        self.answers = {cls.__name__: answer for cls, answer in GOOD.items()} | other
        self.asked: list[Endpoint[Any]] = []

    async def __call__(self, endpoint: Endpoint[Reply], /) -> Reply:
        """Give the answer, or raise it."""
        self.asked.append(endpoint)
        answer = self.answers[type(endpoint).__name__]
        if isinstance(answer, Exception):
            raise answer
        return cast("Reply", answer)


async def test_what_a_server_says_of_itself() -> None:
    """A server is pinged, and asked for its versions and its terms."""
    ask = Script()

    assert ServerInfo(SERVER, ("v1.1", "v1.2"), POLICIES) == await inspect(SERVER, ask)
    assert [Ping(), GetVersions(), GetTerms()] == ask.asked


@pytest.mark.parametrize("status", [404, 405])
async def test_a_server_without_versions(status: int) -> None:
    """The request for versions is younger than many servers, so they need not know it."""
    ask = Script(GetVersions=_matrix_error(status))

    assert ServerInfo(SERVER, (), POLICIES) == await inspect(SERVER, ask)


@pytest.mark.parametrize("status", [404, 405])
async def test_a_server_without_terms(status: int) -> None:
    """A server that does not know the request for terms has none."""
    ask = Script(GetTerms=_matrix_error(status))

    assert ServerInfo(SERVER, ("v1.1", "v1.2"), ()) == await inspect(SERVER, ask)


async def test_a_server_with_neither() -> None:
    """A server that only answers the ping is an identity server."""
    ask = Script(GetVersions=_matrix_error(404), GetTerms=_matrix_error(404))

    assert ServerInfo(SERVER, (), ()) == await inspect(SERVER, ask)


@pytest.mark.parametrize(
    "error",
    [
        _matrix_error(404),
        _matrix_error(405),
        _matrix_error(500),
        CannotConnect(str(SERVER), "connection refused"),
        BadResponse(str(SERVER), "the body is not JSON", 200),
    ],
    ids=str,
)
async def test_the_ping_has_to_be_answered(error: IdentityServerError) -> None:
    """What does not answer the ping is no identity server, and is asked nothing more."""
    ask = Script(Ping=error)
    with pytest.raises(type(error)) as caught:
        await inspect(SERVER, ask)

    assert error is caught.value
    assert [Ping()] == ask.asked


@pytest.mark.parametrize("request_", ["GetVersions", "GetTerms"])
@pytest.mark.parametrize(
    "error",
    [
        _matrix_error(400),
        _matrix_error(401, "M_UNAUTHORIZED"),
        _matrix_error(403, "M_FORBIDDEN"),
        _matrix_error(500),
        RateLimited(429, "M_LIMIT_EXCEEDED", "", str(SERVER), 1.0),
        CannotConnect(str(SERVER), "cut"),
        BadResponse(str(SERVER), "the body has the wrong form", 200),
        BadResponse(str(SERVER), "the body is not JSON", 404),
    ],
    ids=str,
)
async def test_other_trouble_is_not_hidden(request_: str, error: IdentityServerError) -> None:
    """Any other failure is the caller's to see, as it came."""
    ask = Script(**{request_: error})
    with pytest.raises(type(error)) as caught:
        await inspect(SERVER, ask)

    assert error is caught.value
    assert request_ == type(ask.asked[-1]).__name__


async def test_nothing_of_the_user_is_sent() -> None:
    """No request of an inspection carries a body or a token."""
    ask = Script()
    await inspect(SERVER, ask)

    assert {(None, False)} == {(asked.body, asked.authenticated) for asked in ask.asked}
