"""Every public call, and what has to be there before it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import attrs

from nio_identity_server import IdentityServer, PendingValidation
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.endpoints.association import Bind
from nio_identity_server.signing import encode_base64
from tests.bots import EVENT, Bot, World, log_in

ADDRESS = "canary@example.org"
KEY = encode_base64(bytes(range(32)))
POLICY_URL = "https://x.org/privacy"
POLICIES = {"privacy": {"version": "1", "en": {"name": "P", "url": POLICY_URL}}}


async def _nothing(_: World) -> Any:
    return None


async def _bound(it: World) -> None:
    it.a.bind("email", ADDRESS, it.alice.user_id)


async def _wanting_terms(it: World) -> None:
    it.a.require_terms(POLICIES)


async def _room(it: World) -> str:
    response = await it.bot.room_create()
    return str(response.room_id)


async def _begun(it: World) -> PendingValidation:
    return await it.server.request_token(ADDRESS)


async def _validated(it: World) -> PendingValidation:
    validation = await _begun(it)
    await it.server.submit_token(validation, it.a.mails[-1].token)
    return validation


async def _token_of_mail(it: World) -> tuple[PendingValidation, str]:
    return await _begun(it), it.a.mails[-1].token


async def _signed(it: World) -> Any:
    validation = await _validated(it)
    secret = validation.client_secret
    return await it.server.call(Bind(validation.sid, secret, it.alice.user_id))


async def _invited(it: World) -> tuple[str, str]:
    room_id = await _room(it)
    await it.server.invite(room_id, ADDRESS)
    (pending,) = await it.server.pending_invites(room_id)
    return room_id, pending.token


async def _invitation_of_bob(it: World) -> tuple[str, str, str]:
    """Bob invites the address into a room of his; the mail has the invitation's key."""
    bob = Bot(it.homeserver.url, identity_server_config=it.server.config)
    log_in(bob, it.bob)
    try:
        room_id = str((await bob.room_create()).room_id)
        await bob.identity_server.invite(room_id, ADDRESS)
    finally:
        await bob.close()
    mail = it.a.mails[-1]
    private_key = re.search(r"private_key=([\w+/-]+)", unquote(mail.link))
    assert private_key
    return room_id, mail.token, private_key[1]


async def _all_of(stream: Any) -> list[Any]:
    return [each async for each in stream]


@attrs.frozen
class Call:
    """A public call.

    Attributes:
        make: Makes the call, with what ``prepare`` gave.
        prepare: Has another client of the user make what the call needs.
        halfway: Whether it has several effects, so that some of them is neither before nor after.
    """

    make: Callable[[World, IdentityServer, Any], Awaitable[object]]
    prepare: Callable[[World], Awaitable[Any]] = _nothing
    halfway: bool = False


CALLS: dict[str, Call] = {
    "accept_terms": Call(lambda _, it, __: it.accept_terms([POLICY_URL]), _wanting_terms),
    "bind": Call(lambda _, it, validation: it.bind(validation), _validated),
    "call": Call(lambda _, it, __: it.call(GetAccount())),
    "check": Call(lambda world, it, _: it.check(world.b.url)),
    "close": Call(lambda _, it, __: it.close()),
    "disable": Call(lambda _, it, __: it.disable()),
    "invite": Call(lambda _, it, room_id: it.invite(room_id, ADDRESS), _room),
    "invite_all": Call(lambda _, it, room_id: it.invite_all(room_id, [ADDRESS]), _room),
    "is_valid_key": Call(lambda _, it, __: it.is_valid_key(KEY)),
    "join_invited": Call(
        lambda _, it, given: it.join_invited(given[0], token=given[1], private_key=given[2]),
        _invitation_of_bob,
    ),
    "leave": Call(lambda _, it, __: it.leave(unbind=[ADDRESS]), _bound, halfway=True),
    "lookup": Call(lambda _, it, __: it.lookup([ADDRESS]), _bound),
    "lookup_stream": Call(lambda _, it, __: _all_of(it.lookup_stream([ADDRESS])), _bound),
    "pending_invites": Call(lambda _, it, room_id: it.pending_invites(room_id), _room),
    "pending_terms": Call(lambda _, it, __: it.pending_terms(), _wanting_terms),
    "refresh": Call(lambda _, it, __: it.refresh()),
    "request_token": Call(lambda _, it, __: it.request_token(ADDRESS)),
    "resend": Call(lambda _, it, validation: it.resend(validation), _begun),
    "reset": Call(lambda _, it, __: it.reset()),
    "resolve": Call(lambda _, it, __: it.resolve()),
    "revoke_invite": Call(lambda _, it, invite: it.revoke_invite(*invite), _invited),
    "room_create": Call(lambda _, it, __: it.room_create(invite_3pid=[ADDRESS])),
    "set": Call(lambda world, it, _: it.set(world.b.url)),
    "share_status": Call(lambda _, it, __: it.share_status([ADDRESS]), _bound),
    "sign_invite": Call(
        lambda _, it, __: it.sign_invite(token="t", private_key=KEY, sender="@x:y")
    ),
    "store_invite": Call(lambda _, it, room_id: it.store_invite(room_id, ADDRESS), _room),
    "submit_token": Call(lambda _, it, given: it.submit_token(*given), _token_of_mail),
    "unbind": Call(lambda _, it, __: it.unbind(ADDRESS), _bound),
    "verify": Call(lambda _, it, signed: it.verify(signed), _signed),
    "wait_until_validated": Call(
        lambda _, it, validation: it.wait_until_validated(validation, interval=0.01), _validated
    ),
}


def public_calls() -> set[str]:
    """The names of all public calls that take time, as they stand in the class."""
    return {
        name
        for name, member in inspect.getmembers(IdentityServer)
        if not name.startswith("_")
        and (inspect.iscoroutinefunction(member) or name.endswith("_stream"))
    }


def state(it: World, mails: int) -> tuple[object, ...]:
    """What servers know after a call: the choice, the binding, how many mails, accepted terms."""
    user_id = it.alice.user_id
    return (
        it.homeserver.account_data(user_id, EVENT),
        it.a.binding("email", ADDRESS),
        len(it.a.mails) - mails,
        frozenset(it.a.accepted_terms.get(user_id, ())),
    )


def begin(it: World) -> None:
    """Have everything be as it was before any call."""
    it.other_client_picks(it.a)
    if it.a.binding("email", ADDRESS):
        it.a.unbind("email", ADDRESS)
    it.a.require_terms({})
    it.a.accepted_terms.clear()
    it.homeserver.set_account_data(it.alice.user_id, "m.accepted_terms", {})
