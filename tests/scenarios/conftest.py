"""The two stages, for every story of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from nio_identity_server.testing import MatrixIdentityServer
from tests.canaries import Canaries
from tests.raw_server import Certificates
from tests.real.servers import environment
from tests.real.servers.stack import RealServers
from tests.scenarios.cast import Cast, casting
from tests.scenarios.embedded_stage import embedded_stage
from tests.scenarios.real_stage import Backstage, RealStage, real_stage, running
from tests.scenarios.scene import Scene
from tests.scenarios.stage import Stage

_REAL = [
    pytest.mark.real,
    pytest.mark.skipif(not environment.is_installed(), reason='"make servers" installs them'),
]


@pytest.fixture(name="backstage", scope="session")
def _backstage() -> Iterator[Backstage]:
    """Both real servers, for all stories."""
    with running(RealServers(sydent=True)) as servers:
        yield Backstage(servers)


@pytest_asyncio.fixture(name="any_stage", params=["embedded", pytest.param("real", marks=_REAL)])
async def _any_stage(
    request: pytest.FixtureRequest, certificates: Certificates, canaries: Canaries
) -> AsyncIterator[Stage]:
    """A stage, perhaps with the terms of the story before.

    At its end it is known that no token of the homeserver reached the identity server.
    """
    is_real = request.param == "real"
    opening = (
        real_stage(request.getfixturevalue("backstage"))
        if is_real
        else embedded_stage(certificates)
    )
    async with opening as stage:
        yield stage
        canaries.others.update(stage.issued_tokens())
        received = bytes(stage.identity_server.received)
        astray = [each for each in canaries.homeserver_tokens if each.encode() in received]
        assert not astray, f"{len(astray)} homeserver token(s) reached the identity server"


@pytest_asyncio.fixture(name="stage")
async def _stage(any_stage: Any) -> Stage:
    """A stage whose identity server has no terms."""
    if isinstance(any_stage, RealStage):
        await any_stage.backstage.no_terms()
    stage: Stage = any_stage
    return stage


@pytest_asyncio.fixture(name="cast")
async def _cast(stage: Stage, canaries: Canaries) -> AsyncIterator[Cast]:
    """Users of servers without terms."""
    async with casting(stage, canaries) as cast:
        yield cast


@pytest_asyncio.fixture(name="cast_with_terms")
async def _cast_with_terms(any_stage: Stage, canaries: Canaries) -> AsyncIterator[Cast]:
    """Users of an identity server that may have terms."""
    async with casting(any_stage, canaries) as cast:
        yield cast


async def _play(stage: Stage, canaries: Canaries) -> AsyncIterator[Scene]:
    async with MatrixIdentityServer() as a, MatrixIdentityServer() as b:
        alice = await stage.user("alice")
        canaries.homeserver_tokens.add(alice.access_token)
        scene = Scene(stage, a, b, alice)
        try:
            yield scene
        finally:
            await scene.close()


@pytest_asyncio.fixture(name="scene")
async def _scene(stage: Stage, canaries: Canaries) -> AsyncIterator[Scene]:
    """Alice in front of servers without terms."""
    async for scene in _play(stage, canaries):
        yield scene


@pytest_asyncio.fixture(name="scene_with_terms")
async def _scene_with_terms(any_stage: Stage, canaries: Canaries) -> AsyncIterator[Scene]:
    """Alice in front of an identity server that may have terms."""
    async for scene in _play(any_stage, canaries):
        yield scene
