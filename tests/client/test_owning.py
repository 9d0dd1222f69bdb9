"""The user's own addresses, in front of embedded servers with trouble."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from nio_identity_server import (
    ALL,
    AddressRefused,
    BadResponse,
    CannotConnect,
    Change,
    HomeserverError,
    IdentityDisabled,
    IdentityServerChanged,
    IdentityServerError,
    InvalidAddress,
    MatrixError,
    NotValidated,
    OutcomeUnknown,
    PendingValidation,
    RateLimited,
    SendingFailed,
    ShareStatus,
    TermsNotSigned,
    UnbindNotSupported,
    ValidationExpired,
    WrongToken,
    email,
    msisdn,
)
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.testing import MatrixIdentityServer
from tests.bots import World, log_in, world
from tests.canaries import assert_no_secret

ADDRESS = "canary@example.org"
NUMBER = "+442079460000"
REQUEST = "validate/.*/requestToken"


@asynccontextmanager
async def known(**settings: Any) -> AsyncIterator[World]:
    """Alice is known to server a, which her homeserver knows too."""
    async with world(default="a", **settings) as it:
        it.homeserver.add_identity_server(it.a)
        await it.server.call(GetAccount())
        it.a.clear()
        yield it


async def validated(it: World, address: str = ADDRESS) -> PendingValidation:
    """Validate an address."""
    validation = await it.server.request_token(address)
    await it.server.submit_token(validation, it.a.mails[-1].token)
    return validation


# -- sending


TROUBLE: dict[str, tuple[Callable[[MatrixIdentityServer], object], type[Exception], int]] = {
    "closed": (lambda a: a.drop_next(path=REQUEST), CannotConnect, 0),
    "reset": (lambda a: a.reset_next(path=REQUEST), CannotConnect, 0),
    "500": (lambda a: a.reject_next(500, "M_UNKNOWN", path=REQUEST), MatrixError, 0),
    "502 in HTML": (lambda a: a.answer_next(502, "<html>", path=REQUEST), MatrixError, 0),
    "429": (
        lambda a: a.reject_next(429, "M_LIMIT_EXCEEDED", path=REQUEST, retry_after_ms=1),
        RateLimited,
        0,
    ),
    "not JSON": (lambda a: a.answer_next(200, "{", path=REQUEST), BadResponse, 0),
    "a bad sid": (lambda a: a.answer_next(200, '{"sid":"a b"}', path=REQUEST), BadResponse, 0),
    "sent, then cut": (lambda a: a.lose_next(path=REQUEST), CannotConnect, 1),
}


@pytest.mark.parametrize("again", [False, True], ids=["first", "resend"])
@pytest.mark.parametrize(("break_it", "error", "mails"), TROUBLE.values(), ids=TROUBLE)
async def test_nothing_is_sent_twice(
    break_it: Callable[[MatrixIdentityServer], object],
    error: type[Exception],
    mails: int,
    again: bool,
) -> None:
    """Whatever becomes of the request, the server sees one, and at most one mail goes out."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS) if again else None
        it.a.clear()
        break_it(it.a)
        with pytest.raises(error) as caught:
            await (it.server.resend(validation) if validation else it.server.request_token(ADDRESS))
        assert len(it.a.seen("POST", "requestToken")) == 1
        assert len(it.a.mails) == mails
        assert_no_secret(caught.value.with_traceback(None), [ADDRESS])


async def test_a_cancelled_call_sends_nothing_more() -> None:
    """The request may have arrived; no second one follows."""
    async with known() as it:
        async with it.a.hold(path=REQUEST) as hold:
            task = asyncio.create_task(it.server.request_token(ADDRESS))
            await hold.reached()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await it.server.call(GetAccount())
        assert len(it.a.seen("POST", "requestToken")) == 1


async def test_a_renewed_token_sends_one_mail() -> None:
    """A 401 says that nothing was done, so that the request may follow once more."""
    async with known() as it:
        it.a.revoke_tokens()
        await it.server.request_token(ADDRESS)
        assert len(it.a.mails) == 1


