"""The machine finds mistakes in session, terms and lookup too, made on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nio_identity_server.flows.lookup import Lookup
from nio_identity_server.flows.session import Session
from nio_identity_server.flows.terms import agree
from nio_identity_server.secret import Secret
from tests.canaries import Canaries

from .test_machine_catches import finds


def _terms_are_accepted_unasked(patch: pytest.MonkeyPatch) -> None:
    """Nobody is asked about terms."""

    async def eager(line: Any, policies: Any, _accept: Any) -> Any:
        return await agree(line, policies, lambda _: True)

    patch.setattr("nio_identity_server.flows.session.agree", eager)


def _answers_are_kept_for_ever(patch: pytest.MonkeyPatch) -> None:
    """What one server found is answered in place of every other."""
    find, kept = Lookup.find, list[Any]()

    async def forgetful(self: Lookup, batch: Any) -> Any:
        found = await find(self, batch)
        kept.append(found)
        return kept[0]

    patch.setattr(Lookup, "find", forgetful)


def _tokens_go_to_any_server(patch: pytest.MonkeyPatch) -> None:
    """The first token that was ever had is used everywhere."""
    token, kept = Session.token, list[Secret]()

    async def sharing(self: Session) -> Secret:
        kept.append(await token(self))
        return kept[0]

    patch.setattr(Session, "token", sharing)


@pytest.mark.parametrize(
    ("sabotage", "verdict"),
    [
        (_terms_are_accepted_unasked, "was told of"),
        (_answers_are_kept_for_ever, "a lookup at .* found"),
        (_tokens_go_to_any_server, "a token reached"),
    ],
)
def test_a_mistake_is_found(
    monkeypatch: pytest.MonkeyPatch,
    canaries: Canaries,
    sabotage: Callable[[pytest.MonkeyPatch], None],
    verdict: str,
) -> None:
    """With the mistake in the package, the machine soon blames it for the right thing."""
    canaries.excuse("one of the mistakes sends a token astray")
    sabotage(monkeypatch)

    finds(verdict)
