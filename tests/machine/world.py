"""One run: two users, a bot, everything that it does and hears, and the list of what went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from nio import AsyncClientConfig
from yarl import URL

from nio_identity_server import (
    Change,
    IdentityServer,
    IdentityServerConfig,
    IdentityServerError,
    IdentityServerEvent,
    NotConfirmed,
    Policy,
    Unconfirmed,
)
from nio_identity_server.endpoints.discovery import Ping
from nio_identity_server.testing import Account, Hold

from .bot import CURRENT, Bot, Operation, number
from .model import ABSENT, Kind, Ledger, Rules, Word
from .stage import NOTHING, Stage
from .writes import content_of, judge_write

SYNC_WAIT = 0.01


class World:
    """Knows what was said to whom.

    Args:
        stage: The servers.
        default: The default server's URL.
        trusted: The other URLs that are named in code.

    Attributes:
        violations: What went wrong.
        operations: All that are not over.
        holds: The holds on servers.
        changes: What listeners were told, of the present login.
        calling: Whether the bot's callbacks make a call.
        accepting: Whether the application accepts the terms that it is shown.
        agreed: The URLs of all terms that were accepted.
    """

    def __init__(self, stage: Stage, default: str | None, trusted: list[str]) -> None:
        stage.reset()
        self.stage = stage
        self.rules = Rules(default, frozenset([*trusted, *([default] if default else [])]))
        self.violations: list[str] = []
        self.history: list[str] = []
        self.operations: set[Operation] = set()
        self.holds: list[Hold] = []
        self.changes: list[Change] = []
        self.calling = self.accepting = False
        self.agreed: set[str] = set()
        run = next(stage.numbers)
        self.users: list[Account] = [stage.homeserver.register(f"{name}{run}") for name in "ab"]
        self.bot = Bot(
            stage.homeserver.url,
            self.users[0].user_id,
            config=AsyncClientConfig(max_timeouts=0, max_limit_exceeded=0),
            identity_server_config=IdentityServerConfig(
                default=default,
                trusted=trusted,
                accept_terms=self._accept,
                sync_wait=SYNC_WAIT,
                homeserver_timeout=2.0,
                ssl_context=stage.ssl_context,
            ),
        )
        self.bot.host = self
        self.bot.user_id = self.users[0].user_id
        self.bot.access_token = self.users[0].access_token
        self.bot.add_to_device_callback(self._callback, None)
        self.bot.add_global_account_data_callback(self._callback, IdentityServerEvent)
        self.server: IdentityServer = self.bot.identity_server
        self._end_listening = self.server.on_change(self._changed)
        self._ledger = Ledger(self.bot.user_id, self.rules)
        self._numbers = 0
        self._spoken = dict.fromkeys(stage.urls, 0)
        stage.audience = self

    # -- telling

    def note(self, text: str) -> None:
        """Write down what happened, for whoever reads a failure."""
        self.history.append(f"{self.stage.now}: {text}")

    def blame(self, text: str) -> None:
        """Note a violation."""
        self.note(f"VIOLATION {text}")
        self.violations.append(text)
        self.stage.verdicts.append(text)

    def ledger(self) -> Ledger:
        """What reached the client for the user who is logged in; another user's is forgotten."""
        if self._ledger.user_id != self.bot.user_id:
            self._ledger = Ledger(self.bot.user_id, self.rules)
            self.changes = []
        return self._ledger

    # -- what the bot tells (see ``bot.Host``)

    def sync_answered(self, response: Any) -> None:
        """A sync response reached the client and was looked at."""
        transport = response.transport_response
        self.stage.tick()
        token = transport.request_info.headers["Authorization"].removeprefix("Bearer ")
        if token != self.bot.access_token:
            return
        query, ledger = transport.url.query, self.ledger()
        answer = self.stage.homeserver.answers[number(transport)]
        incremental = "since" in query and query.get("full_state") != "true"
        if answer.claim is not NOTHING:
            value = self.rules.read(answer.claim)
            self.note(f"sync {incremental=} of {answer.at} says {value}")
            if incremental:
                ledger.told(Word(value, answer.at, Kind.CHANGE))
            else:
                ledger.shown(value)
        elif "since" not in query and '"types"' not in query.get("filter", ""):
            self.note(f"sync of {answer.at} shows that there is none")
            ledger.shown(ABSENT)

    def injected(self, response: Any) -> None:
        """A response of unknown origin is about to be looked at."""
        for event in response.account_data_events[-1:]:
            content = event.content if hasattr(event, "content") else event.source["content"]
            self.note(f"injected: {content}")
            self.ledger().shown(self.rules.read(content))

    def sending(self, method: str) -> Ledger:
        """A request for account data leaves; gives the ledger that it is for."""
        ledger = self._ledger
        self.note(f"{method} account data")
        operation = CURRENT.get()
        if method == "PUT":
            ledger.writes_under_way += 1
            if operation is None or operation.kind not in {"set", "disable", "reset"}:
                self.blame(f"a PUT by {operation}")
            elif operation.sent_at is None:
                operation.sent_at, operation.ledger = self.stage.tick(), ledger
                operation.before, operation.heard = self.server.preference, ledger.heard
        return ledger

    def arrived(self, ledger: Ledger, method: str, user: str, response: Any) -> Word | None:
        """Its answer is here; gives the word that is in it."""
        answer = self.stage.homeserver.answers.get(number(response))
        if answer is None or not user == ledger.user_id == self._ledger.user_id:
            return None
        operation, word = CURRENT.get(), None
        if method == "PUT" and operation is not None and response.status == 200:
            if response.content_type == "application/json":
                word = Word(self.rules.read(content_of(operation)), answer.at, Kind.WRITE)
                operation.word = word
        elif method == "GET" and answer.absent:
            word = Word(ABSENT, answer.at, Kind.READ)
        elif method == "GET" and answer.claim is not NOTHING:
            word = Word(self.rules.read(answer.claim), answer.at, Kind.READ)
        self.note(f"{method} answered {response.status}: {word}")
        if word is not None:
            ledger.arrived(word)
        return word

    def read(self, ledger: Ledger, word: Word) -> None:
        """The answer to a GET has surely been read."""
        self.note(f"surely read: {word}")
        ledger.told(word)

    def ended(self, ledger: Ledger, method: str) -> None:
        """The request is over, well or badly."""
        if method == "PUT":
            ledger.writes_under_way -= 1
        else:
            ledger.read_ended()

    # -- what the HTTP library tells (see ``stage.Audience``)

    def begun(self, url: URL) -> None:
        """Judge a request to an identity server that is about to begin."""
        operation, server, ledger = CURRENT.get(), str(url.origin()), self.ledger()
        self.note(f"begun by {operation and operation.name}: {url}")
        if operation is None or server not in self._spoken:
            self.blame(f"{url} by {operation}")
            return
        first, operation.server = operation.server is None, server
        operation.ledger = ledger
        if operation.kind in {"call", "sync"}:
            reason = ledger.why_not(server)
        elif url.path.endswith("/account/logout"):
            reason = ledger.why_over(server)  # said to the server that is about to be left
            if operation.leaving is None:  # which is the beginning of the write
                operation.leaving, ledger.writes_under_way = ledger, ledger.writes_under_way + 1
        elif server != operation.url:
            reason = f"the caller named {operation.url}"
        else:
            reason = ledger.why_not_yet() if first else None
        if reason:
            self.blame(f"{operation.name} begins {url}: {reason}")

    def speaking(self, url: URL, headers: Any) -> None:
        """Judge bytes that leave for an identity server."""
        operation, server = CURRENT.get(), str(url.origin())
        self._spoken[server] += 1
        if "syt_" in str(headers):
            self.blame(f"a homeserver token leaves for {url}")
        if operation is not None and operation.kind in {"call", "sync"}:
            self._judge_running(operation, "speaks")

    def _judge_running(self, operation: Operation, what: str) -> None:
        ledger, server = operation.ledger, operation.server
        reason = ledger.why_over(server) if server else None
        if ledger is not self._ledger:
            reason = "another user is logged in"
        if reason:
            self.blame(f"{operation.name} {what}: {reason}")

    # -- what the bot does

    def start(
        self, kind: str, work: Callable[[], Awaitable[object]], url: str | None = None
    ) -> Operation:
        """Start an operation as a task."""
        self._numbers += 1
        operation = Operation(f"{kind}{self._numbers}", kind, self._ledger, url)
        operation.task = self.stage.loop.create_task(self._run(operation, work))
        self.operations.add(operation)
        return operation

    async def _run(self, operation: Operation, work: Callable[[], Awaitable[object]]) -> None:
        CURRENT.set(operation)
        self.note(f"{operation.name} starts {operation.url or ''}")
        if operation.kind not in {"sync", "login"}:  # those do not ask the package first
            operation.ledger = self.ledger()
        try:
            operation.reply = await work()
        except asyncio.CancelledError as error:
            operation.error = error
            # aiohttp cancels whoever reads a body when the session is closed; nio lets it through.
            if not operation.cancelled and operation.kind != "sync":
                self.blame(f"{operation.name} was cancelled, but not by us")
        except Exception as error:  # noqa: BLE001 - the judge decides
            operation.error = error
        self.stage.tick()
        self.operations.discard(operation)
        if operation.leaving is not None:
            operation.leaving.writes_under_way -= 1
        self.note(f"{operation.name} ends: {type(operation.reply).__name__} {operation.error!r}")
        self._judge_end(operation)

    def _judge_end(self, operation: Operation) -> None:
        error, kind = operation.error, operation.kind
        allowed: tuple[type[BaseException], ...] = (IdentityServerError, asyncio.CancelledError)
        if kind in {"refresh", "resolve"}:
            allowed = (NotConfirmed, asyncio.CancelledError)
        if error is not None and kind not in {"sync", "login"} and not isinstance(error, allowed):
            self.blame(f"{operation.name} raised {error!r}")
        if kind == "call" and error is None:
            self._judge_running(operation, "returned")
        if operation.sent_at is not None:
            judge_write(self, operation, operation.sent_at)

    async def _callback(self, _: object) -> None:
        if not self.calling:
            return
        try:
            await self.call()
        except IdentityServerError as error:
            self.note(f"the call in a callback ends: {error!r}")
        except Exception as error:  # noqa: BLE001 - the judge decides
            self.blame(f"the call in a callback raised {error!r}")

    def _accept(self, policies: tuple[Policy, ...]) -> bool:
        if self.accepting:
            self.agreed.update(each.url for one in policies for each in one.documents.values())
        return self.accepting

    def _changed(self, change: Change) -> None:
        self.ledger()
        self.note(f"listener: {change}")
        former = self.changes[-1].new if self.changes else change.old
        if change.old == change.new or change.old not in {former, Unconfirmed()}:
            self.blame(f"a listener was told {change} after {former}")
        if change.own != (change.source.value == "write"):
            self.blame(f"a listener was told {change}")
        self.changes.append(change)

    async def call(self) -> object:
        """Ask the user's identity server whether it is there."""
        return await self.server.call(Ping())
