"""Leaving, when the homeserver is the one with trouble."""

from __future__ import annotations

import asyncio

import pytest

from nio_identity_server import (
    Disabled,
    HomeserverError,
    IdentityServerChanged,
    InvalidAddress,
    NotConfirmed,
    OutcomeUnknown,
    UnbindNotSupported,
    email,
    msisdn,
)
from tests.bots import DATA, log_in, world
from tests.client.owning.stage import ADDRESS, known, validated


def outcome(report: object) -> list[tuple[str, type | None]]:
    """Each step, and the kind of its error."""
    steps = report.steps  # type: ignore[attr-defined]
    return [(step.name, type(step.error) if step.error else None) for step in steps]


async def test_what_may_be_bound() -> None:
    """What the homeserver lists, what this client bound and what the caller names."""
    async with known() as it:
        for medium, address in (("email", "listed@x.test"), ("msisdn", "49301")):
            it.homeserver.add_threepid(it.alice.user_id, medium, address)
            it.a.bind(medium, address, it.alice.user_id)
        it.homeserver.add_threepid(it.alice.user_id, "email", "unbound@x.test")
        it.homeserver.add_threepid(it.alice.user_id, "m.other", "strange")
        await it.server.bind(await validated(it))
        it.a.bind("email", "named@x.test", it.alice.user_id)
        it.a.bind("email", "others@x.test", it.bob.user_id)

        report = await it.server.leave(unbind=["Named@x.test", "others@x.test"])

        unbound = {step.threepid for step in report.steps if step.name == "unbind"}
        assert unbound == {
            email(ADDRESS),
            email("named@x.test"),
            email("listed@x.test"),
            msisdn("49301"),
        }
        assert all(step.error is None for step in report.steps)
        assert set(it.a.bindings) == {("email", "others@x.test")}
        assert ADDRESS not in repr(report)


async def test_what_was_unbound_before_is_not_unbound_again() -> None:
    """The client remembers what it has unbound as well."""
    async with known() as it:
        await it.server.bind(await validated(it))
        await it.server.unbind(ADDRESS)
        report = await it.server.leave(unbind=True)
        assert outcome(report) == [("list", None), ("logout", None), ("write", None)]


async def test_a_homeserver_that_lists_nothing() -> None:
    """With delegated authentication it has no such list; the rest is done all the same."""
    async with known() as it:
        await it.server.bind(await validated(it))
        it.homeserver.reject_next(404, "M_UNRECOGNIZED", path="account/3pid", method="GET")
        report = await it.server.leave(unbind=True)
        assert outcome(report) == [
            ("list", HomeserverError),
            ("unbind", None),
            ("logout", None),
            ("write", None),
        ]
        assert it.a.bindings == {}
        assert report.left_behind == ()


async def test_a_server_that_cannot_unbind() -> None:
    """It is left all the same, and what is left behind is told."""
    async with known() as it:
        await it.server.bind(await validated(it))
        it.a.supports_unbind = False
        report = await it.server.leave(unbind=True)
        assert ("unbind", UnbindNotSupported) in outcome(report)
        assert report.left_behind == (email(ADDRESS),)
        assert report.has_left


async def test_a_write_that_is_refused() -> None:
    """Then nothing was left, and the report says so."""
    async with known() as it:
        it.homeserver.reject_next(403, "M_FORBIDDEN", method="PUT")
        report = await it.server.leave()
        assert outcome(report) == [("list", None), ("logout", None), ("write", HomeserverError)]
        assert not report.has_left


async def test_a_choice_that_is_not_known() -> None:
    """It can be left even so: what is written does not depend on it."""
    async with world() as it:
        it.homeserver.reject_next(502, "M_UNKNOWN", path=DATA, method="GET", times=None)
        report = await it.server.leave()
        assert outcome(report) == [("list", NotConfirmed), ("logout", None), ("write", None)]
        assert it.server.preference == Disabled()


@pytest.mark.parametrize("limit", [0.0, 0.2])
async def test_the_time_for_unbinding_is_limited(
    monkeypatch: pytest.MonkeyPatch, limit: float
) -> None:
    """However many addresses there are; what was not tried is told as well."""
    monkeypatch.setattr("nio_identity_server.client.leaving.UNBIND_TIMEOUT", limit)
    async with known() as it:
        addresses = [f"{number}@x.test" for number in range(5)]
        for address in addresses:
            it.a.bind("email", address, it.alice.user_id)
        async with it.homeserver.hold(path="3pid/unbind"):
            report = await it.server.leave(unbind=addresses)
        assert outcome(report) == [
            ("list", None),
            *[("unbind", OutcomeUnknown)] * 5,
            ("logout", None),
            ("write", None),
        ]
        assert len(report.left_behind) == 5
        assert len(it.homeserver.seen("POST", "3pid/unbind")) == (limit > 0)


