"""Being known to an identity server: registration, renewal, and whose token goes where."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
import pytest

from nio_identity_server import (
    BadResponse,
    CannotConnect,
    HomeserverError,
    IdentityServerChanged,
    MatrixError,
    MemoryTokenStore,
    RateLimited,
    RegistrationRefused,
    TermsNotSigned,
)
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.endpoints.discovery import Ping
from nio_identity_server.flows.session import Session
from nio_identity_server.secret import Secret
from tests.bots import World, log_in, world

V2 = "/_matrix/identity/v2"
POLICY = {"privacy_policy": {"version": "1", "en": {"name": "Privacy", "url": "https://x.org/p"}}}


def said(server: Any) -> list[str]:
    """What a server was asked, without the prefix, since the last look."""
    paths = [request.path.removeprefix(V2 + "/") for request in server.requests]
    server.requests.clear()
    return paths


def openid_requests(it: World) -> int:
    """How many OpenID tokens were asked for."""
    return len(it.homeserver.seen(path="openid/request_token"))


# -- becoming known


async def test_a_user_becomes_known_in_this_order() -> None:
    """Terms before anything else, an OpenID token, registration, and whose the token is."""
    async with world(default="a") as it:
        account = await it.server.call(GetAccount())
        assert account.user_id == it.alice.user_id
        assert said(it.a) == ["terms", "account/register", "account", "account"]
        await it.server.call(GetAccount())
        assert said(it.a) == ["account"]
        assert openid_requests(it) == 1


async def test_an_endpoint_without_token_registers_nobody() -> None:
    """A ping says nothing of the user."""
    async with world(default="a") as it:
        await it.server.call(Ping())
        assert (said(it.a), openid_requests(it)) == (["/_matrix/identity/v2"], 0)


async def test_one_registration_serves_all_who_wait() -> None:
    """A hundred calls at once cost one OpenID token."""
    async with world(default="a") as it:
        await asyncio.gather(*(it.server.call(GetAccount()) for _ in range(100)))
        assert openid_requests(it) == 1
        assert len(it.a.seen(path="register")) == 1


async def test_a_cancelled_caller_does_not_stop_the_registration() -> None:
    """The others still get their token."""
    async with world(default="a") as it:
        async with it.a.hold(path="register") as hold:
            first = asyncio.create_task(it.server.call(GetAccount()))
            await hold.reached()
            second = asyncio.create_task(it.server.call(GetAccount()))
            await asyncio.sleep(0)
            first.cancel()
            await asyncio.wait([first])
        await second
        assert openid_requests(it) == 1


@pytest.mark.parametrize("key", ["token", "access_token"])
async def test_both_names_of_the_token_are_understood(key: str) -> None:
    """The specification says ``token``; older servers say ``access_token``."""
    async with world(default="a") as it:
        token = it.a.issue_token(it.alice.user_id)
        it.a.answer_next(200, f'{{"{key}": "{token}"}}', path="register")
        assert (await it.server.call(GetAccount())).user_id == it.alice.user_id


@pytest.mark.parametrize("body", [b"{}", b'{"token": ""}', b'{"token": null}', b'{"token": 5}'])
async def test_a_registration_without_a_token_is_a_bad_response(body: bytes) -> None:
    """Nothing goes on without one."""
    async with world(default="a") as it:
        it.a.answer_next(200, body, path="register")
        with pytest.raises(BadResponse):
            await it.server.call(GetAccount())


async def test_a_token_for_somebody_else_is_dropped() -> None:
    """A server that mixes users up must not act for another one."""
    async with world(default="a") as it:
        it.a.answer_next(200, b'{"user_id": "@mallory:example.test"}', path="/account$")
        with pytest.raises(BadResponse, match="another user"):
            await it.server.call(GetAccount())
        await it.server.call(GetAccount())  # registered anew
        assert openid_requests(it) == 2


@pytest.mark.parametrize(("status", "errcode"), [(403, "M_UNAUTHORIZED"), (500, "M_UNKNOWN")])
async def test_a_refused_registration_is_final_and_says_why(status: int, errcode: str) -> None:
    """Asking again does not help: no retry, one request."""
    async with world(default="a") as it:
        it.a.reject_next(status, errcode, "we do not serve this homeserver", path="register")
        with pytest.raises(RegistrationRefused, match="do not serve this homeserver") as caught:
            await it.server.call(GetAccount())
        assert (caught.value.status, caught.value.errcode) == (status, errcode)
        assert "example.test" in str(caught.value)  # whose users, or which homeserver
        assert len(it.a.seen(path="register")) == 1


@pytest.mark.parametrize(("status", "error"), [(503, MatrixError), (429, RateLimited)])
async def test_a_registration_that_is_refused_for_now_is_not_final(
    status: int, error: type[Exception]
) -> None:
    """A proxy's 503 and a 429 say nothing of the user."""
    async with world(default="a") as it:
        it.a.reject_next(status, "M_UNKNOWN", path="register")
        with pytest.raises(error) as caught:
            await it.server.call(GetAccount())
        assert not isinstance(caught.value, RegistrationRefused)


