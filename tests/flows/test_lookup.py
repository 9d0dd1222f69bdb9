from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, strategies as st

from nio_identity_server.batch import Batch
from nio_identity_server.endpoints.lookup import HashDetails, LookupUsers, Mappings
from nio_identity_server.errors import (
    BadResponse,
    HashingNotSupported,
    IdentityServerError,
    MatrixError,
)
from nio_identity_server.flows.lookup import PEPPERS, Lookup, Peppers
from nio_identity_server.threepid import email, msisdn
from tests.canaries import assert_no_secret
from tests.flows.script import SERVER, USER, Script, emails, everybody, refusal, refuse
from tests.vectors.mappings import FOREIGN, NOT_USERS


async def test_what_was_found_comes_with_its_threepid() -> None:
    """Both media in one request, each under its own name."""
    script = Script()
    found = await script.lookup().find(Batch([b"a@b"], [b"123"]))
    assert found == [(email("a@b"), USER), (msisdn("123"), USER)]
    assert len(script.lookups) == 1


async def test_the_pepper_is_fetched_once() -> None:
    """By any number of lookups at the same time and one after the other."""
    script = Script()
    peppers = Peppers(script, SERVER)
    await asyncio.gather(*(Lookup(script, peppers).find(emails(1)) for _ in range(5)))
    await Lookup(script, peppers).find(emails(1))
    assert script.fetches == 1
    assert {request.pepper for request in script.lookups} == {"pepper0"}


@pytest.mark.parametrize(
    "pepper",
    ["", "x" * 257, "a\nb", "a\0b", "\x1b[1m", "\x85", "\ud800", "\u2028", "\u200b", "\t"],
)
async def test_a_pepper_that_cannot_be_one(pepper: str) -> None:
    """1 to 256 printable characters: nothing is hashed with anything else, or kept."""
    script = Script(details=HashDetails(pepper, ("sha256",)))
    peppers = Peppers(script, SERVER)
    for _ in range(2):
        with pytest.raises(BadResponse, match="1 to 256 printable"):
            await Lookup(script, peppers).find(emails(1))
    assert script.fetches == 2
    assert not script.lookups


@pytest.mark.parametrize("pepper", ["x", "x" * 256, "\u00fc \U0001f600"])
async def test_a_pepper_that_can_be_one(pepper: str) -> None:
    """Blanks and letters of all scripts are hashed as they are, and sent back so."""
    script = Script(details=HashDetails(pepper, ("sha256",)))
    await script.lookup().find(emails(1))
    assert script.lookups[0].pepper == pepper


@pytest.mark.parametrize(
    "algorithms",
    [
        (),
        ("none",),
        ("NONE",),
        ("SHA256",),
        ("sha256 ",),
        ("sha-256",),
        tuple("sha256"),
        tuple(f"x{each}" for each in range(100_000)),
    ],
)
async def test_addresses_are_not_sent_in_the_clear_unless_allowed(
    algorithms: tuple[str, ...],
) -> None:
    """A server that takes no ``sha256``, to the letter, is not asked at all."""
    script = Script(details=HashDetails("p", algorithms))
    with pytest.raises(HashingNotSupported) as caught:
        await script.lookup().find(emails(1))
    assert caught.value.server == SERVER
    assert not script.lookups


async def test_hashes_are_preferred_when_both_are_allowed() -> None:
    """``allow_plaintext`` is no wish for it."""
    script = Script()
    await script.lookup(allow_plaintext=True).find(emails(1))
    assert script.lookups[0].algorithm == "sha256"


@pytest.mark.parametrize("algorithms", [("NONE",), (), ("none ",)])
async def test_an_unknown_algorithm_is_not_plaintext(algorithms: tuple[str, ...]) -> None:
    """Even if that is allowed."""
    script = Script(details=HashDetails("p", algorithms))
    with pytest.raises(HashingNotSupported):
        await script.lookup(allow_plaintext=True).find(emails(1))


async def test_plaintext_if_it_is_allowed() -> None:
    """``address medium``, with the pepper that the specification asks for all the same."""
    script = Script(details=HashDetails("p", ("none",)))
    found = await script.lookup(allow_plaintext=True).find(Batch([b"a@b"], [b"123"]))
    (request,) = script.lookups
    assert set(request.addresses) == {"a@b email", "123 msisdn"}
    assert (request.algorithm, request.pepper) == ("none", "p")
    assert found == [(email("a@b"), USER), (msisdn("123"), USER)]


