"""Leaving an identity server carefully, whatever state it is in."""

from __future__ import annotations

import re
import time

import pytest

from nio_identity_server import ALL, Disabled, ThreePid, email
from tests.scenarios.cast import Cast, Role
from tests.scenarios.test_own_addresses import bind


def failures(report: object) -> list[str]:
    """The names of the steps that failed."""
    return [step.name for step in report.steps if step.error is not None]  # type: ignore[attr-defined]


async def bound(cast: Cast, role: Role, number: int = 1) -> list[ThreePid]:
    """Bind some addresses."""
    threepids = [email(cast.address()) for _ in range(number)]
    for threepid in threepids:
        await bind(role, threepid)
    return threepids


@pytest.mark.parametrize("unbind", [True, False])
async def test_with_bound_addresses(cast: Cast, unbind: bool) -> None:
    """They are listed, and unbound if asked; then nothing is chosen any more."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    threepids = await bound(cast, alice, 2)
    others = await bound(cast, bob)

    report = await alice.server.leave(unbind=[others[0], *threepids] if unbind else False)

    names = ["list", *["unbind"] * 2 * unbind, "logout", "write"]
    assert [step.name for step in report.steps] == names
    assert failures(report) == []
    assert report.has_left
    assert set(report.left_behind) == (set() if unbind else set(threepids))
    assert alice.server.preference == Disabled()
    assert await alice.other_client.read() == {"base_url": None}
    found = set(await bob.server.lookup([*threepids, *others]))
    assert found == (set(others) if unbind else {*threepids, *others})


async def test_a_new_process_knows_from_the_caller(cast: Cast) -> None:
    """What another process has bound is found if the caller names it."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    threepids = await bound(cast, alice)
    twin = cast.twin(alice)
    nobody = email(cast.address())

    report = await twin.server.leave(unbind=[*threepids, nobody])

    assert [step.threepid for step in report.steps if step.name == "unbind"] == threepids
    assert failures(report) == []
    assert dict(await bob.server.lookup(threepids)) == {}


async def test_a_stopped_server(cast: Cast) -> None:
    """Only what needs it fails; the choice is written, and the address unbound later."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    threepids = await bound(cast, alice)
    await cast.stage.stop_identity_server()
    try:
        report = await alice.server.leave(unbind=True)
    finally:
        await cast.stage.start_identity_server()

    assert report.has_left
    assert failures(report) == ["list", "unbind", "logout"]
    assert list(report.left_behind) == threepids
    assert alice.server.preference == Disabled()
    told = [str(step.error) for step in report.steps if step.error]
    assert all(re.search("no answer from https://localhost|homeserver http", each) for each in told)

    await alice.server.unbind(threepids[0], server=ALL)
    assert dict(await bob.server.lookup(threepids)) == {}


async def test_a_server_that_hangs(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step has its time; then it goes on."""
    alice = await cast.role("alice", homeserver_timeout=3.0)
    threepids = await bound(cast, alice, 3)
    monkeypatch.setattr("nio_identity_server.client.leaving.LIST_TIMEOUT", 1.0)
    monkeypatch.setattr("nio_identity_server.client.leaving.UNBIND_TIMEOUT", 1.0)
    monkeypatch.setattr("nio_identity_server.client.choosing.LOGOUT_TIMEOUT", 1.0)
    await cast.stage.hang_identity_server()
    began = time.monotonic()
    try:
        report = await alice.server.leave(unbind=True)
    finally:
        await cast.stage.wake_identity_server()

    assert time.monotonic() - began < 10
    assert report.has_left
    assert failures(report) == ["list", "unbind", "unbind", "unbind", "logout"]
    assert list(report.left_behind) == threepids
    assert alice.server.preference == Disabled()


async def test_with_nothing_to_leave(cast: Cast) -> None:
    """Who has switched identity servers off already leaves without any trouble."""
    alice = await cast.role("alice")
    await alice.server.disable()
    cast.stage.identity_server.clear()

    report = await alice.server.leave(unbind=True)

    assert failures(report) == []
    assert report.has_left
    assert cast.stage.identity_server.requests == []
