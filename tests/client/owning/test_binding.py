"""Binding, unbinding, and what a change of the server ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from nio_identity_server import (
    ALL,
    Change,
    HomeserverError,
    IdentityDisabled,
    IdentityServerChanged,
    InvalidAddress,
    MatrixError,
    NotValidated,
    OutcomeUnknown,
    ShareStatus,
    UnbindNotSupported,
    ValidationExpired,
    email,
    msisdn,
)
from tests.bots import world
from tests.canaries import assert_no_secret
from tests.client.owning.stage import ADDRESS, known, validated

# -- binding


async def test_binding_with_a_token_that_was_revoked() -> None:
    """Noticed at the identity server, and renewed once; the homeserver is asked once."""
    async with known() as it:
        validation = await validated(it)
        it.a.revoke_tokens()
        await it.server.bind(validation)
        assert it.a.binding("email", ADDRESS) == it.alice.user_id
        assert len(it.homeserver.seen("POST", "3pid/bind")) == 1


async def test_binding_with_a_token_that_is_revoked_meanwhile() -> None:
    """Synapse makes a 400 of the 401; the token is renewed, and the homeserver asked again."""
    async with known() as it:
        validation = await validated(it)
        async with it.homeserver.hold(path="3pid/bind", times=1) as hold:
            task = asyncio.create_task(it.server.bind(validation))
            await hold.reached()
            it.a.revoke_tokens()
        await task
        assert it.a.binding("email", ADDRESS) == it.alice.user_id
        assert len(it.homeserver.seen("POST", "3pid/bind")) == 2


@pytest.mark.parametrize(
    ("status", "errcode", "kind"),
    [
        (400, "M_SESSION_NOT_VALIDATED", NotValidated),
        (404, "M_NO_VALID_SESSION", ValidationExpired),
        (403, "M_FORBIDDEN", HomeserverError),
        (500, "M_UNKNOWN", OutcomeUnknown),
        (500, "M_EMAIL_SEND_ERROR", OutcomeUnknown),
    ],
)
async def test_refused_binding(status: int, errcode: str, kind: type[Exception]) -> None:
    """What the identity server said is told as its word, anything else as the homeserver's."""
    async with known() as it:
        validation = await validated(it)
        it.homeserver.reject_next(status, errcode, path="3pid/bind")
        with pytest.raises(kind) as caught:
            await it.server.bind(validation)
        assert type(caught.value) is kind
        by_identity_server = isinstance(caught.value, MatrixError)
        expected = it.a.url if by_identity_server else it.homeserver.url
        assert getattr(caught.value, "server", None) == expected


async def test_a_homeserver_without_an_answer() -> None:
    """It may have been bound: said so, and not done again."""
    async with known() as it:
        validation = await validated(it)
        it.homeserver.lose_next(path="3pid/bind")
        with pytest.raises(OutcomeUnknown) as caught:
            await it.server.bind(validation)
        assert len(it.homeserver.seen("POST", "3pid/bind")) == 1
        assert_no_secret(caught.value.with_traceback(None), [validation.client_secret, ADDRESS])


# -- unbinding


@pytest.mark.parametrize("named", [True, False])
async def test_a_server_that_cannot_unbind(named: bool) -> None:
    """It is no success: the address may still be found, and the message says where."""
    async with known() as it:
        await it.server.bind(await validated(it))
        it.a.supports_unbind = False
        with pytest.raises(UnbindNotSupported) as caught:
            await it.server.unbind(ADDRESS, server=it.a.url if named else None)
        assert caught.value.server == it.a.url
        assert it.a.url in str(caught.value)


async def test_unbinding_at_a_past_server() -> None:
    """It needs no identity server of now, and none is spoken to by this client."""
    async with known() as it:
        await it.server.bind(await validated(it))
        await it.server.disable()
        it.a.clear()
        await it.server.unbind(ADDRESS, server=it.a.url)
        assert it.a.binding("email", ADDRESS) is None
        assert all(request.connection == 0 for request in it.a.requests)  # the homeserver's


