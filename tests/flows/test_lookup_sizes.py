from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server.batch import Batch
from nio_identity_server.endpoints.lookup import LookupUsers, Mappings
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
        CannotConnect(SERVER, "the connection was closed without an answer"),
    ],
)
@pytest.mark.parametrize("limit", [2_500, 1_250, 625])
async def test_a_request_that_is_too_large_is_halved(limit: int, error: Exception) -> None:
    """At most three times; everybody is found, once, and the lesson is not learned twice."""
    script = Script(too_large_above(limit, error))
    lookup = script.lookup()
    found = await lookup.find(emails(5_000))
    assert sorted(threepid.address for threepid, _ in found) == sorted(emails(5_000).emails)
    refused = [each for each in script.lookups if len(each.addresses) > limit]
    assert len(refused) <= 3
    script.asked.clear()
    assert len(await lookup.find(emails(5_000))) == 5_000
    assert [len(each.addresses) for each in script.lookups] == [limit] * (5_000 // limit)


async def test_both_media_are_halved() -> None:
    """Nobody is lost, whatever the mixture."""
    script = Script(too_large_above(700, refusal("M_TOO_LARGE")))
    batch = Batch(emails(2_001).emails, [str(each) for each in range(501)])
    found = await script.lookup().find(batch)
    assert {each for each, _ in found} == {
        *(ThreePid("email", each) for each in batch.emails),
        *(ThreePid("msisdn", each) for each in batch.msisdns),
    }
    assert len(found) == len(batch)


async def test_what_is_always_too_large_is_not_halved_for_ever() -> None:
    """After three halvings the refusal is the answer."""
    script = Script(too_large_above(0, refusal("M_TOO_LARGE")))
    with pytest.raises(MatrixError, match="M_TOO_LARGE"):
        await script.lookup().find(emails(5_000))
    assert [len(each.addresses) for each in script.lookups] == [5_000, 2_500, 1_250, 625]


@pytest.mark.parametrize("number", [1, 2, 3, 624, 625, 1_249])
@pytest.mark.parametrize("error", [refusal("M_TOO_LARGE"), CannotConnect(SERVER, "reset")])
async def test_a_small_request_is_not_halved(number: int, error: Exception) -> None:
    """Its size is no reason: what the server says is the answer, at once."""
    script = Script(too_large_above(0, error))
    with pytest.raises(type(error)):
        await script.lookup().find(emails(number))
    assert [len(each.addresses) for each in script.lookups] == [number]


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
