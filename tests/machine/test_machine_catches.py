"""The machine can fail: it finds each of these six mistakes, made on purpose."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from nio_identity_server import Disabled, HomeserverError, NotSet, Unconfirmed, Witness
from nio_identity_server.client import observer, reader
from nio_identity_server.client.generation import Generation
from nio_identity_server.client.homeserver import Homeserver
from nio_identity_server.client.reader import Reader
from nio_identity_server.preference.choice import Choice, Standing

from .machine import Machine
from .stage import Stage


def _gate_opens_in_doubt(patch: pytest.MonkeyPatch) -> None:
    """Whatever was known once is acted upon, provisional and doubted or not."""
    patch.setattr(Choice, "is_settled", property(lambda choice: choice.known is not None))
    patch.setattr(Choice, "preference", property(lambda choice: choice.known or Unconfirmed()))


def _null_means_nothing(patch: pytest.MonkeyPatch) -> None:
    """``{"base_url": null}`` is taken for ``{}``."""
    for module in (observer, reader):
        patch.setattr(module, "read_content", _forgiving(module.read_content))


def _forgiving(read: Callable[..., Any]) -> Callable[..., Any]:
    def forgiving(*args: Any) -> Any:
        value = read(*args)
        return NotSet() if value == Disabled() else value

    return forgiving


def _server_errors_are_successes(patch: pytest.MonkeyPatch) -> None:
    """A write that was answered 5xx counts as stored, as nio's ``EmptyResponse`` has it."""
    ask = Homeserver.ask

    async def trusting(self: Homeserver, endpoint: Any) -> Any:
        try:
            return await ask(self, endpoint)
        except HomeserverError as error:
            if endpoint.method == "PUT" and (error.status or 0) >= 500:
                return {}
            raise

    patch.setattr(Homeserver, "ask", trusting)


def _unknown_means_default(patch: pytest.MonkeyPatch) -> None:
    """A read that fails means that there is no event."""
    ask = Reader._ask

    async def guessing(self: Reader) -> Any:
        found = await ask(self)
        return NotSet() if isinstance(found, str) else found

    patch.setattr(Reader, "_ask", guessing)


def _snapshots_are_adopted(patch: pytest.MonkeyPatch) -> None:
    """An initial sync overrules what was confirmed."""
    told = Choice.told

    def trusting(self: Choice, witness: Witness, value: Any) -> Choice:
        if witness is Witness.SNAPSHOT and self.is_settled:
            return attrs.evolve(self, standing=Standing.CONFIRMED, known=value)
        return told(self, witness, value)

    patch.setattr(Choice, "told", trusting)


def _generations_never_end(patch: pytest.MonkeyPatch) -> None:
    """What runs goes on when the choice changes."""
    patch.setattr(Generation, "end", lambda *_: None)


class _Patient(Machine):
    """Goes on until it has found what was expected."""

    expected: str

    @invariant()
    def nothing_was_wrong(self) -> None:
        """The expected verdict has not been given so far."""
        assert not self.stage.has_blamed(self.expected)

    def teardown(self) -> None:
        """Let everything end, whatever is blamed."""
        with contextlib.suppress(AssertionError):
            super().teardown()


@pytest.mark.parametrize(
    ("sabotage", "verdict"),
    [
        (_gate_opens_in_doubt, "was not read again|put in doubt"),
        (_null_means_nothing, "is not what was said last"),
        (_server_errors_are_successes, "nothing was stored"),
        (_unknown_means_default, "nothing is known|put in doubt|is not what was said last"),
        (_snapshots_are_adopted, "put in doubt"),
        (_generations_never_end, "returned: .* is not what was said last"),
    ],
)
def test_a_mistake_is_found(
    monkeypatch: pytest.MonkeyPatch,
    sabotage: Callable[[pytest.MonkeyPatch], None],
    verdict: str,
) -> None:
    """With the mistake in the package, the machine soon blames it for the right thing."""
    sabotage(monkeypatch)

    finds(verdict)


def finds(verdict: str) -> None:
    """Run the machine until it gives a verdict.

    Raises:
        AssertionError: If it never does.
    """
    with Stage() as stage:
        with contextlib.suppress(Exception):  # what counts is the verdict
            run_state_machine_as_test(
                _Patient.on(stage, expected=verdict),
                settings=settings(
                    max_examples=400,
                    stateful_step_count=30,
                    derandomize=True,
                    database=None,
                    deadline=None,
                    phases=[Phase.generate],
                    report_multiple_bugs=False,
                    suppress_health_check=list(HealthCheck),
                ),
            )

        assert stage.has_blamed(verdict), stage.verdicts
