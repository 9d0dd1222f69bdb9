"""What the mixin adds to a sync in which nothing happens."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from nio import AsyncClient, SyncResponse
from yarl import URL

from nio_identity_server import IdentityServerMixin
from nio_identity_server.testing import MatrixHomeserver
from tests.bench.figures import Figure

# A response is in the processor's cache when nio hands it on; so these are few at a time.
_FEW = 50

RATIO = 1.05
ADDED_US = 5.0


class Bot(IdentityServerMixin, AsyncClient):  # type: ignore[misc] # nio is untyped
    """What is compared with plain nio."""


class _Nothing:
    """A client whose syncs cost nothing, so that only the mixin is measured."""

    user_id = "@alice:example.test"
    homeserver = "https://matrix.example.test"
    proxy = ssl = config = None

    def __init__(self, access_token: str) -> None:
        self.access_token = access_token

    def add_global_account_data_callback(self, *_: Any) -> None:
        """Take the third net."""

    async def create_matrix_response(self, response: Any) -> Any:
        """Give the response as it is."""
        return response

    async def receive_response(self, response: Any) -> None:
        """Do nothing with it."""


class _Hooks(IdentityServerMixin, _Nothing):
    """The mixin and nothing else."""


async def idle_sync(rounds: int, syncs: int) -> Figure:
    """Compare whole syncs over loopback, by the processor time of this process.

    The homeserver runs in this process and is in both sides of the ratio. Rounds of both kinds
    alternate, and each gives one ratio.
    """
    samples = []
    async with _clients() as clients:
        for number in range(rounds):
            # Whoever comes second finds warmer caches: take turns.
            order = (0, 1) if number % 2 else (1, 0)
            spent = [0.0, 0.0]
            for which in order:
                spent[which] = await _sync(clients[which], syncs)
            samples.append(spent[1] / spent[0])
    return Figure("idle sync, mixin / plain nio", RATIO, "x", samples)


async def hooks(rounds: int, responses: int) -> Figure:
    """Measure what the mixin itself does to an idle sync, without any client around it."""
    samples = []
    async with _clients() as (plain, _):
        idle = await plain.sync(timeout=0, since=plain.next_batch)
    for _ in range(rounds):
        # The login that the response is for: one for another login is not looked at.
        clients = _Hooks(plain.access_token), _Nothing(plain.access_token)
        spent = [0.0, 0.0]
        gc.collect()
        for start in range(0, responses, _FEW):
            for which, client in enumerate(clients):
                spent[which] += await _receive(client, _copies(idle, start, _FEW))
        samples.append((spent[0] - spent[1]) / responses * 1e6)
    return Figure("idle sync, added by the mixin", ADDED_US, "us", samples)


@asynccontextmanager
async def _clients() -> AsyncIterator[tuple[Any, Any]]:
    """A plain client and one with the mixin, both with everything learned and warm."""
    async with MatrixHomeserver() as homeserver:
        user_id = homeserver.register("alice").user_id
        clients = AsyncClient(homeserver.url, user_id), Bot(homeserver.url, user_id)
        for client in clients:
            client.access_token = homeserver.login("alice").access_token
            await _sync(client, 20)
        await clients[1].identity_server.refresh()
        try:
            yield clients
        finally:
            for client in clients:
                await client.close()


async def _sync(client: Any, times: int) -> float:
    gc.collect()
    began = time.process_time()
    for _ in range(times):
        await client.sync(timeout=0, since=client.next_batch or None)
    return time.process_time() - began


def _copies(idle: SyncResponse, start: int, number: int) -> Sequence[SyncResponse]:
    """Responses that no net has seen yet, and whose URLs nobody has taken apart yet."""
    http = idle.transport_response
    copies = []
    for index in range(start, start + number):
        copy = SyncResponse("s1", {}, {}, {}, [], [])
        copy.transport_response = SimpleNamespace(
            status=http.status,
            history=http.history,
            request_info=http.request_info,
            url=URL(f"{http.url.with_query(None)}?since=s{index}&timeout=0", encoded=True),
        )
        copies.append(copy)
    return copies


async def _receive(client: Any, responses: Sequence[SyncResponse]) -> float:
    began = time.process_time()
    for response in responses:
        await client.receive_response(await client.create_matrix_response(response))
    return time.process_time() - began
