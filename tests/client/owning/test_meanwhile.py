"""Another login or another choice in the middle, and servers that repeat what they were sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import attrs
import pytest

from nio_identity_server import (
    HomeserverError,
    IdentityServerChanged,
    IdentityServerError,
    PendingValidation,
    ShareStatus,
    WrongToken,
    email,
)
from tests.bots import log_in
from tests.canaries import assert_no_secret
from tests.client.owning.stage import ADDRESS, known, validated

# -- another login, or another choice, in the middle


async def test_an_answer_that_comes_after_another_login_is_nobodys() -> None:
    """The homeserver has answered alice; bob, who is logged in by then, is not told, nor noted."""
    async with known() as it:
        validation = await validated(it)
        async with it.homeserver.hold(path="3pid/bind", stage="answer") as hold:
            task = asyncio.create_task(it.server.bind(validation))
            await hold.reached()
            log_in(it.bot, it.bob)
            hold.release()
            with pytest.raises(IdentityServerChanged):
                await task
        assert it.server._ledger.bound(it.bob.user_id) == ()
        assert it.server._ledger.bound(it.alice.user_id) == (email(ADDRESS),)


@pytest.mark.parametrize("call", ["invite", "named unbind"])
async def test_what_is_repeated_after_a_429_is_not_sent_for_another_login(call: str) -> None:
    """It would carry the other's access token, and the first one's token of the identity server."""
    async with known() as it:
        path = "/invite" if call == "invite" else "3pid/unbind"
        it.homeserver.reject_next(429, "M_LIMIT_EXCEEDED", path=path, retry_after_ms=200)
        async with it.homeserver.hold(path=path, stage="answer", times=1) as hold:
            work = (
                it.server.invite("!room:x", ADDRESS)
                if call == "invite"
                else it.server.unbind(ADDRESS, server=it.a.url)
            )
            task = asyncio.create_task(work)
            await hold.reached()
            log_in(it.bot, it.bob)
            hold.release()
            with pytest.raises(IdentityServerError):
                await task
        (request,) = it.homeserver.seen("POST", path)
        assert request.bearer == it.alice.access_token


async def test_a_choice_is_not_written_with_the_token_of_another_login() -> None:
    """Not after a 429 either: what one user has chosen is nothing that the other's token may do."""
    async with known() as it:
        it.homeserver.reject_next(429, "M_LIMIT_EXCEEDED", method="PUT", retry_after_ms=200)
        async with it.homeserver.hold(method="PUT", stage="answer", times=1) as hold:
            task = asyncio.create_task(it.server.disable())
            await hold.reached()
            log_in(it.bot, it.bob)
            hold.release()
            with pytest.raises(IdentityServerError):
                await task
        (request,) = it.homeserver.seen("PUT")
        assert request.bearer == it.alice.access_token


async def test_a_homeserver_that_asks_for_no_wait_is_not_hammered() -> None:
    """Between two requests there is a breath."""
    async with known(homeserver_timeout=0.5) as it:
        path = "3pid/unbind"
        it.homeserver.reject_next(429, "M_LIMIT_EXCEEDED", path=path, times=None, retry_after_ms=0)
        with pytest.raises(HomeserverError):
            await it.server.unbind(ADDRESS)
        assert len(it.homeserver.seen("POST", path)) <= 6


async def test_who_was_looked_up_at_one_server_is_not_told_of_another() -> None:
    """The lookup and the answer belong to one server, or nobody is told anything."""
    async with known() as it:
        it.a.bind("email", ADDRESS, it.alice.user_id)
        async with it.a.hold(path="lookup", stage="answer") as hold:
            task = asyncio.create_task(it.server.share_status([ADDRESS]))
            await hold.reached()
            await it.server.set(it.b.url)
            hold.release()
            with pytest.raises(IdentityServerChanged):
                await task


async def test_a_validation_of_another_user() -> None:
    """It is refused, even at the same server; one of an older version, without a name, is not."""
    async with known() as it:
        validation = await validated(it)
        log_in(it.bot, it.bob)
        it.a.clear()
        for call in (
            it.server.bind(validation),
            it.server.submit_token(validation, "1"),
            it.server.resend(validation),
            it.server.wait_until_validated(validation),
        ):
            with pytest.raises(IdentityServerChanged, match="another user"):
                await call
        assert [each for each in it.a.requests if "3pid" in each.path] == []
        log_in(it.bot, it.alice)
        await it.server.bind(attrs.evolve(validation, user_id=""))
        assert it.a.binding("email", ADDRESS) == it.alice.user_id


async def test_a_resumed_validation_is_pending_too() -> None:
    """As soon as it was used."""
    async with known() as it:
        kept = (await it.server.request_token(ADDRESS)).to_json()
        await it.server.set(it.b.url)
        await it.server.set(it.a.url)
        assert (await it.server.share_status([ADDRESS]))[email(ADDRESS)] is ShareStatus.NOBODY
        token = it.a.mails[-1].token
        await it.server.submit_token(PendingValidation.from_json(kept), token)
        assert (await it.server.share_status([ADDRESS]))[email(ADDRESS)] is ShareStatus.PENDING


async def test_share_status_takes_any_iterable() -> None:
    """One that can be read once is read once; one string is a mistake."""
    async with known() as it:
        found = await it.server.share_status(each for each in [ADDRESS])
        assert found == {email(ADDRESS): ShareStatus.NOBODY}
        with pytest.raises(TypeError, match="not one string"):
            await it.server.share_status(ADDRESS)


# -- what a server repeats


async def test_a_server_that_repeats_what_it_was_sent() -> None:
    """Neither server gets a secret or an address into an exception."""
    async with known() as it:
        validation = await validated(it)
        secret, token = validation.client_secret, next(iter(it.a.live_tokens))
        calls: list[tuple[Any, str, Awaitable[Any], list[str]]] = [
            (it.homeserver, "3pid/bind", it.server.bind(validation), [secret, token]),
            (it.homeserver, "3pid/unbind", it.server.unbind(ADDRESS), [ADDRESS]),
            (it.homeserver, "/invite", it.server.invite("!room:x", ADDRESS), [ADDRESS, token]),
            (it.a, "requestToken", it.server.request_token(ADDRESS), [ADDRESS, token]),
            (it.a, "submitToken", it.server.submit_token(validation, "long"), [secret, token]),
        ]
        for server, path, call, sent in calls:
            server.reject_next(400, "M_BAD_JSON", " ".join(sent), path=path)
            with pytest.raises(IdentityServerError) as caught:
                await call
            assert_no_secret(caught.value.with_traceback(None), sent)


async def test_the_words_of_a_server_that_says_no_with_200() -> None:
    """On one line, not too long, with a code that is one, and without what was sent."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        token = next(iter(it.a.live_tokens))
        said = f"{validation.client_secret} {token} \x1b[31m\n" + "x" * 50_000
        body = json.dumps({"success": False, "errcode": "no\ncode", "error": said})
        it.a.answer_next(200, body, path="submitToken")
        with pytest.raises(WrongToken) as caught:
            await it.server.submit_token(validation, "123456")
        assert caught.value.errcode == "M_UNKNOWN"
        assert caught.value.message.isprintable()
        assert len(str(caught.value)) < 1000
        assert_no_secret(caught.value.with_traceback(None), [validation.client_secret, token])