REFUSALS: dict[str, tuple[dict[str, Any], type[MatrixError], str]] = {
    "country": ({"errcode": "M_DESTINATION_REJECTED"}, AddressRefused, "another address"),
    "email": ({"errcode": "M_INVALID_EMAIL"}, AddressRefused, "another address"),
    "address": ({"errcode": "M_INVALID_ADDRESS"}, AddressRefused, "another address"),
    "number": ({"errcode": "M_INVALID_PHONE_NUMBER"}, AddressRefused, "another address"),
    "mail": ({"status": 500, "errcode": "M_EMAIL_SEND_ERROR"}, SendingFailed, "try again later"),
    "sms": ({"errcode": "M_SEND_ERROR"}, SendingFailed, "try again later"),
    "too often": ({"status": 429, "errcode": "M_UNKNOWN"}, RateLimited, "429"),
}


@pytest.mark.parametrize(("refusal", "error", "advice"), REFUSALS.values(), ids=REFUSALS)
async def test_what_a_user_can_cause(
    refusal: dict[str, Any], error: type[MatrixError], advice: str
) -> None:
    """One exception each, with the server's words as attributes, and what to do in the message."""
    async with known() as it:
        it.a.reject_next(**{"status": 400, "error": "Its words.", **refusal}, path=REQUEST)
        with pytest.raises(error) as caught:
            await it.server.request_token(NUMBER, country="GB")
        assert caught.value.errcode == refusal["errcode"]
        assert (caught.value.message, caught.value.server) == ("Its words.", it.a.url)
        assert advice in str(caught.value)


async def test_a_country_that_the_server_does_not_serve() -> None:
    """As Sydent says it."""
    async with known() as it:
        it.a.refused_countries.add("44")
        with pytest.raises(AddressRefused):
            await it.server.request_token(NUMBER, country="GB")
        assert it.a.sms == []


async def test_terms_and_switching_off() -> None:
    """Both are said before anything is sent to the address."""
    async with world(default="a") as it:
        it.a.require_terms({"tos": {"version": "1", "en": {"name": "T", "url": "https://t.test"}}})
        with pytest.raises(TermsNotSigned):
            await it.server.request_token(ADDRESS)
        await it.server.disable()
        with pytest.raises(IdentityDisabled):
            await it.server.request_token(ADDRESS)
        assert it.a.seen("POST", "requestToken") == []


async def test_bad_arguments() -> None:
    """They are noticed before anything is sent."""
    async with known() as it:
        with pytest.raises(InvalidAddress):
            await it.server.request_token("nobody")
        with pytest.raises(ValueError, match="https://"):
            await it.server.request_token(ADDRESS, next_link="javascript:alert(1)")
        with pytest.raises(ValueError, match="country= is needed"):
            await it.server.request_token("+999123456")
        with pytest.raises(ValueError, match="two capital letters"):
            await it.server.request_token(NUMBER, country="gb")
        assert it.a.seen("POST", "requestToken") == []


async def test_what_is_sent() -> None:
    """The canonical address, a secret of its own each time, and the link where it is to lead."""
    async with known() as it:
        await it.server.request_token("Canary@Example.org", next_link="https://bot.test/done")
        await it.server.request_token("+44 20 7946 0000")
        mail, sms = [request.json for request in it.a.seen("POST", "requestToken")]
        assert mail.pop("client_secret") != sms.pop("client_secret")
        assert mail == {
            "email": ADDRESS,
            "send_attempt": 1,
            "next_link": "https://bot.test/done",
        }
        assert sms == {"phone_number": NUMBER, "country": "GB", "send_attempt": 1}


# -- the token that was sent


async def test_a_wrong_token_keeps_the_servers_words() -> None:
    """Also when it says so with HTTP 200, and for a phone number with 404."""
    async with known() as it:
        by_mail = await it.server.request_token(ADDRESS)
        by_sms = await it.server.request_token(NUMBER)
        for validation, status in ((by_mail, 200), (by_sms, 404)):
            with pytest.raises(WrongToken) as caught:
                await it.server.submit_token(validation, "wrong")
            assert (caught.value.status, caught.value.errcode) == (status, "M_NO_VALID_SESSION")
            assert caught.value.message == "No session could be found with this sid"
        await it.server.submit_token(by_mail, it.a.mails[-1].token)
        await it.server.submit_token(by_sms, it.a.sms[-1].token)


