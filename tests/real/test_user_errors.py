"""What a user can cause at a real Sydent: one exception each."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from nio_identity_server import (
    AddressRefused,
    NotValidated,
    RateLimited,
    SendingFailed,
    ThreePidInUse,
    ValidationExpired,
    WrongToken,
    email,
)
from tests.canaries import Canaries
from tests.real.servers import environment
from tests.real.servers.stack import RealServers
from tests.scenarios.cast import Cast, casting
from tests.scenarios.real_stage import Backstage, real_stage, running
from tests.scenarios.test_own_addresses import bind

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not environment.is_installed(), reason='"make servers" installs them'),
]


@pytest.fixture(name="backstage", scope="module")
def _backstage() -> Iterator[Backstage]:
    """Sydent sends nothing to Germany, and one SMS to each number."""
    limit = {"msisdn.ratelimit.burst": "1", "msisdn.ratelimit.rate_hz": "0.0001"}
    servers = RealServers(sydent=True, sydent_config={"sms": {"smsrule.49": "reject", **limit}})
    with running(servers):
        yield Backstage(servers)


@pytest_asyncio.fixture(name="cast")
async def _cast(backstage: Backstage, canaries: Canaries) -> AsyncIterator[Cast]:
    async with real_stage(backstage) as stage, casting(stage, canaries) as cast:
        yield cast


async def test_a_wrong_token(cast: Cast) -> None:
    """For a mail it is said with 200, for an SMS with 404."""
    alice = await cast.role("alice")
    for address, status in ((cast.address(), 200), (cast.number(), 404)):
        validation = await alice.server.request_token(address, country="GB")
        with pytest.raises(WrongToken) as caught:
            await alice.server.submit_token(validation, "wrong")
        assert (caught.value.status, caught.value.errcode) == (status, "M_NO_VALID_SESSION")
        with pytest.raises(NotValidated):
            await alice.server.bind(validation)


async def test_too_late(cast: Cast, backstage: Backstage) -> None:
    """After 24 hours everything about the validation is."""
    alice = await cast.role("alice")
    for address in (cast.address(), cast.number()):
        validation = await alice.server.request_token(address, country="GB")
        code = cast.stage.code(address)
        with contextlib.closing(sqlite3.connect(backstage.servers.sydent_database)) as db, db:
            db.execute("UPDATE threepid_validation_sessions SET mtime = 0")
        for call in (
            alice.server.submit_token(validation, code),
            alice.server.bind(validation),
            alice.server.wait_until_validated(validation),
        ):
            with pytest.raises(ValidationExpired) as caught:
                await call
            assert caught.value.server == cast.stage.directory_url


async def test_a_refused_country_or_number(cast: Cast) -> None:
    """It is told before any SMS is sent."""
    alice = await cast.role("alice")
    for number, country in (("+49301234567", "DE"), ("+99912345", "GB")):
        with pytest.raises(AddressRefused):
            await alice.server.request_token(number, country=country)
        assert cast.stage.posts(number) == 0


async def test_a_mail_that_cannot_be_sent(cast: Cast) -> None:
    """The mail server refuses the address."""
    alice = await cast.role("alice")
    with pytest.raises(SendingFailed):
        await alice.server.request_token(cast.address("reject{}@example.org"))


async def test_too_often(cast: Cast) -> None:
    """Sydent names no time."""
    alice, number = await cast.role("alice"), cast.number()
    first = await alice.server.request_token(number, country="GB")
    with pytest.raises(RateLimited) as caught:
        await alice.server.resend(first)
    assert caught.value.retry_after is None
    assert cast.stage.posts(number) == 1


async def test_somebody_elses_address(cast: Cast) -> None:
    """It says whose."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    address = cast.address()
    await bind(bob, email(address))
    with pytest.raises(ThreePidInUse) as caught:
        await alice.server.store_invite(await alice.room(), address)
    assert caught.value.user_id == bob.user.user_id