async def test_a_homeserver_that_gives_no_openid_token_is_named() -> None:
    """The identity server is not to blame."""
    async with world(default="a") as it:
        it.homeserver.reject_next(500, "M_UNKNOWN", path="openid")
        with pytest.raises(HomeserverError, match=it.homeserver.url):
            await it.server.call(GetAccount())
        assert said(it.a) == ["terms"]


async def test_an_openid_token_is_used_once() -> None:
    """It has no audience: whoever holds it could register as the user anywhere."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        it.a.revoke_tokens()
        await it.server.call(GetAccount())
        bodies = [request.json["access_token"] for request in it.a.seen(path="register")]
        assert len(set(bodies)) == 2


async def test_the_server_changes_between_the_openid_token_and_the_registration() -> None:
    """The token is not sent to a server that was left."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        async with it.homeserver.hold(path="openid", stage="answer") as hold:
            call = asyncio.create_task(it.server.call(GetAccount()))
            await hold.reached()
            it.other_client_picks(it.b)
            await it.bot.sync()
        with pytest.raises(IdentityServerChanged):
            await call
        assert it.a.seen(path="register") == []
        assert it.b.connections == 0


# -- renewal


async def test_a_refused_token_is_renewed_once_for_all() -> None:
    """401 on any call: register again, repeat once."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        it.a.revoke_tokens()
        await asyncio.gather(*(it.server.call(GetAccount()) for _ in range(20)))
        assert openid_requests(it) == 2


async def test_a_token_that_is_always_refused_is_renewed_once_only() -> None:
    """The error comes out instead of a loop."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        said(it.a)
        it.a.reject_next(401, "M_UNAUTHORIZED", path="/account$", times=None)
        with pytest.raises(MatrixError) as caught:
            await it.server.call(GetAccount())
        assert caught.value.status == 401
        assert said(it.a) == ["account", "terms", "account/register", "account"]


async def test_403_unauthorized_is_no_token_problem() -> None:
    """Sydent says it about what is asked: renewing would go on for ever."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        it.a.reject_next(403, "M_UNAUTHORIZED", path="/account$")
        with pytest.raises(MatrixError):
            await it.server.call(GetAccount())
        assert openid_requests(it) == 1


async def test_a_refusal_that_comes_back_through_the_homeserver_renews_too() -> None:
    """Synapse turns the identity server's 401 into 400 ``M_UNAUTHORIZED``."""
    async with world(default="a") as it:
        session = await it.server._session()
        refused = HomeserverError(400, "M_UNAUTHORIZED", "", it.homeserver.url)
        outcomes: list[Any] = [refused, "done"]
        tokens: list[Secret] = []

        async def work(token: Secret) -> Any:
            tokens.append(token)
            outcome = outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        assert await session.use(work) == "done"
        assert tokens[0] != tokens[1]
        other = HomeserverError(400, "M_UNKNOWN", "", it.homeserver.url)
        outcomes = [other]
        with pytest.raises(HomeserverError):
            await session.use(work)


