from __future__ import annotations

import asyncio
import json
from typing import Any

import attrs
import pytest
from yarl import URL

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.client import default as module
from nio_identity_server.client.config import WELL_KNOWN
from nio_identity_server.client.default import RETRY_AFTER, DefaultServer
from nio_identity_server.errors import CannotConnect, NotConfirmed
from nio_identity_server.preference.resolution import Default, Source

ALICE, BOB = "@alice:example.org", "@bob:example.com"
ID = parse_base_url("https://id.example.org")
OTHER = parse_base_url("https://other.example.org")


@attrs.frozen
class Page:
    """An HTTP answer."""

    status: int = 200
    body: bytes = b"{}"
    location: str | None = None


def naming(base_url: object) -> Page:
    """A document that names an identity server."""
    return Page(body=json.dumps({"m.identity_server": {"base_url": str(base_url)}}).encode())


class Web:
    """Answers every request with the page of the moment, and writes down what was asked for."""

    def __init__(self, page: Page | None = None) -> None:
        self.page = page or naming(ID)
        self.asked: list[URL] = []
        self.error: Exception | None = None
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, url: URL, *, trusted: bool) -> Page:
        """GET."""
        assert trusted
        self.asked.append(url)
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return self.page


class Clock:
    """Time as the test wants it."""

    now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


async def turns(count: int = 5) -> None:
    """Let everything go as far as it can."""
    for _ in range(count):
        await asyncio.sleep(0)


class TestConfigured:
    @pytest.mark.parametrize("setting", [ID, None])
    def test_known_at_once(self, setting: Any) -> None:
        """What is configured is known at once and for everybody; nothing is asked."""
        server = DefaultServer(setting, Web())

        assert server.known(ALICE) == Default(Source.DEFAULT, setting)
        assert server.known("") == Default(Source.DEFAULT, setting)
        server.forget()
        assert server.known(BOB) == Default(Source.DEFAULT, setting)


class TestPublished:
    async def test_found(self) -> None:
        """It is looked up at the user's own server name, once."""
        web = Web()
        server = DefaultServer(WELL_KNOWN, web)
        assert server.known(ALICE) is None

        await server.learn(ALICE)

        assert server.known(ALICE) == Default(Source.WELL_KNOWN, ID)
        assert server.known(ALICE) == Default(Source.WELL_KNOWN, ID)
        assert web.asked == [URL("https://example.org/.well-known/matrix/client")]

    async def test_found_holds(self) -> None:
        """What was found does not flip, however long it has been known."""
        web, clock = Web(), Clock()
        server = DefaultServer(WELL_KNOWN, web, clock)
        await server.learn(ALICE)
        web.page = naming(OTHER)
        clock.now += 10 * RETRY_AFTER

        assert server.known(ALICE) == Default(Source.WELL_KNOWN, ID)

    async def test_not_found(self) -> None:
        """That there is none, and why, is known for five minutes."""
        web, clock = Web(Page(404)), Clock()
        server = DefaultServer(WELL_KNOWN, web, clock)
        await server.learn(ALICE)

        none = server.known(ALICE)
        assert none is not None
        assert (none.source, none.base_url) == (Source.WELL_KNOWN, None)
        assert "404" in none.reason
        clock.now += RETRY_AFTER - 1
        assert server.known(ALICE) == none
        clock.now += 1
        assert server.known(ALICE) is None

        web.page = naming(ID)
        await server.learn(ALICE)
        assert server.known(ALICE) == Default(Source.WELL_KNOWN, ID)

    async def test_a_server_that_cannot_be_reached(self) -> None:
        """A server name without a web server has no default."""
        web = Web()
        web.error = CannotConnect("https://example.org", "refused")
        server = DefaultServer(WELL_KNOWN, web)
        await server.learn(ALICE)

        none = server.known(ALICE)
        assert none is not None
        assert none.base_url is None
        assert "refused" in none.reason

    async def test_another_user(self) -> None:
        """What was found for one user is nothing to another."""
        web = Web()
        server = DefaultServer(WELL_KNOWN, web)
        await server.learn(ALICE)
        assert server.known(BOB) is None

        await server.learn(BOB)

        assert server.known(BOB) == Default(Source.WELL_KNOWN, ID)
        assert server.known(ALICE) is None
        assert web.asked[-1] == URL("https://example.com/.well-known/matrix/client")

    async def test_another_user_while_it_is_looked_up(self) -> None:
        """Nor is what is found for the former one while the other waits."""
        web = Web()
        web.go.clear()
        server = DefaultServer(WELL_KNOWN, web)
        tasks = [asyncio.create_task(server.learn(user)) for user in (ALICE, BOB)]
        await turns()
        web.go.set()
        await asyncio.gather(*tasks)

        assert server.known(ALICE) is None
        assert server.known(BOB) == Default(Source.WELL_KNOWN, ID)

    async def test_forgotten(self) -> None:
        """It can be looked up again."""
        web = Web()
        server = DefaultServer(WELL_KNOWN, web)
        await server.learn(ALICE)
        server.forget()
        assert server.known(ALICE) is None

        web.page = naming(OTHER)
        await server.learn(ALICE)

        assert server.known(ALICE) == Default(Source.WELL_KNOWN, OTHER)

    async def test_all_at_once(self) -> None:
        """Many who ask at the same time cause one look-up."""
        web = Web()
        server = DefaultServer(WELL_KNOWN, web)
        await asyncio.gather(*(server.learn(ALICE) for _ in range(100)))

        assert len(web.asked) == 1

    async def test_cancelled(self) -> None:
        """When the client is closed, whoever waits hears of it, and nothing is known."""
        web = Web()
        web.go.clear()
        server = DefaultServer(WELL_KNOWN, web)
        task = asyncio.create_task(server.learn(ALICE))
        await turns()
        server.cancel()
        with pytest.raises(NotConfirmed):
            await task

        assert server.known(ALICE) is None

    async def test_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """T27: redirects and all, it has to end in time."""
        monkeypatch.setattr(module, "TIME_LIMIT", 0.02)
        web = Web()
        web.go.clear()
        server = DefaultServer(WELL_KNOWN, web)
        await server.learn(ALICE)

        none = server.known(ALICE)
        assert none is not None
        assert none.base_url is None
        assert "0.02 s" in none.reason

    def test_several_loops(self) -> None:
        """What was found in one event loop is known in the next."""
        server = DefaultServer(WELL_KNOWN, Web())
        asyncio.run(server.learn(ALICE))
        asyncio.run(server.learn(ALICE))

        assert server.known(ALICE) == Default(Source.WELL_KNOWN, ID)
