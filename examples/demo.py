"""A nio bot keeps to its user's choice of identity server, step by step.

Each step says what happens and why, then what was sent where, and checks both itself: the program
ends with 1 if a step did anything else. Nothing here sleeps; steps wait for requests and events.

``python examples/demo.py`` plays it in front of the embedded homeserver of
``nio_identity_server.testing``, with ``--real`` in front of a real Synapse. The identity servers
A and B are embedded ones in both cases, because they have to tell what they received.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import attrs
from nio import AsyncClient, PushRulesEvent

from nio_identity_server import (
    Change,
    Chosen,
    Disabled,
    IdentityDisabled,
    IdentityServerChanged,
    IdentityServerConfig,
    IdentityServerMixin,
    NotSet,
    Preference,
    Unconfirmed,
    parse_base_url,
)
from nio_identity_server.endpoints.discovery import GetVersions, Versions
from nio_identity_server.testing import (
    LoopbackServer,
    MatrixHomeserver,
    MatrixIdentityServer,
    Request,
)

PASSWORD = "a long secret"  # noqa: S105 -- made up, like the user
VERSIONS = "GET /_matrix/identity/versions"
READ = "GET account_data/m.identity_server"
WRITE = "PUT account_data/m.identity_server"
SECONDS = 30.0


class Bot(IdentityServerMixin, AsyncClient):
    """A plain nio bot that knows its user's identity server."""


class Failed(Exception):
    """A step did not do what it says."""


@attrs.define
class Scene:
    """Who takes part, and what they do in this step."""

    homeserver: LoopbackServer
    a: MatrixIdentityServer
    b: MatrixIdentityServer
    bot: Bot
    other: AsyncClient
    changes: asyncio.Queue[Change] = attrs.field(factory=asyncio.Queue)
    syncing: asyncio.Task[None] | None = None
    step: int = 0

    def begin(self, *lines: str) -> None:
        """Start a step with the sentences that tell what happens in it."""
        for server in (self.homeserver, self.a, self.b):
            server.clear()
        self.step += 1
        print()
        for number, line in enumerate(lines):
            print(f"   {line}" if number else f"{self.step}. {line}")

    def end(self, *, homeserver: Iterable[str] = (), a: int = 0, b: Iterable[str] = ()) -> None:
        """Print what was sent where, and check it; A is only ever asked for its versions."""
        requests = [each for each in self.homeserver.requests if not each.path.endswith("/sync")]
        self._sent("homeserver", [self._at_homeserver(each) for each in requests], homeserver)
        self._sent("identity server A", _requests(self.a), [VERSIONS] * a)
        self._sent("identity server B", _requests(self.b), b)
        seen = self.a.raw_bytes + self.b.raw_bytes
        tokens = (self.bot.access_token, self.other.access_token)
        self.check("leaked tokens", 0, sum(token.encode() in seen for token in tokens))

    def check(self, what: str, expected: object, seen: object) -> None:
        """Fail the step unless both are equal."""
        if expected != seen:
            raise Failed(f"{what}: expected {expected}, but it is {seen}")

    def shorten(self, text: str) -> str:
        """Write <A> and <B> for the URLs of the identity servers."""
        return text.replace(self.a.url, "<A>").replace(self.b.url, "<B>")

    async def call(self) -> Versions:
        """Make a call of the bot to its user's identity server."""
        return await self.bot.identity_server.call(GetVersions())

    async def raises(self, kind: type[Exception], call: Awaitable[Versions]) -> None:
        """Print the exception that a call ends with."""
        try:
            await call
        except kind as error:
            print(f"   It ends with {kind.__name__}:")
            print(f'   "{self.shorten(str(error))}"')
        else:
            raise Failed(f"the call ended without {kind.__name__}")

    async def other_client_says(self, url: str | None) -> None:
        """Let the other client store the user's choice, and wait until the bot has heard of it."""
        await self.other_client_sends("PUT", {"base_url": url})
        await self.hears(Disabled() if url is None else Chosen(parse_base_url(url)), own=False)

    async def other_client_sends(self, method: str, content: object = None) -> Any:
        """Read or write the choice as any client does: plain HTTP with the user's token."""
        user = quote(self.other.user_id, safe="")
        path = f"/_matrix/client/v3/user/{user}/account_data/m.identity_server"
        headers = {"Authorization": f"Bearer {self.other.access_token}"}
        data = None if content is None else json.dumps(content)
        answer = await self.other.send(method, path, data, headers)
        self.check("the homeserver's answer", 200, answer.status)
        return await answer.json()

    async def hears(self, new: Preference, *, own: bool) -> None:
        """Wait for the change that the bot reports next."""
        change = await self.changes.get()
        self.check("the change", (new, own), (change.new, change.own))

    def _sent(self, name: str, seen: list[str], expected: Iterable[str]) -> None:
        for line in seen or ["nothing"]:
            print(f"   -> {name}: {line}")
        self.check(f"requests to the {name}", list(expected), seen)

    def _at_homeserver(self, request: Request) -> str:
        path = re.sub(r"^/_matrix/client/[^/]+/(user/[^/]+/)?", "", request.path)
        body = f" {request.body.decode()}" if request.method == "PUT" else ""
        who = "the bot" if request.bearer == self.bot.access_token else "the other client"
        return self.shorten(f"{request.method} {path}{body}, by {who}")


def _requests(server: MatrixIdentityServer) -> list[str]:
    return [f"{each.method} {each.path}" for each in server.requests]


async def play(scene: Scene) -> None:
    """Play all steps."""
    scene.bot.identity_server.on_change(scene.changes.put_nowait)
    await wait_and_learn(scene)
    await follow(scene)
    await pick(scene)