async def test_terms_and_token_can_both_be_in_the_way_of_one_call() -> None:
    """Each is put right once."""
    async with world(default="a", accept_terms=lambda _: True) as it:
        await it.server.call(GetAccount())
        it.a.revoke_tokens()
        it.a.require_terms(POLICY)
        await it.server.call(GetAccount())
        assert it.a.accepted_terms[it.alice.user_id] == {"https://x.org/p"}


async def test_a_late_refusal_of_the_old_token_does_not_drop_the_new_one() -> None:
    """Two calls with one revoked token; the second hears of it while the first registers."""
    store = MemoryTokenStore()
    async with world(default="a", token_store=store) as it:
        await it.server.call(GetAccount())
        it.a.revoke_tokens()
        async with it.a.hold(path="/account$", stage="answer", times=2) as late:
            calls = [asyncio.create_task(it.server.call(GetAccount())) for _ in range(2)]
            await late.reached(2)
            async with it.a.hold(path="register", stage="answer", times=1) as hold:
                late.release()
                await hold.reached()
        await asyncio.gather(*calls)
        assert store.load(it.alice.user_id, it.a.url) in it.a.live_tokens
        assert openid_requests(it) == 2


# -- whose token goes where


async def test_a_token_never_reaches_another_server() -> None:
    """It belongs to one user, one server and one generation."""
    async with world() as it:
        for server in (it.a, it.b, it.a):
            it.other_client_picks(server)
            await it.bot.sync()
            await it.server.call(GetAccount())
        assert (it.a.foreign_tokens, it.b.foreign_tokens) == ([], [])
        assert openid_requests(it) == 3  # nothing is kept across a change


async def test_another_user_registers_anew() -> None:
    """One client, two users: two tokens."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        log_in(it.bot, it.bob)
        assert (await it.server.call(GetAccount())).user_id == it.bob.user_id


async def test_a_change_stops_a_registration() -> None:
    """Nothing more is sent, and no task is left."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        async with it.a.hold(path="register") as hold:
            call = asyncio.create_task(it.server.call(GetAccount()))
            await hold.reached()
            it.other_client_sets({"base_url": None})
            await it.bot.sync()
            with pytest.raises(IdentityServerChanged):
                await call
            await it.a.wait_for_disconnect()


async def test_closing_the_client_stops_a_registration() -> None:
    """No connection is opened again behind its back."""
    async with world(default="a") as it:
        async with it.a.hold(path="register") as hold:
            call = asyncio.create_task(it.server.call(GetAccount()))
            await hold.reached()
            await it.bot.close()
            with pytest.raises(IdentityServerChanged, match="closed"):
                await call
        assert len(it.a.requests) == 2
        await it.server.call(GetAccount())  # and the client can be used again


async def test_leaving_a_server_logs_the_token_out() -> None:
    """Before the write, best effort; not when the same server is chosen again."""
    async with world(default="a") as it:
        await it.server.set(it.b.url)
        await it.server.call(GetAccount())
        await it.server.set(it.b.url)
        assert len(it.b.live_tokens) == 1
        await it.server.disable()
        assert it.b.live_tokens == set()
        assert it.b.requests[-1].path == f"{V2}/account/logout"


