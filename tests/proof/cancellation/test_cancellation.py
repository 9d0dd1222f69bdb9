"""Whenever a call ends early, nothing is left of it, nothing is half done, and the next works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from nio_identity_server.client.retries import ATTEMPTS
from nio_identity_server.preference.choice import Choice
from tests.bots import world
from tests.proof.cancellation.calls import CALLS, public_calls
from tests.proof.cancellation.ending import Cancelling, Ending, Failing
from tests.proof.cancellation.torture import Torture
from tests.proof.tally import Tally

KNOWN = pytest.mark.parametrize("known", [False, True], ids=["first call", "later call"])


@pytest.fixture(name="tally", scope="module")
def _tally() -> Iterator[Tally]:
    tally = Tally("Cancellation", {"calls": 13, "cancelled at": 400, "failed at": 100})
    yield tally
    tally.write()


@pytest.fixture(name="_no_waits")
def _no_waits_() -> Iterator[None]:
    """Nobody waits between two attempts, but there are as many."""
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


async def _tortured(name: str, ending: Ending, *, known: bool) -> int:
    async with world(default="a") as it:
        it.homeserver.add_identity_server(it.a)
        return await Torture(it, CALLS[name], ending, known).run()


def test_no_call_is_forgotten() -> None:
    """Whoever adds a public call adds it here."""
    assert set(CALLS) == public_calls()


@KNOWN
@pytest.mark.parametrize("name", CALLS)
async def test_cancelled_at_each_step(tally: Tally, name: str, *, known: bool) -> None:
    """Each round of the event loop is a step."""
    tally.add("calls", known)
    tally.add("cancelled at", await _tortured(name, Cancelling(), known=known))


@pytest.mark.usefixtures("_no_waits")
@KNOWN
@pytest.mark.parametrize("arrives", [False, True], ids=["not sent", "answer lost"])
@pytest.mark.parametrize("name", CALLS)
async def test_an_error_at_each_request(
    monkeypatch: pytest.MonkeyPatch, tally: Tally, name: str, *, arrives: bool, known: bool
) -> None:
    """To either server; the request has arrived, or it has not."""
    tally.add("failed at", await _tortured(name, Failing(monkeypatch, arrives), known=known))


@pytest.mark.usefixtures("_no_waits")
async def test_a_belief_that_may_be_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof can fail: here an unknown end of a write is taken for no write."""
    monkeypatch.setattr(Choice, "lost", lambda choice: choice)

    with pytest.raises(AssertionError, match="it believes Chosen"):
        await _tortured("disable", Failing(monkeypatch, arrives=True), known=True)
