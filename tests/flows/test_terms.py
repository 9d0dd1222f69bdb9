"""Accepting terms: asked before anything is said, once for all of the user's clients."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nio_identity_server import (
    BadResponse,
    IdentityServerChanged,
    MatrixError,
    MemoryTokenStore,
    Policy,
    TermsNotOffered,
    TermsNotSigned,
)
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.endpoints.discovery import Ping
from tests.bots import World, world

TERMS = "m.accepted_terms"


def document(name: str) -> dict[str, str]:
    """A document of this name."""
    return {"name": name, "url": f"https://x.org/{name}"}


def url(name: str) -> str:
    """Its URL."""
    return f"https://x.org/{name}"


TWO = {
    "privacy_policy": {"version": "1", "fr": document("privacy-fr"), "en": document("privacy-en")},
    "terms_of_service": {"version": "2", "de": document("terms-de"), "fr": document("terms-fr")},
}
UNUSABLE = {"privacy_policy": {"version": "1", "en": {"name": "P", "url": "javascript:alert(1)"}}}


def noted(it: World) -> Any:
    """What m.accepted_terms says, or None."""
    try:
        return it.homeserver.account_data(it.alice.user_id, TERMS)["accepted"]
    except LookupError:
        return None


def accepted(it: World) -> set[str]:
    """What the server knows."""
    return it.a.accepted_terms.get(it.alice.user_id, set())


async def test_pending_terms_raise_with_the_policies_and_say_what_to_do() -> None:
    """Nothing but the terms was asked for."""
    async with world(default="a") as it:
        it.a.require_terms(TWO)
        with pytest.raises(TermsNotSigned, match="accept_terms") as caught:
            await it.server.call(GetAccount())
        assert [policy.name for policy in caught.value.policies] == list(TWO)
        assert it.a.url in str(caught.value)
        assert [request.path for request in it.a.requests] == ["/_matrix/identity/v2/terms"]


async def test_true_accepts_english_else_the_first_language() -> None:
    """The server is told, then every client of the user."""
    async with world(default="a", accept_terms=lambda _: True) as it:
        it.a.require_terms(TWO)
        await it.server.call(GetAccount())
        assert accepted(it) == {url("privacy-en"), url("terms-de")}
        assert noted(it) == [url("privacy-en"), url("terms-de")]


async def test_the_callback_may_be_async_and_choose_a_language() -> None:
    """It is told what is pending and answers the URLs that the user was shown."""
    asked: list[tuple[Policy, ...]] = []

    async def accept(policies: tuple[Policy, ...]) -> list[str]:
        await asyncio.sleep(0)
        asked.append(policies)
        return [policy.documents["fr"].url for policy in policies]

    async with world(default="a", accept_terms=accept) as it:
        it.a.require_terms(TWO)
        await it.server.call(GetAccount())
        await it.server.call(GetAccount())
        assert accepted(it) == {url("privacy-fr"), url("terms-fr")}
        assert len(asked) == 1


async def test_a_callback_that_accepts_a_part_leaves_the_rest_pending() -> None:
    """The error names what is left; nobody was registered."""
    async with world(default="a", accept_terms=lambda _: [url("privacy-en")]) as it:
        it.a.require_terms(TWO)
        with pytest.raises(TermsNotSigned) as caught:
            await it.server.call(GetAccount())
        assert [policy.name for policy in caught.value.policies] == ["terms_of_service"]
        assert it.a.seen(path="register") == []


async def test_a_callback_that_accepts_what_is_not_offered_is_an_error() -> None:
    """Only URLs of the policies that it was shown count."""
    async with world(default="a", accept_terms=lambda _: ["https://evil.org"]) as it:
        it.a.require_terms(TWO)
        with pytest.raises(TermsNotOffered, match=r"evil\.org"):
            await it.server.call(GetAccount())


@pytest.mark.parametrize("name", ["privacy-en", "privacy-fr"])
async def test_what_was_accepted_in_any_language_elsewhere_is_posted_again(name: str) -> None:
    """The server need not know what another client, or another server, was told."""
    asked: list[Any] = []
    async with world(default="a", accept_terms=asked.append) as it:
        it.a.require_terms(TWO)
        elsewhere = ["https://other.org/terms", url(name), url("terms-fr")]
        it.homeserver.set_account_data(it.alice.user_id, TERMS, {"accepted": elsewhere})
        await it.server.call(GetAccount())
        assert accepted(it) == {url(name), url("terms-fr")}  # only what this server offers
        assert (asked, noted(it)) == ([], elsewhere)


async def test_accept_terms_tells_the_server_and_the_other_clients() -> None:
    """A part is possible; what is noted already is not lost."""
    async with world(default="a") as it:
        it.a.require_terms(TWO)
        theirs = "https://other.org/terms"
        old = {"accepted": [theirs], "other": 1}
        it.homeserver.set_account_data(it.alice.user_id, TERMS, old)
        await it.server.accept_terms([url("privacy-fr")])
        assert [policy.name for policy in await it.server.pending_terms()] == ["terms_of_service"]
        with pytest.raises(TermsNotSigned):
            await it.server.call(GetAccount())
        await it.server.accept_terms([url("terms-de")])
        assert await it.server.pending_terms() == ()
        await it.server.call(GetAccount())
        content = it.homeserver.account_data(it.alice.user_id, TERMS)
        assert content == old | {"accepted": [theirs, url("privacy-fr"), url("terms-de")]}
        assert len(it.a.seen(path="register")) == 1


async def test_accept_terms_refuses_what_is_not_offered() -> None:
    """Nothing is accepted then, not even the rest."""
    async with world(default="a") as it:
        it.a.require_terms(TWO)
        with pytest.raises(TermsNotOffered, match=r"evil\.org"):
            await it.server.accept_terms([url("privacy-en"), "https://evil.org"])
        assert (accepted(it), noted(it)) == (set(), None)


async def test_accept_terms_takes_a_list() -> None:
    """One string would be read letter by letter."""
    async with world(default="a") as it:
        with pytest.raises(TypeError, match="list"):
            await it.server.accept_terms(url("privacy-en"))


async def test_an_unusable_document_can_never_be_accepted() -> None:
    """``javascript:`` is not shown to anybody."""
    async with world(default="a", accept_terms=lambda _: True) as it:
        it.a.require_terms(UNUSABLE)
        with pytest.raises(TermsNotSigned):
            await it.server.call(GetAccount())
        (policy,) = await it.server.pending_terms()
        assert policy.documents == {}


@pytest.mark.parametrize("status", [404, 405])
async def test_a_server_without_the_endpoint_has_no_terms(status: int) -> None:
    """Others than Sydent answer so."""
    async with world(default="a") as it:
        it.a.answer_next(status, b"<html>", content_type="text/html", path="/terms", times=None)
        assert await it.server.pending_terms() == ()
        await it.server.call(GetAccount())
        assert (await it.server.check(it.a.url)).policies == ()


async def test_terms_that_cannot_be_read_are_not_taken_for_none() -> None:
    """A refusal or an error stops, before anything was said."""
    async with world(default="a") as it:
        it.a.reject_next(400, "M_UNKNOWN", path="/terms")
        with pytest.raises(MatrixError):
            await it.server.call(GetAccount())
        assert it.a.seen(path="register") == []


async def test_new_terms_in_the_middle_are_asked_about_and_the_call_is_repeated() -> None:
    """403 ``M_TERMS_NOT_SIGNED`` on any call."""
    asked: list[tuple[Policy, ...]] = []

    def accept(policies: tuple[Policy, ...]) -> Any:
        asked.append(policies)
        return True

    async with world(default="a", accept_terms=accept) as it:
        await it.server.call(GetAccount())
        it.a.require_terms(TWO)
        await it.server.call(GetAccount())
        assert [[policy.name for policy in policies] for policies in asked] == [list(TWO)]


async def test_new_terms_in_the_middle_raise_without_a_callback() -> None:
    """And accepting them puts it right, without another registration."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        it.a.require_terms(TWO)
        with pytest.raises(TermsNotSigned) as caught:
            await it.server.call(GetAccount())
        urls = [next(iter(policy.documents.values())).url for policy in caught.value.policies]
        await it.server.accept_terms(urls)
        await it.server.call(GetAccount())
        assert len(it.a.seen(path="register")) == 1


