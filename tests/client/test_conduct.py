"""What the specification asks of every request, looked at in all that one user does."""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from nio_identity_server import (
    IdentityDisabled,
    IdentityServer,
    PendingValidation,
    email,
    parse_base_url,
)
from nio_identity_server.endpoints.discovery import Ping
from nio_identity_server.testing import Request
from tests.bots import World, world

ADDRESS = "canary@example.org"
ROOM = "!room:example.test"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
TERMS = {"tos": {"version": "1", "en": {"name": "T", "url": "https://t.test/1"}}}


@asynccontextmanager
async def after_a_busy_day() -> AsyncIterator[World]:
    """Alice has made one call of each kind at server a, through her homeserver too, and left."""
    async with world(default="a", accept_terms=bool) as it:
        it.homeserver.add_identity_server(it.a)
        it.a.require_terms(TERMS)
        await it.server.check(it.a.url)
        await it.server.set(it.a.url)
        validation = await it.server.request_token(ADDRESS)
        await it.server.submit_token(validation, it.a.mails[-1].token)
        await it.server.wait_until_validated(validation, timeout=5)
        await it.server.bind(validation)
        await it.server.lookup([ADDRESS, "+44 20 7946 0000"])
        await it.server.room_create(invite_3pid=["nobody@example.org"])
        await it.server.unbind(ADDRESS)
        await it.server.is_valid_key(KEY)
        await it.server.disable()
        yield it


def ours(it: World) -> list[Request]:
    """The requests that this package has sent to the identity server: the homeserver asks too."""
    return [each for each in it.a.requests if "User-Agent" in each.headers]


def writes(requests: list[Request]) -> list[Request]:
    """The requests that have to have a body."""
    return [each for each in requests if each.method in {"POST", "PUT"}]


async def test_a_token_stands_in_the_header_and_nowhere_else() -> None:
    """No request to the identity server has it in its URL; each that needs one says Bearer."""
    async with after_a_busy_day() as it:
        (token,) = it.a.tokens
        named = [each for each in ours(it) if "Authorization" in each.headers]
        assert len(named) >= 10
        assert {each.headers["Authorization"] for each in named} == {f"Bearer {token}"}
        assert [each.path for each in ours(it) if token in each.raw_path] == []
        assert [each.path for each in ours(it) if "access_token" in each.raw_path] == []


async def test_each_body_is_a_json_object_except_that_of_logout() -> None:
    """POST and PUT carry one, labelled as JSON and in UTF-8, to either server."""
    async with after_a_busy_day() as it:
        requests = writes(ours(it))
        logout = [each for each in requests if each.path.endswith("/account/logout")]
        assert [each.body for each in logout] == [b""]
        to_homeserver = [
            each
            for each in writes(it.homeserver.requests)
            if each.path.endswith(("identity_server", "terms", "token", "bind", "invite"))
        ]
        assert len(to_homeserver) >= 6
        bodies = [each for each in requests if each not in logout] + to_homeserver
        for each in bodies:
            assert isinstance(json.loads(each.body.decode("utf-8")), dict), each.path
            assert each.headers["Content-Type"] == "application/json"


async def test_hash_details_are_asked_for_before_the_first_lookup() -> None:
    """And the pepper that came is in it."""
    async with after_a_busy_day() as it:
        paths = [each.path.rpartition("/")[2] for each in it.a.requests]
        assert paths.index("hash_details") < paths.index("lookup")
        (lookup, *_) = it.a.seen("POST", "/lookup")
        assert lookup.json["pepper"] == it.a.pepper


# What each call needs to be made at all; where nothing is sent it does not matter.
ARGUMENTS: dict[str, Callable[[IdentityServer, PendingValidation], Awaitable[Any]]] = {
    "call": lambda server, _: server.call(Ping()),
    "pending_terms": lambda server, _: server.pending_terms(),
    "accept_terms": lambda server, _: server.accept_terms(["https://t.test/1"]),
    "lookup": lambda server, _: server.lookup([ADDRESS]),
    "lookup_stream": lambda server, _: anext(server.lookup_stream([ADDRESS])),
    "verify": lambda server, _: server.verify({"signatures": {}}),
    "is_valid_key": lambda server, _: server.is_valid_key(KEY),
    "request_token": lambda server, _: server.request_token(ADDRESS),
    "resend": lambda server, validation: server.resend(validation),
    "submit_token": lambda server, validation: server.submit_token(validation, "1"),
    "wait_until_validated": lambda server, validation: server.wait_until_validated(validation),
    "bind": lambda server, validation: server.bind(validation),
    "unbind": lambda server, _: server.unbind(ADDRESS),
    "share_status": lambda server, _: server.share_status([ADDRESS]),
    "invite": lambda server, _: server.invite(ROOM, ADDRESS),
    "invite_all": lambda server, _: server.invite_all(ROOM, [ADDRESS]),
    "room_create": lambda server, _: server.room_create(invite_3pid=[ADDRESS]),
    "store_invite": lambda server, _: server.store_invite(ROOM, ADDRESS),
    "join_invited": lambda server, _: server.join_invited(ROOM, token="t", private_key=KEY),
}
# These are about the choice itself, ask the homeserver only, or ask nobody.
ABOUT_THE_CHOICE = {"preference", "resolution", "resolve", "refresh", "on_change", "set", "check"}
ABOUT_THE_CHOICE |= {"disable", "reset", "leave", "close", "config", "observer"}
WITHOUT_IDENTITY_SERVER = {"pending_invites", "revoke_invite", "sign_invite"}


def test_every_call_is_tried_while_switched_off() -> None:
    """A call that is added has to be added to the test below, or to those that need no server."""
    public = {name for name, _ in inspect.getmembers(IdentityServer) if not name.startswith("_")}

    assert public - ABOUT_THE_CHOICE - WITHOUT_IDENTITY_SERVER == set(ARGUMENTS)


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_null_disables_every_call(name: str) -> None:
    """Each is refused, and no connection is opened; the homeserver is not made to speak either."""
    async with world(default="a", accept_terms=bool) as it:
        validation = PendingValidation(
            email(ADDRESS), parse_base_url(it.a.url), sid="1", client_secret="s", send_attempt=1
        )
        it.other_client_sets({"base_url": None})
        await it.bot.sync()
        it.homeserver.clear()
        with pytest.raises(IdentityDisabled):
            await ARGUMENTS[name](it.server, validation)
        assert it.spoken_to == ""
        assert writes(it.homeserver.requests) == []
