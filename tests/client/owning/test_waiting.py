"""Waiting until the user has opened the link."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
import pytest

from nio_identity_server import (
    BadResponse,
    CannotConnect,
    HomeserverError,
    IdentityServerChanged,
    IdentityServerError,
    MatrixError,
    NotValidated,
)
from tests.client.owning.stage import ADDRESS, known, validated

# -- waiting


async def test_waiting_outlasts_an_outage() -> None:
    """The server is down, then busy, then it has the answer."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        path = "getValidated3pid"
        it.a.drop_next(path=path, times=3)
        it.a.reject_next(429, "M_LIMIT_EXCEEDED", path=path, times=3, retry_after_ms=1)
        it.a.reject_next(503, "M_UNKNOWN", path=path, times=3)
        await it.server.submit_token(validation, it.a.mails[-1].token)
        await it.server.wait_until_validated(validation, interval=0.001, timeout=70.0)
        assert it.a.faults_left == 0


@pytest.mark.parametrize("trouble", ["dropped", "503", "429"])
async def test_the_last_trouble_is_told_when_the_time_is_over(trouble: str) -> None:
    """Not that the address was not validated, which nobody knows."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        kind: type[IdentityServerError] = MatrixError
        if trouble == "dropped":
            it.a.drop_next(path="getValidated3pid", times=None)
            kind = CannotConnect
        else:
            it.a.reject_next(
                int(trouble), path="getValidated3pid", times=None, retry_after_ms=10**6
            )
        with pytest.raises(kind) as caught:
            await it.server.wait_until_validated(validation, timeout=0.0)
        assert not isinstance(caught.value, NotValidated)


async def test_waiting_ends_with_another_refusal() -> None:
    """Which waiting does not help against."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        it.a.reject_next(403, "M_FORBIDDEN", path="getValidated3pid")
        with pytest.raises(MatrixError, match="M_FORBIDDEN"):
            await it.server.wait_until_validated(validation)


async def test_waiting_ends_with_the_validation() -> None:
    """After 24 hours nobody asks any more, whatever the time limit."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        old = attrs.evolve(validation, changed_at=validation.changed_at - 24 * 3600)
        with pytest.raises(NotValidated):
            await it.server.wait_until_validated(old, timeout=3600.0)


async def test_waiting_ends_when_the_choice_changes() -> None:
    """While it sleeps, too."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        async with it.a.hold(path="getValidated3pid", stage="answer", times=1) as hold:
            task = asyncio.create_task(it.server.wait_until_validated(validation, interval=3600.0))
            await hold.reached()
            hold.release()
        await it.server.set(it.b.url)
        with pytest.raises(IdentityServerChanged):
            await task


@pytest.mark.parametrize(
    "answer",
    [
        '{"medium":"email","address":"other@example.org","validated_at":1}',
        '{"medium":"msisdn","address":"442079460000","validated_at":1}',
        '{"medium":"msisdn","address":"x","validated_at":1}',
    ],
)
async def test_another_address_was_validated(answer: str) -> None:
    """Then the server talks of something else."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        it.a.answer_next(200, answer, path="getValidated3pid")
        with pytest.raises(BadResponse, match="another address"):
            await it.server.wait_until_validated(validation)


# -- its time


async def test_waiting_uses_all_of_its_time() -> None:
    """A limit that is shorter than the interval is used up, with one more question at its end."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        it.a.clear()
        began = asyncio.get_running_loop().time()
        with pytest.raises(NotValidated):
            await it.server.wait_until_validated(validation, timeout=0.3, interval=3600.0)
        assert asyncio.get_running_loop().time() - began >= 0.3
        assert len(it.a.seen("GET", "getValidated3pid")) == 2


async def test_a_question_that_is_not_answered_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Soon after the limit, and it is told that the server was silent."""
    monkeypatch.setattr("nio_identity_server.flows.validation._SHORTEST_QUESTION", 0.1)
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        async with it.a.hold(path="getValidated3pid"):
            with pytest.raises(CannotConnect, match="did not answer within"):
                await it.server.wait_until_validated(validation, timeout=0.1)


@pytest.mark.parametrize(
    "keywords",
    [
        {"interval": 0},
        {"interval": -1.0},
        {"interval": float("nan")},
        {"timeout": -1},
        {"timeout": float("nan")},
    ],
)
async def test_times_that_are_none(keywords: dict[str, Any]) -> None:
    """They would be asked without end, or without a pause."""
    async with known() as it:
        validation = await it.server.request_token(ADDRESS)
        with pytest.raises(ValueError, match="seconds"):
            await it.server.wait_until_validated(validation, **keywords)
        assert it.a.seen("GET", "getValidated3pid") == []


async def test_waiting_outlasts_a_maintenance_page_and_the_homeserver() -> None:
    """Both are trouble that passes; that the login is over is not."""
    async with known() as it:
        validation = await validated(it)
        it.a.answer_next(200, "<html>", path="getValidated3pid")
        await it.server.wait_until_validated(validation, interval=0.001)
        it.a.revoke_tokens()
        it.homeserver.reject_next(502, "M_UNKNOWN", path="openid", times=1)
        await it.server.wait_until_validated(validation, interval=0.001)
        it.a.revoke_tokens()
        it.homeserver.reject_next(401, "M_UNKNOWN_TOKEN", path="openid", times=1)
        with pytest.raises(HomeserverError, match="M_UNKNOWN_TOKEN"):
            await it.server.wait_until_validated(validation, interval=0.001)