@pytest.mark.parametrize("trouble", ["drop", "refuse"])
async def test_a_server_that_does_not_log_out_does_not_stop_anybody_from_leaving(
    trouble: str,
) -> None:
    """The choice is written all the same."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        if trouble == "drop":
            it.a.drop_next(path="logout", times=None)
        else:
            it.a.reject_next(500, "M_UNKNOWN", path="logout")
        await it.server.disable()
        assert it.writes == [{"base_url": None}]


async def test_a_server_that_hangs_is_left_after_a_short_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The time limit of the logout is not that of other calls."""
    monkeypatch.setattr("nio_identity_server.client.choosing.LOGOUT_TIMEOUT", 0.05)
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        async with it.a.hold(path="logout"):
            await it.server.disable()
        assert it.writes == [{"base_url": None}]


async def test_after_a_refused_write_the_user_becomes_known_again() -> None:
    """The token was given back; the next call gets another one."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        it.homeserver.reject_next(403, method="PUT")
        with pytest.raises(HomeserverError):
            await it.server.disable()
        await it.server.call(GetAccount())
        assert openid_requests(it) == 2


# -- tokens that outlive the process


async def test_a_stored_token_is_used_after_a_restart() -> None:
    """It is checked once, and nobody is registered."""
    store = MemoryTokenStore()
    async with world(default="a", token_store=store) as it:
        await it.server.call(GetAccount())
        restarted = type(it.bot)(
            it.homeserver.url, identity_server_config=it.bot.identity_server_config
        )
        log_in(restarted, it.alice)
        said(it.a)
        await restarted.identity_server.call(GetAccount())
        await restarted.close()
        assert said(it.a) == ["account", "account"]


async def test_a_stored_token_that_is_refused_is_replaced() -> None:
    """It may have been revoked while the bot was down."""
    store = MemoryTokenStore()
    async with world(default="a", token_store=store) as it:
        store.save(it.alice.user_id, it.a.url, "stale")
        await it.server.call(GetAccount())
        assert store.load(it.alice.user_id, it.a.url) in it.a.live_tokens


async def test_a_stored_token_that_cannot_be_checked_is_kept() -> None:
    """A server that is down says nothing about it."""
    store = MemoryTokenStore()
    async with world(default="a", token_store=store) as it:
        token = it.a.issue_token(it.alice.user_id)
        store.save(it.alice.user_id, it.a.url, token)
        it.a.reject_next(404, "M_NOT_FOUND", path="/account$")
        with pytest.raises(MatrixError):
            await it.server.call(GetAccount())
        assert store.load(it.alice.user_id, it.a.url) == token


async def test_a_stored_token_with_new_terms_signs_them_first() -> None:
    """The terms changed while the bot was down."""
    store = MemoryTokenStore()
    async with world(default="a", token_store=store, accept_terms=lambda _: True) as it:
        store.save(it.alice.user_id, it.a.url, it.a.issue_token(it.alice.user_id))
        it.a.require_terms(POLICY)
        await it.server.call(GetAccount())
        assert openid_requests(it) == 0


async def test_a_token_is_forgotten_when_its_server_is_left() -> None:
    """By a change made elsewhere as well as by our own."""
    store = MemoryTokenStore()
    async with world(token_store=store) as it:
        for leave in (lambda: it.other_client_sets({"base_url": None}), it.server.disable):
            it.other_client_picks(it.a)
            await it.bot.sync()
            await it.server.call(GetAccount())
            assert store.load(it.alice.user_id, it.a.url)
            left = leave()
            if left is not None:
                await left
            await it.bot.sync()
            assert store.load(it.alice.user_id, it.a.url) is None


async def test_a_store_that_fails_to_forget_does_not_stop_a_change(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged; the change is followed."""

    class Broken(MemoryTokenStore):
        def save(self, user_id: str, base_url: str, token: str | None) -> None:
            """Fail to forget."""
            if token is None:
                raise OSError("the disk is full")
            super().save(user_id, base_url, token)

    async with world(token_store=Broken()) as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(GetAccount())
        it.other_client_picks(it.b)
        await it.bot.sync()
        await it.server.call(GetAccount())
        assert "token store" in caplog.text
        assert it.b.seen(path="register")


