"""A nio bot finds out who of an address book is on Matrix, step by step.

Each step says what happens and why, then what was sent where, and checks both itself: the program
ends with 1 if a step did anything else.

``python examples/lookup_demo.py`` plays it in front of the embedded servers of
``nio_identity_server.testing``, with ``--real`` in front of a real Synapse and a real Sydent. The
identity server B, to which the user changes at the end, is an embedded one in both cases.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
from nio import AsyncClient

from nio_identity_server import (
    Chosen,
    Found,
    IdentityServerChanged,
    IdentityServerConfig,
    IdentityServerMixin,
    TermsNotSigned,
    parse_base_url,
)
from nio_identity_server.endpoints.discovery import GetVersions
from nio_identity_server.testing import (
    Account,
    LoopbackServer,
    MatrixHomeserver,
    MatrixIdentityServer,
)

BOOK = ["Bob@Example.org", "nobody@example.org", "+44 7700 900123"]

PREFIX = re.compile("/_matrix/(client/[^/]+/(user/[^/]+/)?|identity/(v2/)?)")
LOOKUP = "POST /_matrix/identity/v2/lookup"


class Bot(IdentityServerMixin, AsyncClient):
    """A plain nio bot that knows its user's identity server."""


class Failed(Exception):
    """A step did not do what it says."""


@attrs.frozen
class Wire:
    """The way to a server; method and path of each request are written down, and every byte."""

    url: str
    requests: Callable[[], list[str]]
    received: Callable[[], bytes]
    clear: Callable[[], None]
    hold: Callable[[str], Any]  # with reached() and release()


@attrs.frozen
class Servers:
    """The homeserver and the identity server A, and what may happen to them."""

    homeserver: Wire
    a: Wire
    register: Callable[[str], Awaitable[Account]]
    bind: Callable[[str, Account], Awaitable[None]]
    other_client_picks: Callable[[Account, str], Awaitable[None]]
    require_terms: Callable[[], Awaitable[object]]
    rotate_pepper: Callable[[], Awaitable[object]]
    revoke_tokens: Callable[[Account], Awaitable[None]]
    tls: ssl.SSLContext | None = None


def _wire(server: LoopbackServer) -> Wire:
    return Wire(
        server.url,
        lambda: [f"{each.method} {each.path}" for each in server.requests],
        lambda: server.raw_bytes,
        server.requests.clear,
        lambda request: server.hold(*request.split()),
    )


