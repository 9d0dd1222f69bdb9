from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import attrs
import pytest
import stamina

from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.endpoints.discovery import GetVersions
from nio_identity_server.endpoints.homeserver import GetTokenOwner
from nio_identity_server.errors import (
    BadResponse,
    CannotConnect,
    IdentityServerError,
    MatrixError,
    RateLimited,
    RegistrationRefused,
)
from nio_identity_server.testing import MatrixIdentityServer
from tests.bots import World, world

MOST = 4
"""Requests that one endpoint may receive in one call, whatever it answers (the issue's bound)."""

URL = "https://example.org/terms"
TERMS = {"p": {"version": "1", "en": {"name": "Terms", "url": URL}}}


@attrs.frozen
class Trouble:
    """What a server answers to every request.

    Attributes:
        order: Tells a server so.
        error: What the caller sees.
        status: And the status in it, if it has one.
    """

    order: Callable[..., None]
    error: type[IdentityServerError]
    status: int | None = None


def _rejects(status: int, errcode: str, **more: Any) -> Trouble:
    def order(server: MatrixIdentityServer, **scope: Any) -> None:
        server.reject_next(status, errcode, times=None, **more, **scope)

    return Trouble(order, RateLimited if status == 429 else MatrixError, status)


def _answers(status: int, body: bytes, error: type[IdentityServerError]) -> Trouble:
    def order(server: MatrixIdentityServer, **scope: Any) -> None:
        server.answer_next(status, body, content_type="text/html", times=None, **scope)

    return Trouble(order, error, status)


def _resets(server: MatrixIdentityServer, **scope: Any) -> None:
    server.reset_next(times=None, **scope)


TROUBLE = {
    "400 pepper": _rejects(400, "M_INVALID_PEPPER", lookup_pepper="x", algorithm="sha256"),
    "400 too large": _rejects(400, "M_TOO_LARGE"),
    "401": _rejects(401, "M_UNAUTHORIZED"),
    "403": _rejects(403, "M_UNAUTHORIZED"),
    "403 terms": _rejects(403, "M_TERMS_NOT_SIGNED"),
    "404 html": _answers(404, b"<html>No Such Resource", MatrixError),
    "429": _rejects(429, "M_UNKNOWN"),
    "429 hint": _rejects(429, "M_LIMIT_EXCEEDED", retry_after_ms=1),
    "500": _rejects(500, "M_UNKNOWN"),
    "502 html": _answers(502, b"<html>Bad Gateway", MatrixError),
    "200 garbage": _answers(200, b"\xff\x00garbage", BadResponse),
    "reset": Trouble(_resets, CannotConnect),
}
CALLS: dict[str, Callable[[World], Awaitable[object]]] = {
    "versions": lambda it: it.server.call(GetVersions()),
    "account": lambda it: it.server.call(GetAccount()),
    "lookup": lambda it: it.server.lookup(["carol@example.org", "+1"]),
    "large lookup": lambda it: it.server.lookup(f"{each}@x" for each in range(5_000)),
    "pending_terms": lambda it: it.server.pending_terms(),
    "accept_terms": lambda it: it.server.accept_terms([URL]),
    "check": lambda it: it.server.check(it.a.url),
}