async def test_another_user_who_logs_in_meanwhile_keeps_their_server() -> None:
    """Nothing is written for them, and the report says that nothing was left."""
    async with known() as it:
        async with it.homeserver.hold(path="account/3pid", method="GET") as hold:
            task = asyncio.create_task(it.server.leave(unbind=True))
            await hold.reached()
            log_in(it.bot, it.bob)
            hold.release()
            report = await task
        assert not report.has_left
        assert outcome(report)[-1] == ("write", IdentityServerChanged)
        assert it.writes == []


async def test_a_choice_made_elsewhere_meanwhile_is_kept() -> None:
    """What is chosen now is not what was to be left; it can be left by another call."""
    async with known() as it:
        await it.server.set(it.a.url)
        await it.server.bind(await validated(it))
        it.homeserver.clear()
        async with it.homeserver.hold(path="account/3pid", method="GET") as hold:
            task = asyncio.create_task(it.server.leave(unbind=True))
            await hold.reached()
            it.other_client_picks(it.b)
            await it.bot.sync()
            hold.release()
            report = await task
        assert outcome(report) == [
            ("list", IdentityServerChanged),
            ("unbind", IdentityServerChanged),
            ("write", IdentityServerChanged),
        ]
        assert report.left_behind == (email(ADDRESS),)
        assert it.writes == []


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_bind_whose_end_is_unknown_is_remembered(cancelled: bool) -> None:
    """It may be bound: so it is looked up, and unbound."""
    async with known() as it:
        validation = await validated(it)
        if cancelled:
            async with it.homeserver.hold(path="3pid/bind", stage="answer") as hold:
                task = asyncio.create_task(it.server.bind(validation))
                await hold.reached()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        else:
            it.homeserver.lose_next(path="3pid/bind")
            with pytest.raises(OutcomeUnknown):
                await it.server.bind(validation)
        assert it.a.binding("email", ADDRESS) == it.alice.user_id

        report = await it.server.leave(unbind=True)

        assert it.a.binding("email", ADDRESS) is None
        assert report.left_behind == ()


async def test_what_cannot_be_tried_is_left_behind() -> None:
    """While the choice is not known, what may be bound is told, each with the reason."""
    async with known() as it:
        await it.server.bind(await validated(it))
        account = it.server._accounts.current()
        account.expire()
        it.homeserver.reject_next(502, "M_UNKNOWN", path=DATA, method="GET", times=None)
        account.choice = account.choice.lost()
        report = await it.server.leave(unbind=["named@x.test"])
        assert outcome(report) == [
            ("list", NotConfirmed),
            ("unbind", NotConfirmed),
            ("unbind", NotConfirmed),
            ("logout", None),
            ("write", None),
        ]
        assert set(report.left_behind) == {email(ADDRESS), email("named@x.test")}


class Broken:
    """A token store that fails."""

    def load(self, _user_id: str, _server: str) -> str | None:
        """Fail."""
        raise PermissionError("canary")

    def save(self, _user_id: str, _server: str, _token: str | None) -> None:
        """Fail."""
        raise PermissionError("canary")


async def test_an_application_whose_store_fails() -> None:
    """Nobody is kept from leaving by it."""
    async with world(default="a", token_store=Broken()) as it:
        report = await it.server.leave(unbind=[ADDRESS])
        assert outcome(report)[0] == ("list", PermissionError)
        assert report.has_left
        assert it.writes == [{"base_url": None}]


async def test_a_homeserver_that_does_not_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, and the identity server is asked all the same."""
    monkeypatch.setattr("nio_identity_server.client.leaving.LIST_TIMEOUT", 0.3)
    async with known() as it:
        it.a.bind("email", "others@x.test", it.bob.user_id)
        it.a.bind("email", "own@x.test", it.alice.user_id)
        async with it.homeserver.hold(path="account/3pid", method="GET"):
            report = await it.server.leave(unbind=["others@x.test", "own@x.test"])
        (listing, unbound, *_) = report.steps
        assert it.homeserver.url in str(listing.error)
        assert unbound.threepid == email("own@x.test")
        assert set(it.a.bindings) == {("email", "others@x.test")}


async def test_bad_addresses() -> None:
    """They are noticed before anything is done."""
    async with known() as it:
        with pytest.raises(InvalidAddress):
            await it.server.leave(unbind=["nobody"])
        assert it.a.requests == []
        assert it.writes == []