async def test_a_failure_without_words() -> None:
    """``success: false`` alone is a failure."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        it.a.answer_next(200, '{"success": false}', path="submitToken")
        with pytest.raises(WrongToken) as caught:
            await it.server.submit_token(validation, "1")
        assert (caught.value.status, caught.value.errcode) == (200, "M_UNKNOWN")


async def test_another_refusal_of_a_token_stays_what_it_is() -> None:
    """Only what means a wrong token becomes one."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        it.a.reject_next(403, "M_FORBIDDEN", path="submitToken")
        with pytest.raises(MatrixError) as caught:
            await it.server.submit_token(validation, "1")
        assert type(caught.value) is MatrixError


@pytest.mark.parametrize("address", [ADDRESS, NUMBER])
async def test_an_expired_validation(address: str) -> None:
    """Everything that is done with it says that it is too late."""
    async with known() as it:
        validation = await it.server.request_token(address)
        it.a.expire_validations()
        for call in (
            it.server.submit_token(validation, "1"),
            it.server.wait_until_validated(validation),
            it.server.bind(validation),
        ):
            with pytest.raises(ValidationExpired) as caught:
                await call
            assert "request_token()" in str(caught.value)


async def test_who_is_not_registered_has_not_typed_a_wrong_token() -> None:
    """A registration can be refused with the same code."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        it.a.revoke_tokens()
        it.a.reject_next(400, "M_INVALID_PARAM", path="account/register")
        with pytest.raises(MatrixError) as caught:
            await it.server.submit_token(validation, it.a.mails[-1].token)
        assert type(caught.value) is MatrixError


# -- waiting


async def test_waiting_outlasts_an_outage() -> None:
    """The server is down, then busy, then it has the answer."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        path = "getValidated3pid"
        it.a.drop_next(path=path, times=3)
        it.a.reject_next(429, "M_LIMIT_EXCEEDED", path=path, times=3, retry_after_ms=1)
        it.a.reject_next(503, "M_UNKNOWN", path=path, times=3)
        await it.server.submit_token(validation, it.a.mails[-1].token)
        await it.server.wait_until_validated(validation, interval=0.001, timeout=70.0)
        assert it.a.faults_left == 0


@pytest.mark.parametrize("trouble", ["dropped", "503", "429"])
async def test_the_last_trouble_is_told_when_the_time_is_over(trouble: str) -> None:
    """Not that the address was not validated, which nobody knows."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        kind: type[IdentityServerError] = MatrixError
        if trouble == "dropped":
            it.a.drop_next(path="getValidated3pid", times=None)
            kind = CannotConnect
        else:
            it.a.reject_next(
                int(trouble), path="getValidated3pid", times=None, retry_after_ms=10**6
            )
        with pytest.raises(kind) as caught:
            await it.server.wait_until_validated(validation, timeout=0.0)
        assert not isinstance(caught.value, NotValidated)


async def test_waiting_ends_with_another_refusal() -> None:
    """Which waiting does not help against."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        it.a.reject_next(403, "M_FORBIDDEN", path="getValidated3pid")
        with pytest.raises(MatrixError, match="M_FORBIDDEN"):
            await it.server.wait_until_validated(validation)


async def test_waiting_ends_with_the_validation() -> None:
    """After 24 hours nobody asks any more, whatever the time limit."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        old = attrs.evolve(validation, changed_at=validation.changed_at - 24 * 3600)
        with pytest.raises(NotValidated):
            await it.server.wait_until_validated(old, timeout=3600.0)


async def test_waiting_ends_when_the_choice_changes() -> None:
    """While it sleeps, too."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        async with it.a.hold(path="getValidated3pid", stage="answer", times=1) as hold:
            task = asyncio.create_task(it.server.wait_until_validated(validation, interval=3600.0))
            await hold.reached()
            hold.release()
        await it.server.set(it.b.url)
        with pytest.raises(IdentityServerChanged):
            await task