async def test_a_token_of_an_earlier_run_is_given_back_when_the_user_leaves() -> None:
    """Even if no call was made in this one."""
    store = MemoryTokenStore()
    async with world(token_store=store) as it:
        for leave in ("set", "elsewhere"):
            it.other_client_picks(it.a)
            await it.bot.sync()
            await it.server.resolve()
            store.save(it.alice.user_id, it.a.url, it.a.issue_token(it.alice.user_id))
            if leave == "set":
                await it.server.set(it.b.url)
                assert it.a.live_tokens == set()
            else:
                it.other_client_sets({"base_url": None})
            await it.bot.sync()
            assert store.load(it.alice.user_id, it.a.url) is None


async def test_nothing_is_given_back_where_there_is_no_server() -> None:
    """Identity servers were off, or the same is chosen again."""
    async with world(token_store=MemoryTokenStore()) as it:
        it.other_client_sets({"base_url": None})
        await it.bot.sync()
        await it.server.resolve()
        await it.server.set(it.a.url)
        await it.server.set(it.a.url)
        assert it.a.seen(path="logout") == []


async def test_a_store_that_cannot_be_read_keeps_nobody_from_leaving() -> None:
    """The user must be able to say null."""

    class Unreadable(MemoryTokenStore):
        def load(self, *_: str) -> str | None:
            """Refuse, as for a file that others can read."""
            raise PermissionError("chmod 600")

    async with world(default="a", token_store=Unreadable()) as it:
        with pytest.raises(PermissionError):
            await it.server.call(GetAccount())
        await it.server.disable()
        assert it.writes == [{"base_url": None}]


async def test_a_store_that_cannot_be_written_costs_no_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The token lives in memory then; the log says so, without it."""

    class Full(MemoryTokenStore):
        def save(self, *_: str | None) -> None:
            """Refuse."""
            raise OSError("the disk is full")

    async with world(default="a", token_store=Full()) as it:
        await it.server.call(GetAccount())
        assert "in memory only" in caplog.text


# -- odd servers


async def test_a_server_that_wants_terms_signed_but_offers_none_is_a_bad_response() -> None:
    """There is nothing that the user could accept."""
    async with world(default="a") as it:
        it.a.reject_next(403, "M_TERMS_NOT_SIGNED", path="/account$", times=None)
        with pytest.raises(BadResponse, match="offers none"):
            await it.server.call(GetAccount())


async def test_terms_that_are_never_enough_come_out_as_an_error() -> None:
    """Signed once, asked once more, told."""
    async with world(default="a", accept_terms=lambda _: True) as it:
        it.a.require_terms(POLICY)
        await it.server.call(GetAccount())
        said(it.a)
        it.a.reject_next(403, "M_TERMS_NOT_SIGNED", path="/account$", times=None)
        with pytest.raises(MatrixError) as caught:
            await it.server.call(GetAccount())
        assert caught.value.errcode == "M_TERMS_NOT_SIGNED"
        assert said(it.a) == ["account", "terms", "terms", "account"]


async def test_a_dead_server_is_named() -> None:
    """With the reason."""
    async with world(default="a") as it:
        await it.a.stop()
        with pytest.raises(CannotConnect, match=it.a.url):
            await it.server.call(GetAccount())


async def test_a_session_shows_no_token() -> None:
    """Neither its repr nor that of what it holds."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        session = await it.server._session()
        assert isinstance(session, Session)
        (token,) = it.a.live_tokens
        assert token not in repr(session) + repr(attrs.asdict(session, recurse=False))


async def test_pending_terms_come_out_of_any_authenticated_call() -> None:
    """Nothing was registered for it: the server does not know the user yet."""
    async with world(default="a") as it:
        it.a.require_terms(POLICY)
        with pytest.raises(TermsNotSigned):
            await it.server.call(GetAccount())
        assert (said(it.a), openid_requests(it)) == (["terms"], 0)