async def test_a_pepper_that_was_rotated_is_fetched_and_all_is_hashed_again() -> None:
    """With the pepper that was fetched, not with the one in the error."""
    script = Script(rotates=True)

    def once(_: LookupUsers) -> Mappings:
        script.answer = everybody
        raise refusal("M_INVALID_PEPPER")

    script.answer = once
    assert len(await script.lookup().find(emails(3))) == 3
    first, second = script.lookups
    assert (first.pepper, second.pepper) == ("pepper1", "pepper3")
    assert set(first.addresses).isdisjoint(second.addresses)
    assert script.fetches == 2


async def test_a_pepper_that_is_always_wrong_ends_in_the_refusal() -> None:
    """Each chunk is sent twice at most, and the whole lookup follows so many rotations."""
    script = Script(lambda _: refuse(refusal("M_INVALID_PEPPER")), rotates=True)
    lookup = script.lookup()
    for sent in (2, 4, 5, 6):  # after two rotations, a chunk is not repeated any more
        with pytest.raises(MatrixError, match="M_INVALID_PEPPER"):
            await lookup.find(emails(1))
        assert len(script.lookups) == sent
    assert script.fetches <= PEPPERS + 1


async def test_two_chunks_that_are_refused_together_fetch_once() -> None:
    """It is one rotation, whoever notices it first."""
    script = Script(rotates=True)
    script.answer = lambda request: (
        everybody(request) if request.pepper != "pepper1" else refuse(refusal("M_INVALID_PEPPER"))
    )
    lookup = script.lookup()
    found = await asyncio.gather(lookup.find(emails(2)), lookup.find(emails(3)))
    assert [len(each) for each in found] == [2, 3]
    assert script.fetches == 2
    assert len(script.lookups) == 4


@pytest.mark.parametrize("mappings", FOREIGN)
async def test_an_answer_that_was_not_asked_for(mappings: dict[str, str]) -> None:
    """One foreign key, however it looks, makes the whole answer worthless."""
    with pytest.raises(BadResponse, match="not asked for"):
        await Script(lambda _: Mappings(mappings)).lookup().find(emails(2))


@pytest.mark.parametrize("user", NOT_USERS)
async def test_an_answer_that_names_no_user(user: str) -> None:
    """One value that is no user id makes the whole answer worthless, and is not repeated."""

    def answer(request: LookupUsers) -> Mappings:
        first, second = request.addresses
        return Mappings({first: USER, second: user})

    with pytest.raises(BadResponse, match="no user") as caught:
        await Script(answer).lookup().find(emails(2))
    assert len(user) < 5 or user not in str(caught.value)


@given(st.dictionaries(st.text(st.characters()), st.text(st.characters()), max_size=4), st.data())
def test_any_mappings_are_what_was_asked_or_refused(
    mappings: dict[str, str], data: st.DataObject
) -> None:
    """Whatever a server says, only addresses that were asked for get a user, and only a user."""
    asked = emails(3)

    def answer(request: LookupUsers) -> Mappings:
        keys = data.draw(st.lists(st.sampled_from(sorted(request.addresses)), unique=True))
        users = st.sampled_from([USER, "@:x", "alice", ""])
        return Mappings(mappings | {key: data.draw(users) for key in keys})

    try:
        found = asyncio.run(Script(answer).lookup().find(asked))
    except IdentityServerError as error:
        assert isinstance(error, BadResponse)  # noqa: PT017 - anything else is an error
        return
    assert not mappings
    assert {threepid.address for threepid, _ in found} <= {each.decode() for each in asked.emails}
    assert {user for _, user in found} <= {USER, "@:x"}


async def test_duplicates_are_asked_once_and_answered_each() -> None:
    """The server does not learn how often somebody stands in the book."""
    script = Script()
    found = await script.lookup().find(Batch([b"a@b", b"c@d", b"a@b"]))
    assert [threepid.address for threepid, _ in found] == ["a@b", "c@d", "a@b"]
    assert len(script.lookups[0].addresses) == 2


async def test_an_error_tells_no_address() -> None:
    """Neither in its text nor in a traceback with the variables of our own frames' exceptions."""
    script = Script(lambda _: Mappings({"x": USER}))
    with pytest.raises(BadResponse) as caught:
        await script.lookup().find(Batch([b"canary@example.org"]))
    assert_no_secret(caught.value.with_traceback(None), ["canary"])