@pytest.mark.parametrize(
    "answer",
    [
        '{"medium":"email","address":"other@example.org","validated_at":1}',
        '{"medium":"msisdn","address":"442079460000","validated_at":1}',
        '{"medium":"msisdn","address":"x","validated_at":1}',
    ],
)
async def test_another_address_was_validated(answer: str) -> None:
    """Then the server talks of something else."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        it.a.answer_next(200, answer, path="getValidated3pid")
        with pytest.raises(BadResponse, match="another address"):
            await it.server.wait_until_validated(validation)


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
        secrets = [ADDRESS, validation.client_secret, next(iter(it.a.live_tokens))]
        said = " ".join(secrets)
        calls: list[tuple[Any, str, Awaitable[Any]]] = [
            (it.homeserver, "3pid/bind", it.server.bind(validation)),
            (it.homeserver, "3pid/unbind", it.server.unbind(ADDRESS)),
            (it.homeserver, "/invite", it.server.invite("!room:x", ADDRESS)),
            (it.a, "requestToken", it.server.request_token(ADDRESS)),
            (it.a, "submitToken", it.server.submit_token(validation, "long token")),
        ]
        for server, path, call in calls:
            server.reject_next(400, "M_BAD_JSON", said, path=path)
            with pytest.raises(IdentityServerError) as caught:
                await call
            sent = [each for each in secrets if each.encode() in server.seen("POST", path)[-1].body]
            token = [secrets[2]] if server is it.a else []
            assert_no_secret(caught.value.with_traceback(None), [*sent, *token])


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


# -- waiting keeps time


async def test_waiting_uses_all_of_its_time() -> None:
    """A limit that is shorter than the interval is used up, with one more question at its end."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        it.a.clear()
        began = asyncio.get_running_loop().time()
        with pytest.raises(NotValidated):
            await it.server.wait_until_validated(validation, timeout=0.3, interval=3600.0)
        assert asyncio.get_running_loop().time() - began >= 0.3
        assert len(it.a.seen("GET", "getValidated3pid")) == 2


async def test_a_question_that_is_not_answered_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Soon after the limit, and it is told that the server was silent."""
    monkeypatch.setattr("nio_identity_server.flows.validation._SHORTEST_QUESTION", 0.1)
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        async with it.a.hold(path="getValidated3pid"):
            with pytest.raises(CannotConnect, match="did not answer within"):
                await it.server.wait_until_validated(validation, timeout=0.1)


@pytest.mark.parametrize(
    "keywords",
    [
        {"interval": 0},
        {"interval": -1.0},
        {"interval": float("nan")},
        {"timeout": -1},
        {"timeout": float("nan")},
    ],
)
async def test_times_that_are_none(keywords: dict[str, Any]) -> None:
    """They would be asked without end, or without a pause."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        with pytest.raises(ValueError, match="seconds"):
            await it.server.wait_until_validated(validation, **keywords)
        assert it.a.seen("GET", "getValidated3pid") == []


async def test_waiting_outlasts_a_maintenance_page_and_the_homeserver() -> None:
    """Both are trouble that passes; that the login is over is not."""
    async with known() as it:
        validation = await validated(it)
        it.a.answer_next(200, "<html>", path="getValidated3pid")
        await it.server.wait_until_validated(validation, interval=0.001)
        it.a.revoke_tokens()
        it.homeserver.reject_next(502, "M_UNKNOWN", path="openid", times=1)
        await it.server.wait_until_validated(validation, interval=0.001)
        it.a.revoke_tokens()
        it.homeserver.reject_next(401, "M_UNKNOWN_TOKEN", path="openid", times=1)
        with pytest.raises(HomeserverError, match="M_UNKNOWN_TOKEN"):
            await it.server.wait_until_validated(validation, interval=0.001)


def test_all_prints_as_it_is_written() -> None:
    """In a signature, in a log."""
    assert repr(ALL) == "ALL"