async def test_terms_that_the_server_knows_to_be_accepted_are_not_pending() -> None:
    """m.accepted_terms may have been lost; the server has not forgotten."""
    async with world(default="a", accept_terms=lambda _: True) as it:
        it.a.require_terms(TWO)
        await it.server.call(GetAccount())
        it.homeserver.set_account_data(it.alice.user_id, TERMS, {})
        assert await it.server.pending_terms() == ()
        it.a.revoke_tokens()
        assert len(await it.server.pending_terms()) == 2  # now nobody can say


async def test_pending_terms_need_no_registration() -> None:
    """Looking at them says nothing of the user."""
    async with world(default="a") as it:
        it.a.require_terms(TWO)
        assert len(await it.server.pending_terms()) == 2
        assert [request.path for request in it.a.requests] == ["/_matrix/identity/v2/terms"]


async def test_pending_terms_pass_other_errors_on() -> None:
    """A server that is broken is not one without terms."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        it.a.require_terms(TWO)
        it.a.reject_next(400, "M_UNKNOWN", path="/account$")
        with pytest.raises(MatrixError):
            await it.server.pending_terms()


@pytest.mark.parametrize("content", [[], {"accepted": "x"}, {"accepted": [5, None]}, {}])
async def test_malformed_account_data_counts_as_nothing_accepted(content: Any) -> None:
    """And is put right when something is accepted."""
    async with world(default="a", accept_terms=lambda _: True) as it:
        it.a.require_terms(TWO)
        it.homeserver.set_account_data(it.alice.user_id, TERMS, content)
        await it.server.call(GetAccount())
        assert set(noted(it)) >= {url("privacy-en"), url("terms-de")}


async def test_another_client_that_overwrites_the_note_is_noticed() -> None:
    """Our URLs are appended to what it wrote."""
    async with world(default="a", accept_terms=lambda _: True) as it:
        it.a.require_terms(TWO)
        async with it.homeserver.hold("PUT", TERMS, stage="answer", times=1) as hold:
            call = asyncio.create_task(it.server.call(GetAccount()))
            await hold.reached()
            theirs = {"accepted": ["https://theirs.org"]}
            it.homeserver.set_account_data(it.alice.user_id, TERMS, theirs)
        await call
        assert noted(it) == ["https://theirs.org", url("privacy-en"), url("terms-de")]


async def test_a_note_that_is_overwritten_for_ever_is_given_up() -> None:
    """The server knows; the user may be asked once more in another client."""
    async with world(default="a", accept_terms=lambda _: True) as it:
        it.a.require_terms(TWO)
        it.homeserver.answer_next(200, b"{}", method="PUT", path=TERMS, times=None)
        await it.server.call(GetAccount())
        assert len(it.homeserver.seen("PUT", TERMS)) == 3


async def test_a_note_that_cannot_be_written_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Failing would not undo the acceptance."""
    async with world(default="a", accept_terms=lambda _: True) as it:
        it.a.require_terms(TWO)
        it.homeserver.reject_next(403, method="PUT", path=TERMS)
        await it.server.call(GetAccount())
        assert "could not be noted" in caplog.text


