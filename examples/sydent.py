"""A Synapse and a Sydent for ``lookup_demo.py --real``, each behind a wire that writes down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from examples.lookup_demo import Servers, Wire
from nio_identity_server.testing import Account
from tests.real.servers.stack import RealServers
from tests.scenarios.plain_client import OtherClient, User
from tests.scenarios.real_stage import Backstage, real_stage
from tests.scenarios.wiretap import Wiretap


def _wire(tap: Wiretap) -> Wire:
    return Wire(
        tap.url, lambda: list(tap.requests), lambda: bytes(tap.received), tap.clear, tap.hold
    )


def _user(account: Account) -> User:
    return User(account.user_id, account.access_token, account.device_id)


@asynccontextmanager
async def synapse_and_sydent() -> AsyncIterator[Servers]:
    """Start both, and lay the wires."""
    async with RealServers(sydent=True) as servers, real_stage(Backstage(servers)) as stage:

        async def register(name: str) -> Account:
            return Account(*await servers.register_user(name))

        async def bind(address: str, account: Account) -> None:
            # With the code of a mail that Sydent sends.
            await stage.bind(address, _user(account))

        async def other_client_picks(account: Account, url: str) -> None:
            await OtherClient(stage.home_url, _user(account)).write({"base_url": url})

        async def revoke_tokens(account: Account) -> None:
            await stage.revoke_tokens(_user(account))

        yield Servers(
            homeserver=_wire(stage.homeserver),
            a=_wire(stage.identity_server),
            tls=stage.tls,
            register=register,
            bind=bind,
            other_client_picks=other_client_picks,
            require_terms=stage.require_terms,
            rotate_pepper=stage.rotate_pepper,
            revoke_tokens=revoke_tokens,
        )
