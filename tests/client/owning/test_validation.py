"""Having a token sent, and submitting it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from nio_identity_server import (
    AddressRefused,
    BadResponse,
    CannotConnect,
    IdentityDisabled,
    InvalidAddress,
    MatrixError,
    RateLimited,
    SendingFailed,
    TermsNotSigned,
    ValidationExpired,
    WrongToken,
)
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.testing import MatrixIdentityServer
from tests.bots import world
from tests.canaries import assert_no_secret
from tests.client.owning.stage import ADDRESS, NUMBER, REQUEST, known

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