async def test_a_homeserver_that_does_not_tell_what_was_accepted_stops_the_call() -> None:
    """Asking the user again for what they have accepted is not ours to decide."""
    async with world(default="a", accept_terms=lambda _: True) as it:
        it.a.require_terms(TWO)
        await it.bot.sync()
        await it.server.call(Ping())
        it.homeserver.reject_next(403, path=TERMS, method="GET")
        with pytest.raises(Exception, match=it.homeserver.url):
            await it.server.call(GetAccount())


# -- the application's answer


@pytest.mark.parametrize("answer", [None, False, []])
async def test_the_application_may_say_no(answer: Any) -> None:
    """Then the terms stay pending."""
    async with world(default="a", accept_terms=lambda _: answer) as it:
        it.a.require_terms(TWO)
        with pytest.raises(TermsNotSigned):
            await it.server.call(GetAccount())


async def test_one_string_is_no_list_of_urls() -> None:
    """It would be read letter by letter."""
    async with world(default="a", accept_terms=lambda _: url("privacy-en")) as it:
        it.a.require_terms(TWO)
        with pytest.raises(TypeError, match="list"):
            await it.server.call(GetAccount())


async def test_a_question_ends_when_the_choice_changes() -> None:
    """A person may think for long; the call does not wait for them at a server that was left."""
    asked = asyncio.Event()

    async def think(_: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    async with world(accept_terms=think) as it:
        it.a.require_terms(TWO)
        it.other_client_picks(it.a)
        await it.bot.sync()
        call = asyncio.create_task(it.server.call(GetAccount()))
        await asked.wait()
        it.other_client_sets({"base_url": None})
        await it.bot.sync()
        with pytest.raises(IdentityServerChanged):
            await call


async def test_a_question_cannot_wait_for_its_own_answer() -> None:
    """A call inside the callback that needs the same terms would wait for ever."""
    bots: list[World] = []

    async def ask_back(_: Any) -> Any:
        return await bots[0].server.call(GetAccount())

    async with world(default="a", accept_terms=ask_back) as it:
        bots.append(it)
        it.a.require_terms(TWO)
        with pytest.raises(RuntimeError, match="its own answer"):
            await it.server.call(GetAccount())


async def test_new_terms_are_asked_about_once_for_all_who_wait() -> None:
    """Twenty calls, one question."""
    asked: list[Any] = []

    async def accept(policies: Any) -> Any:
        asked.append(policies)
        await it.server.call(Ping())
        return True

    async with world(default="a", accept_terms=accept) as it:
        await it.server.call(GetAccount())
        it.a.require_terms(TWO)
        await asyncio.gather(*(it.server.call(GetAccount()) for _ in range(20)))
        assert len(asked) == 1


# -- accept_terms() and the token


async def test_accepting_renews_a_token_that_is_refused() -> None:
    """401 on any call: also on this one."""
    async with world(default="a") as it:
        await it.server.call(GetAccount())
        it.a.revoke_tokens()
        it.a.require_terms(TWO)
        await it.server.accept_terms([url("privacy-en"), url("terms-de")])
        await it.server.call(GetAccount())
        assert len(it.a.seen(path="register")) == 2


async def test_accepting_passes_other_refusals_on() -> None:
    """Only a refused token is put right."""
    async with world(default="a") as it:
        it.a.require_terms(TWO)
        it.a.reject_next(400, "M_UNKNOWN", method="POST", path="/terms")
        with pytest.raises(MatrixError):
            await it.server.accept_terms([url("privacy-en")])


async def test_accepting_nothing_says_nothing() -> None:
    """Nobody is registered for it."""
    async with world(default="a") as it:
        it.a.require_terms(TWO)
        await it.server.accept_terms([])
        assert it.a.seen("POST") == []


async def test_accepting_at_once_registers_once() -> None:
    """However many ask."""
    async with world(default="a") as it:
        it.a.require_terms(TWO)
        await asyncio.gather(*(it.server.accept_terms([url("privacy-en")]) for _ in range(5)))
        assert len(it.a.seen(path="register")) == 1


async def test_nothing_is_accepted_in_the_name_of_somebody_else() -> None:
    """A stored token is looked at before it is used."""
    store = MemoryTokenStore()
    async with world(default="a", token_store=store) as it:
        it.a.require_terms(TWO)
        store.save(it.alice.user_id, it.a.url, it.a.issue_token("@mallory:example.test"))
        it.a.answer_next(200, b'{"user_id": "@mallory:example.test"}', path="/account$")
        with pytest.raises(BadResponse, match="another user"):
            await it.server.accept_terms([url("privacy-en")])
        assert it.a.accepted_terms == {}


async def test_a_stored_token_is_used_to_accept() -> None:
    """Nobody is registered anew; an error while looking at it comes out."""
    store = MemoryTokenStore()
    async with world(default="a", token_store=store) as it:
        it.a.require_terms(TWO)
        store.save(it.alice.user_id, it.a.url, it.a.issue_token(it.alice.user_id))
        it.a.reject_next(400, "M_UNKNOWN", path="/account$")
        with pytest.raises(MatrixError):
            await it.server.accept_terms([url("privacy-en")])
        for name in ("privacy-en", "terms-de", "privacy-fr"):
            await it.server.accept_terms([url(name)])
        assert it.a.seen(path="register") == []
        assert await it.server.pending_terms() == ()