async def wait_and_learn(scene: Scene) -> None:
    """Steps 1 to 3: calls wait until the choice is known."""
    entered = asyncio.Event()
    in_callback: asyncio.Future[Versions] = asyncio.get_running_loop().create_future()

    async def callback(_event: PushRulesEvent) -> None:
        # Every first sync has push rules. nio does not go on until this has returned.
        entered.set()
        in_callback.set_result(await scene.call())

    scene.bot.add_global_account_data_callback(callback, PushRulesEvent)

    scene.begin(
        "The bot starts. What its user chose is not known yet.",
        "It makes a call before its first sync is answered: the call is held.",
    )
    first_sync = scene.homeserver.hold("GET", "/sync", times=1)
    early = asyncio.create_task(scene.call())
    scene.syncing = asyncio.create_task(scene.bot.sync_forever(timeout=30_000))
    await first_sync.reached()
    scene.check("the preference", Unconfirmed(), scene.bot.identity_server.preference)
    scene.check("the call has ended", expected=False, seen=early.done())
    scene.end()

    scene.begin(
        "The first sync is answered, and a callback in the middle of it makes a call: held too.",
        "No m.identity_server is in the answer, but a first answer may come from a cache.",
        "So the bot reads the event itself. The homeserver is slow: nothing is known until then.",
    )
    read = scene.homeserver.hold("GET", "account_data")
    first_sync.release()
    await entered.wait()
    await read.reached()
    scene.check("the calls have ended", (False, False), (early.done(), in_callback.done()))
    scene.end(homeserver=[f"{READ}, by the bot"])

    scene.begin(
        "The homeserver says 404 M_NOT_FOUND: the user chose nothing, so the bot's default counts.",
        "Its default is A. Both calls are released and go there. The default is not written.",
    )
    read.release()
    await asyncio.gather(early, in_callback)
    scene.check("the preference", NotSet(), scene.bot.identity_server.preference)
    scene.end(a=2)


async def follow(scene: Scene) -> None:
    """Steps 4 to 6: another client of the user writes the choice, and the bot follows."""
    scene.begin(
        "Another client of the user picks B. The bot hears of it in its sync.",
        "Its next call goes to B.",
    )
    await scene.other_client_says(scene.b.url)
    await scene.call()
    scene.end(homeserver=[f'{WRITE} {{"base_url": "<B>"}}, by the other client'], b=[VERSIONS])

    scene.begin("A call to B is under way when the other client changes the choice to A.")
    slow = scene.b.hold("GET", "versions")
    under_way = asyncio.create_task(scene.call())
    await slow.reached()
    await scene.other_client_says(scene.a.url)
    await scene.raises(IdentityServerChanged, under_way)
    await scene.b.wait_for_disconnect()
    slow.release()
    print("   Called again, it goes to A.")
    await scene.call()
    scene.end(homeserver=[f'{WRITE} {{"base_url": "<A>"}}, by the other client'], a=1, b=[VERSIONS])

    scene.begin(
        "The other client says null: the user wants no identity server. The bot calls again."
    )
    await scene.other_client_says(None)
    await scene.raises(IdentityDisabled, scene.call())
    scene.end(homeserver=[f'{WRITE} {{"base_url": null}}, by the other client'])


async def pick(scene: Scene) -> None:
    """Step 7: the bot writes the choice itself."""
    scene.begin(
        "The bot picks B for its user. It asks B first whether it is an identity server,",
        "then writes the choice. The other client reads it, and the bot calls B.",
    )
    await scene.bot.identity_server.set(scene.b.url)
    await scene.hears(Chosen(parse_base_url(scene.b.url)), own=True)
    read = await scene.other_client_sends("GET")
    scene.check("what the other client reads", {"base_url": scene.b.url}, read)
    await scene.call()
    scene.end(
        homeserver=[f'{WRITE} {{"base_url": "<B>"}}, by the bot', f"{READ}, by the other client"],
        b=["GET /_matrix/identity/v2", VERSIONS],
    )


@asynccontextmanager
async def embedded(password: str) -> AsyncIterator[tuple[LoopbackServer, str]]:
    """A homeserver in this process, and its user."""
    async with MatrixHomeserver() as homeserver:
        yield homeserver, homeserver.register("alice", password).user_id


async def main(*, real: bool) -> int:
    """Start everything, play, and tell whether it went as it should."""
    if real:  # needs the development tools, which "make demo" does without
        from examples.synapse import synapse as start  # noqa: PLC0415
    else:
        start = embedded
    async with (
        start(PASSWORD) as (homeserver, user_id),
        MatrixIdentityServer() as a,
        MatrixIdentityServer() as b,
    ):
        config = IdentityServerConfig(default=a.url, trusted=[b.url])
        bot = Bot(homeserver.url, user_id, identity_server_config=config)
        scene = Scene(homeserver, a, b, bot, AsyncClient(homeserver.url, user_id))
        print("A nio bot keeps to its user's choice of identity server.")
        print(f"The homeserver ({start.__name__}) is {homeserver.url}, the user is {user_id}.")
        print(f"The identity servers are <A> = {a.url} and <B> = {b.url}.")
        print("Each step ends with what was sent where. Logins and syncs are not listed.")
        try:
            async with asyncio.timeout(SECONDS):
                await bot.login(PASSWORD)
                await scene.other.login(PASSWORD)
                await play(scene)
        except (Failed, TimeoutError) as error:
            print(f"\nStep {scene.step} FAILED: {str(error) or 'it did not end in time'}")
            return 1
        finally:
            if scene.syncing is not None:
                scene.syncing.cancel()
                await asyncio.wait([scene.syncing])
            await bot.close()
            await scene.other.close()
        print("\nEach step did what it says. No identity server got a token of the homeserver.")
        return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(real="--real" in sys.argv[1:])))