def _later(call: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def run(*arguments: Any) -> Any:
        return call(*arguments)

    return run


@asynccontextmanager
async def embedded() -> AsyncIterator[Servers]:
    """Both in this process."""
    terms = {
        name: {"version": "1", "en": {"name": name, "url": f"https://localhost/{name}"}}
        for name in ("terms_of_service", "privacy_policy")
    }
    async with MatrixHomeserver() as home, MatrixIdentityServer(home) as a:
        yield Servers(
            homeserver=_wire(home),
            a=_wire(a),
            register=_later(home.register),
            bind=_later(lambda address, account: a.bind("email", address, account.user_id)),
            other_client_picks=_later(
                lambda account, url: home.set_account_data(
                    account.user_id, "m.identity_server", {"base_url": url}
                )
            ),
            require_terms=_later(lambda: a.require_terms(terms)),
            rotate_pepper=_later(a.rotate_pepper),
            revoke_tokens=_later(lambda _: a.revoke_tokens()),
        )


@attrs.define
class Scene:
    """Who takes part, and what they do in this step."""

    servers: Servers
    b: MatrixIdentityServer
    bot: Bot
    alice: Account
    bob: Account
    step: int = 0

    def begin(self, *lines: str) -> None:
        """Start a step with the sentences that tell what happens in it."""
        self.servers.homeserver.clear()
        self.servers.a.clear()
        self.b.requests.clear()
        self.step += 1
        print()
        for number, line in enumerate(lines):
            print(f"   {line}" if number else f"{self.step}. {line}")

    def end(self, homeserver: str = "", a: str = "", b: str = "") -> None:
        """Print what was sent where, and check it: commas stand between the requests."""
        self._sent("homeserver", self.servers.homeserver.requests(), homeserver)
        self._sent("identity server A", self.servers.a.requests(), a)
        self._sent(
            "identity server B", [f"{each.method} {each.path}" for each in self.b.requests], b
        )
        seen = self.servers.a.received() + self.b.raw_bytes
        self.check("tokens leaked", expected=False, seen=self.alice.access_token.encode() in seen)
        self.check("addresses in clear", expected=False, seen=b"example.org" in seen.lower())

    def check(self, what: str, expected: object, seen: object) -> None:
        """Fail the step unless both are equal."""
        if expected != seen:
            raise Failed(f"{what}: expected {expected}, but it is {seen}")

    async def raises(self, kind: type[Exception], call: Awaitable[object]) -> Any:
        """Print the exception that a call ends with, and give it."""
        try:
            await call
        except kind as error:
            text = str(error).replace(self.servers.a.url, "<A>").replace(self.b.url, "<B>")
            print(f"   It ends with {kind.__name__}:")
            print(f'   "{text}"')
            return error
        raise Failed(f"the call ended without {kind.__name__}")

    def finds_bob(self, found: Found) -> None:
        """Print what was found, and check it."""
        for threepid, user_id in found.items():
            print(f"   Found: {threepid.address} is {user_id}.")
        self.check("what was found", [self.bob.user_id], list(found.values()))

    def _sent(self, name: str, requests: list[str], expected: str) -> None:
        seen = [PREFIX.sub("", each) for each in requests if not each.endswith("/sync")]
        for line in seen or ["nothing"]:
            print(f"   -> {name}: {line}")
        self.check(f"requests to the {name}", expected, ", ".join(seen))


async def agree(scene: Scene) -> None:
    """Steps 1 and 2: the terms."""
    scene.begin(
        "A has terms, which the user has accepted nowhere. The bot looks its address book up.",
        "Terms come first: not even a registration is sent.",
    )
    refusal = await scene.raises(TermsNotSigned, scene.bot.identity_server.lookup(BOOK))
    scene.end("GET account_data/m.accepted_terms", "GET terms")

    scene.begin(
        "The user reads them and accepts. The bot is registered with a fresh OpenID token,",
        "A is told, and so are all clients of the user, by m.accepted_terms.",
    )
    urls = [policy.documents["en"].url for policy in refusal.policies]
    await scene.bot.identity_server.accept_terms(urls)
    scene.end(
        "GET account_data/m.accepted_terms, POST openid/request_token, "
        "GET account_data/m.accepted_terms, PUT account_data/m.accepted_terms, "
        "GET account_data/m.accepted_terms",
        "GET terms, POST account/register, POST terms",
    )


async def look_up(scene: Scene) -> None:
    """Steps 3 to 5: a lookup, and what may happen between two."""
    scene.begin(
        "The bot looks its address book up. Addresses are folded and sent as salted hashes only;",
        "the salt, A's pepper, is fetched first.",
    )
    scene.finds_bob(await scene.bot.identity_server.lookup(BOOK))
    scene.end(a="GET account, GET hash_details, POST lookup")

    scene.begin(
        "A takes another pepper. The next lookup is refused with M_INVALID_PEPPER;",
        "the bot fetches the new one, hashes again, and succeeds.",
    )
    await scene.servers.rotate_pepper()
    scene.finds_bob(await scene.bot.identity_server.lookup(BOOK))
    scene.end(a="POST lookup, GET hash_details, POST lookup")

    scene.begin(
        "A revokes the bot's token. The next lookup is refused with 401;",
        "the bot registers once more, and succeeds. Nobody has to accept anything again.",
    )
    await scene.servers.revoke_tokens(scene.alice)
    scene.finds_bob(await scene.bot.identity_server.lookup(BOOK))
    scene.end(
        "GET account_data/m.accepted_terms, POST openid/request_token",
        "POST lookup, GET terms, POST account/register, POST terms, GET account, POST lookup",
    )


async def change(scene: Scene) -> None:
    """Step 6: another server in the middle of a lookup."""
    scene.begin(
        "The bot looks 20,000 addresses up. A is slow: two requests are under way.",
        "Another client of the user picks B. The bot hears of it in its sync.",
    )
    slow = scene.servers.a.hold(LOOKUP)
    crowd = [f"person{number}@example.org" for number in range(20_000)]
    lookup = asyncio.create_task(scene.bot.identity_server.lookup(crowd))
    await slow.reached(2)
    await scene.servers.other_client_picks(scene.alice, scene.b.url)
    await scene.raises(IdentityServerChanged, lookup)
    slow.release()
    scene.check(
        "the choice", Chosen(parse_base_url(scene.b.url)), scene.bot.identity_server.preference
    )
    print("   Nothing of it goes to B. What the bot asks next does.")
    await scene.bot.identity_server.call(GetVersions())
    scene.end(a="POST lookup, POST lookup", b="GET versions")


async def perform(servers: Servers, b: MatrixIdentityServer) -> int:
    """Play with the bot in its sync loop, and tell whether it went as it should."""
    alice, bob = await servers.register("alice"), await servers.register("bob")
    await servers.bind("bob@example.org", bob)
    await servers.require_terms()
    await servers.other_client_picks(alice, servers.a.url)
    config = IdentityServerConfig(
        default=None, trusted=[servers.a.url, b.url], ssl_context=servers.tls
    )
    bot = Bot(servers.homeserver.url, alice.user_id, identity_server_config=config)
    bot.user_id, bot.access_token = alice.user_id, alice.access_token
    scene = Scene(servers, b, bot, alice, bob)
    print("A nio bot finds out who of an address book is on Matrix.")
    print(f"The homeserver is {servers.homeserver.url}, the user is {alice.user_id}.")
    print(f"The identity servers are <A> = {servers.a.url} and <B> = {b.url}.")
    print("Each step ends with what was sent where. Syncs are not listed.")
    syncing = asyncio.create_task(bot.sync_forever(timeout=30_000))
    try:
        async with asyncio.timeout(60):
            await scene.bot.identity_server.resolve()
            for part in (agree, look_up, change):
                await part(scene)
    except (Failed, TimeoutError) as error:
        print(f"\nStep {scene.step} FAILED: {str(error) or 'it did not end in time'}")
        return 1
    finally:
        syncing.cancel()
        await asyncio.wait([syncing])
        await bot.close()
    print("\nEach step did what it says. A got hashes only, and no token of the homeserver.")
    return 0


async def main(*, real: bool) -> int:
    """Start everything, and play."""
    if real:  # needs the servers of the tests, which are no part of the package
        from examples.sydent import synapse_and_sydent as start  # noqa: PLC0415
    else:
        start = embedded
    async with start() as servers, MatrixIdentityServer() as b:
        return await perform(servers, b)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(real="--real" in sys.argv[1:])))