@pytest.fixture(name="no_waits", autouse=True)
def _no_waits() -> Iterator[None]:
    """Attempts follow each other at once; there are as many as otherwise."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


@pytest.fixture(name="a_world")
async def _a_world() -> AsyncIterator[World]:
    """A bot that knows that it uses server a, which has terms that nobody has accepted yet."""
    async with world(default="a", accept_terms=lambda _: True) as made:
        made.a.require_terms(TERMS)
        await made.bot.sync()
        await made.server.resolve()
        yield made


async def is_bounded(a_world: World, call: str) -> Exception | None:
    """Make a call, and count what arrives at each endpoint; gives what the call raised."""
    a_world.a.clear()
    raised: Exception | None = None
    try:
        await CALLS[call](a_world)
    except IdentityServerError as error:  # anything else is not ours, and fails the test
        raised = error
    counts: dict[tuple[str, str], int] = {}
    for request in a_world.a.requests:
        endpoint = (request.method, request.path)
        counts[endpoint] = counts.get(endpoint, 0) + 1
    assert all(count <= MOST for count in counts.values()), counts
    return raised


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", TROUBLE)
async def test_every_request_is_answered_with_the_same_error(
    a_world: World, name: str, call: str
) -> None:
    """At most 4 requests in all: no step after the first succeeds, except for 404.

    To the terms, 404 is an answer (there are none), so that registration is tried, and refused;
    for ``check`` and ``pending_terms`` likewise.
    """
    trouble = TROUBLE[name]
    trouble.order(a_world.a)
    raised = await is_bounded(a_world, call)
    assert len(a_world.a.requests) <= MOST
    if name == "404 html" and call == "pending_terms":
        assert raised is None
    elif name == "404 html" and call == "accept_terms":
        assert isinstance(raised, ValueError)  # TermsNotOffered
    else:
        assert type(raised) in {trouble.error, RegistrationRefused}
        assert isinstance(raised, trouble.error)
        assert getattr(raised, "status", None) == trouble.status
    assert a_world.a.tokens == {}


# More than the bound in all, since distinct steps succeed before and between; each step by itself
# keeps it. The most is: 401 at the very last endpoint, where each of two tokens costs terms (2),
# registration, account, and the endpoint itself.
_PARTS = {
    "only lookup": {"path": "v2/lookup"},
    "only hash_details": {"path": "v2/hash_details"},
    "only account": {"path": "v2/account$"},
    "only register": {"path": "v2/account/register"},
    "only signing": {"method": "POST", "path": "v2/terms"},
    "only authenticated": {"path": "v2/(lookup|hash_details|account)$"},
}
MOST_ALTOGETHER = 12


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("part", _PARTS)
@pytest.mark.parametrize("name", TROUBLE)
async def test_some_endpoints_answer_with_the_same_error(
    a_world: World, name: str, part: str, registered: bool
) -> None:
    """At most 4 requests to each endpoint in each call, and one of our exceptions or none."""
    trouble = TROUBLE[name]
    if registered:
        await a_world.server.call(GetAccount())
    trouble.order(a_world.a, **_PARTS[part])
    for call in CALLS:
        raised = await is_bounded(a_world, call)
        assert len(a_world.a.requests) <= MOST_ALTOGETHER
        if call in {"versions", "check"}:
            assert raised is None
        elif raised is not None:
            assert isinstance(raised, trouble.error | BadResponse)


@pytest.mark.parametrize("name", ["401", "403 terms", "400 pepper"])
async def test_what_can_be_mended_is_mended_once(a_world: World, name: str) -> None:
    """One new token, one signature, one new pepper: the same refusal after it is the end."""
    await a_world.server.lookup([])
    await a_world.server.call(GetAccount())
    TROUBLE[name].order(a_world.a, path="v2/lookup")
    raised = await is_bounded(a_world, "lookup")
    assert isinstance(raised, MatrixError)
    assert raised.status == TROUBLE[name].status
    assert len(a_world.a.seen("POST", "v2/lookup")) == 2
    assert len(a_world.a.seen("POST", "account/register")) == (name == "401")
    assert len(a_world.a.seen("POST", "v2/terms")) <= 1
    assert len(a_world.a.seen("GET", "hash_details")) == 1 + (name == "400 pepper")


async def test_mistakes_of_the_caller_are_told_before_anything_is_sent(a_world: World) -> None:
    """An endpoint of the homeserver, and one string in place of several."""
    with pytest.raises(TypeError, match="not for the identity server"):
        await a_world.server.call(GetTokenOwner())
    with pytest.raises(TypeError, match="not one string"):
        await a_world.server.accept_terms(URL)
    assert a_world.a.requests == []
