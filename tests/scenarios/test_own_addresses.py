"""Showing that an address is the user's, letting it be found, and taking that back."""

from __future__ import annotations

import asyncio

import pytest

from nio_identity_server import (
    ALL,
    IdentityServerChanged,
    NotValidated,
    PendingValidation,
    ShareStatus,
    TermsNotSigned,
    ThreePid,
    ValidationExpired,
    WrongToken,
    email,
    msisdn,
)
from tests.scenarios.cast import Cast, Role


async def bind(role: Role, threepid: ThreePid) -> None:
    """Go the whole way."""
    country = "GB" if threepid.medium == "msisdn" else None
    validation = await role.server.request_token(threepid, country=country)
    await role.server.submit_token(validation, code(role, threepid))
    await role.server.bind(validation)


def code(role: Role, threepid: ThreePid) -> str:
    """The token that was sent to an address."""
    return role.stage.code(text(threepid))


def text(threepid: ThreePid) -> str:
    """An address as people write it."""
    return f"+{threepid.address}" if threepid.medium == "msisdn" else threepid.address


async def status(role: Role, threepid: ThreePid) -> ShareStatus:
    """Whom an address leads to, in the eyes of a user."""
    return (await role.server.share_status([threepid]))[threepid]


@pytest.mark.parametrize(
    "pattern", ["Alice.Person{}@Example.ORG", "Person{}@Stra\u00dfe.example", "+phone"]
)
async def test_from_asking_to_being_gone(cast: Cast, pattern: str) -> None:
    """An address is validated, bound, found by others, unbound, and found no more."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    spelling = cast.number() if pattern == "+phone" else cast.address(pattern)
    threepid = msisdn(spelling) if pattern == "+phone" else email(spelling)
    country = "GB" if pattern == "+phone" else None
    assert await status(alice, threepid) is ShareStatus.NOBODY

    validation = await alice.server.request_token(spelling, country=country)
    assert cast.stage.posts(text(threepid)) == 1
    assert await status(alice, threepid) is ShareStatus.PENDING
    assert await status(bob, threepid) is ShareStatus.NOBODY
    with pytest.raises(NotValidated):
        await alice.server.bind(validation)
    with pytest.raises(WrongToken):
        await alice.server.submit_token(validation, "wrong")

    await alice.server.submit_token(validation, code(alice, threepid))
    await alice.server.wait_until_validated(validation)
    await alice.server.bind(validation)

    found = await bob.server.lookup([spelling])
    assert found[spelling] == alice.user.user_id
    assert await status(alice, threepid) is ShareStatus.MINE
    assert await status(bob, threepid) is ShareStatus.OTHER
    assert cast.stage.posts(text(threepid)) == 1

    await alice.server.unbind(spelling)
    assert dict(await bob.server.lookup([spelling])) == {}
    assert await status(alice, threepid) is ShareStatus.NOBODY


async def test_waiting_for_the_user(cast: Cast) -> None:
    """Whoever waits hears of it as soon as the user has opened the link, and not before."""
    alice = await cast.role("alice")
    threepid = email(cast.address())
    validation = await alice.server.request_token(threepid)
    with pytest.raises(NotValidated):
        await alice.server.wait_until_validated(validation, timeout=0.0)

    waiting = asyncio.create_task(
        alice.server.wait_until_validated(validation, interval=0.01, timeout=30.0)
    )
    await alice.server.submit_token(validation, code(alice, threepid))
    await waiting


async def test_going_on_after_a_restart(cast: Cast) -> None:
    """What was written down before is enough."""
    alice = await cast.role("alice")
    threepid = email(cast.address())
    kept = (await alice.server.request_token(threepid)).to_json()
    await alice.bot.close()

    validation = PendingValidation.from_json(kept)
    await alice.server.submit_token(validation, code(alice, threepid))
    await alice.server.bind(validation)
    assert await status(alice, threepid) is ShareStatus.MINE


async def test_another_mail(cast: Cast) -> None:
    """It is sent when it is asked for, and the validation goes on."""
    alice = await cast.role("alice")
    threepid = email(cast.address())
    first = await alice.server.request_token(threepid)
    second = await alice.server.resend(first)
    assert cast.stage.posts(threepid.address) == 2
    assert (second.client_secret, second.send_attempt) == (first.client_secret, 2)
    await alice.server.submit_token(second, code(alice, threepid))
    await alice.server.bind(second)


async def test_an_unknown_validation(cast: Cast) -> None:
    """A server that has forgotten it says so, in whatever words."""
    alice = await cast.role("alice")
    validation = await alice.server.request_token(cast.address())
    strange = PendingValidation.from_json(
        validation.to_json().replace(f'"sid":"{validation.sid}"', '"sid":"987654321"')
    )
    with pytest.raises(ValidationExpired):
        await alice.server.bind(strange)
    with pytest.raises(ValidationExpired):
        await alice.server.wait_until_validated(strange)
    with pytest.raises(WrongToken):
        await alice.server.submit_token(strange, "1234")


async def test_a_validation_of_another_server(cast: Cast) -> None:
    """Nothing of it is sent anywhere."""
    alice = await cast.role("alice", trusted=[cast.stage.directory_url, "https://127.0.0.1:1"])
    validation = await alice.server.request_token(cast.address())
    other = PendingValidation.from_json(
        validation.to_json().replace(cast.stage.directory_url, "https://127.0.0.1:1")
    )
    for call in (
        alice.server.bind(other),
        alice.server.resend(other),
        alice.server.submit_token(other, "1234"),
        alice.server.wait_until_validated(other),
    ):
        with pytest.raises(IdentityServerChanged, match="another server"):
            await call
    assert cast.stage.posts(validation.threepid.address) == 1


@pytest.mark.parametrize("which", ["named", "all"])
async def test_unbinding_after_everything_was_switched_off(cast: Cast, which: str) -> None:
    """A past server is named, or the homeserver remembers it."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    threepid = email(cast.address())
    await bind(alice, threepid)
    await alice.server.disable()

    server = cast.stage.directory_url if which == "named" else ALL
    await alice.server.unbind(threepid, server=server)

    assert dict(await bob.server.lookup([threepid])) == {}


async def test_terms_come_first(cast_with_terms: Cast) -> None:
    """Binding through the homeserver says what is missing, and goes on when it is there."""
    cast = cast_with_terms
    alice = await cast.role("alice", accept_terms=lambda _: True)
    threepid = email(cast.address())
    validation = await alice.server.request_token(threepid)
    await alice.server.submit_token(validation, code(alice, threepid))
    await cast.stage.require_terms()
    patient = await cast.role("patient")

    with pytest.raises(TermsNotSigned):
        await patient.server.request_token(threepid)
    await alice.server.bind(validation)
    assert await status(alice, threepid) is ShareStatus.MINE
    assert cast.stage.posts(threepid.address) == 1
