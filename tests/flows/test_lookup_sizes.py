from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server.batch import Batch
from nio_identity_server.endpoints.lookup import HashDetails, LookupUsers, Mappings
from nio_identity_server.errors import CannotConnect, MatrixError
from nio_identity_server.flows.lookup import Lookup, Peppers
from nio_identity_server.threepid import ThreePid
from tests.flows.script import SERVER, Answer, Script, emails, everybody, refusal, refuse


def too_large_above(limit: int, error: Exception) -> Answer:
    """A server that takes no more than so many addresses."""

    def answer(request: LookupUsers) -> Mappings:
        return refuse(error) if len(request.addresses) > limit else everybody(request)

    return answer


@pytest.mark.parametrize(
    "error",
    [
        refusal("M_TOO_LARGE"),
        refusal("M_UNKNOWN", 413),
        CannotConnect(SERVER, "the connection was closed without an answer", cut=True),
    ],
)
@pytest.mark.parametrize("limit", [2_500, 1_250, 625])
async def test_a_request_that_is_too_large_is_halved(limit: int, error: Exception) -> None:
    """At most three times; everybody is found, once, and the lesson is not learned twice."""
    script = Script(too_large_above(limit, error))
    lookup = script.lookup()
    found = await lookup.find(emails(5_000))
    assert sorted(threepid.address for threepid, _ in found) == sorted(
        each.decode() for each in emails(5_000).emails
    )
    refused = [each for each in script.lookups if len(each.addresses) > limit]
    assert len(refused) <= 3
    script.asked.clear()
    assert len(await lookup.find(emails(5_000))) == 5_000
    assert [len(each.addresses) for each in script.lookups] == [limit] * (5_000 // limit)


async def test_both_media_are_halved() -> None:
    """Nobody is lost, whatever the mixture."""
    script = Script(too_large_above(700, refusal("M_TOO_LARGE")))
    batch = Batch(emails(2_001).emails, [b"%d" % each for each in range(501)])
    found = await script.lookup().find(batch)
    assert {each for each, _ in found} == {
        *(ThreePid("email", each.decode()) for each in batch.emails),
        *(ThreePid("msisdn", each.decode()) for each in batch.msisdns),
    }
    assert len(found) == len(batch)


async def test_what_is_always_too_large_is_not_halved_for_ever() -> None:
    """After three halvings the refusal is the answer."""
    script = Script(too_large_above(0, refusal("M_TOO_LARGE")))
    with pytest.raises(MatrixError, match="M_TOO_LARGE"):
        await script.lookup().find(emails(5_000))
    assert [len(each.addresses) for each in script.lookups] == [5_000, 2_500, 1_250, 625]


@pytest.mark.parametrize("number", [1, 2, 3, 624, 1_249])
async def test_a_small_request_that_is_cut_is_not_halved(number: int) -> None:
    """Its size is no reason: it was sent again by the line, and that is all."""
    script = Script(too_large_above(0, CannotConnect(SERVER, "reset", cut=True)))
    with pytest.raises(CannotConnect):
        await script.lookup().find(emails(number))
    assert [len(each.addresses) for each in script.lookups] == [number]


@pytest.mark.parametrize("number", [5, 5_000])
async def test_a_server_that_cannot_be_reached_is_no_matter_of_size(number: int) -> None:
    """Neither is one that is slow: making the request smaller would only take longer."""
    script = Script(too_large_above(0, CannotConnect(SERVER, "connection refused")))
    with pytest.raises(CannotConnect):
        await script.lookup().find(emails(number))
    assert [len(each.addresses) for each in script.lookups] == [number]


@pytest.mark.parametrize(
    ("number", "sizes"), [(1, [1]), (3, [3, 1]), (1_249, [1_249, 624, 312, 156])]
)
async def test_a_small_request_that_is_said_to_be_too_large_is_halved(
    number: int, sizes: list[int]
) -> None:
    """The server knows; at most three times all the same."""
    script = Script(too_large_above(0, refusal("M_TOO_LARGE")))
    with pytest.raises(MatrixError):
        await script.lookup().find(emails(number))
    assert [len(each.addresses) for each in script.lookups] == sizes


@pytest.mark.parametrize("limit", [1_000, 1_249])
async def test_a_limit_just_below_the_request_is_found(limit: int) -> None:
    """A server with a limit of its own takes half of it."""
    script = Script(too_large_above(limit, refusal("M_TOO_LARGE")))
    assert len(await script.lookup().find(emails(limit + 1))) == limit + 1


async def test_addresses_in_the_clear_stay_within_what_servers_take() -> None:
    """They are longer than hashes: the chunk is cut by its bytes."""
    script = Script(everybody, HashDetails("pepper", ("none",)))
    batch = Batch([b"%0400d@example.org" % each for each in range(5_000)])
    found = await script.lookup(allow_plaintext=True).find(batch)
    assert len(found) == 5_000
    assert max(len(each.payload or b"") for each in script.lookups) <= 460_100


async def test_trouble_before_the_lookup_is_no_matter_of_size() -> None:
    """Getting the pepper (or a token, or terms) with a large chunk in hand: asked once."""
    script = Script()
    asked = 0

    async def ask(_: Any) -> Any:
        nonlocal asked
        asked += 1
        raise CannotConnect(SERVER, "reset")

    with pytest.raises(CannotConnect):
        await Lookup(script, Peppers(ask, SERVER)).find(emails(5_000))
    assert asked == 1