async def test_unbinding_while_switched_off_needs_a_name() -> None:
    """There is no current server to unbind at."""
    async with known() as it:
        await it.server.disable()
        with pytest.raises(IdentityDisabled):
            await it.server.unbind(ADDRESS)
        with pytest.raises(InvalidAddress):
            await it.server.unbind("nobody", server=it.a.url)


# -- what a change ends


async def test_a_validation_ends_with_its_server() -> None:
    """It is pending no more, and good at no other server; the change says what was dropped."""
    async with known() as it:
        changes: list[Change] = []
        it.server.on_change(changes.append)
        validation = await it.server.request_token(ADDRESS)
        pending = await it.server.share_status([ADDRESS])
        assert pending == {email(ADDRESS): ShareStatus.PENDING}

        async with it.a.hold(path="hash_details|lookup") as hold:
            task = asyncio.create_task(it.server.lookup(["a@b"]))
            await hold.reached()
            await it.server.set(it.b.url)
            with pytest.raises(IdentityServerChanged):
                await task
        await asyncio.sleep(0)

        (change,) = changes
        assert change.dropped is not None
        assert str(change.dropped.base_url) == it.a.url
        assert change.dropped.requests == 1
        assert change.dropped.was_spoken_to
        assert change.dropped.validations == (email(ADDRESS),)
        nobody = await it.server.share_status([ADDRESS])
        assert nobody == {email(ADDRESS): ShareStatus.NOBODY}
        with pytest.raises(IdentityServerChanged, match="another server"):
            await it.server.bind(validation)
        assert it.b.seen("POST", "bind") == []


async def test_nothing_is_dropped_where_nothing_was_in_use() -> None:
    """The first choice ends nothing."""
    async with world() as it:
        changes: list[Change] = []
        it.server.on_change(changes.append)
        await it.server.set(it.a.url)
        await asyncio.sleep(0)
        (change,) = changes
        assert change.dropped is None


async def test_share_status_of_many() -> None:
    """By user ID, and by whatever spelling; bad ones are reported before anything is sent."""
    async with known() as it:
        it.a.bind("email", ADDRESS, it.alice.user_id)
        it.a.bind("msisdn", "49301", it.bob.user_id)
        found = await it.server.share_status([ADDRESS.upper(), "+49 30 1", "c@d"])
        assert found == {
            email(ADDRESS): ShareStatus.MINE,
            msisdn("+49301"): ShareStatus.OTHER,
            email("c@d"): ShareStatus.NOBODY,
        }
        it.a.clear()
        with pytest.raises(InvalidAddress) as caught:
            await it.server.share_status([ADDRESS, "x"])
        assert caught.value.positions == (1,)
        assert it.a.requests == []


@pytest.mark.parametrize("call", ["request_token", "submit_token", "bind", "unbind", "resend"])
async def test_another_user_gets_nothing_of_it(call: str) -> None:
    """Another login ends what runs."""
    async with known() as it:
        validation = await validated(it)
        calls: dict[str, tuple[str, Callable[[], Awaitable[Any]]]] = {
            "request_token": ("a", lambda: it.server.request_token("x@y")),
            "resend": ("a", lambda: it.server.resend(validation)),
            "submit_token": ("a", lambda: it.server.submit_token(validation, "1")),
            "bind": ("homeserver", lambda: it.server.bind(validation)),
            "unbind": ("homeserver", lambda: it.server.unbind(ADDRESS)),
        }
        name, begin = calls[call]
        paths = {"a": "validate/", "homeserver": "3pid/"}
        async with getattr(it, name).hold(path=paths[name]) as hold:
            task: asyncio.Task[Any] = asyncio.ensure_future(begin())
            await hold.reached()
            it.bot.user_id, it.bot.access_token = it.bob.user_id, it.bob.access_token
            assert it.server.preference is not None  # whoever looks notices the other login
            with pytest.raises(IdentityServerChanged):
                await task


def test_all_prints_as_it_is_written() -> None:
    """In a signature, in a log."""
    assert repr(ALL) == "ALL"
