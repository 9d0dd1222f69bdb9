from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server.endpoints.homeserver_room import (
    GetRoomState,
    SentEvent,
    SetRoomStateWithKey,
    StateEvent,
)
from nio_identity_server.errors import HomeserverError, OutcomeUnknown
from nio_identity_server.flows.pending_invites import (
    PendingInvite,
    pending_invites,
    revoke_invite,
)
from nio_identity_server.signing import encode_base64, public_key_of, sign_json
from tests.flows.two_servers import HOMESERVER, Script

ROOM = "!abc:example.org"
BOB = "@bob:example.org"
INVITE = "m.room.third_party_invite"
SEED = encode_base64(bytes(range(32)))
KEY = public_key_of(SEED)
OTHER_SEED = encode_base64(bytes(range(1, 33)))


def content(*keys: Any, **more: Any) -> dict[str, Any]:
    """The content of an invitation with these keys in its list."""
    return {
        "display_name": "can...@exa...",
        "public_keys": [{"public_key": key, "key_validity_url": "https://x"} for key in keys],
    } | more


def invitation(token: str, **parts: Any) -> StateEvent:
    """An invitation by this name."""
    return StateEvent(INVITE, token, parts.pop("sender", BOB), parts.pop("content", content(KEY)))


def acceptance(token: Any, seed: str = SEED) -> dict[str, Any]:
    """What was signed to accept an invitation."""
    accepted = {"mxid": "@carol:example.org", "sender": BOB, "token": token}
    return sign_json(accepted, seed, "id.example.org", "ed25519:0")


def member(content: dict[str, Any]) -> StateEvent:
    """A membership."""
    return StateEvent("m.room.member", "@carol:example.org", BOB, content)


def invited(token: Any, seed: str = SEED) -> dict[str, Any]:
    """The membership of somebody whose acceptance made an invite of an invitation."""
    accepted = {"display_name": "can...", "signed": acceptance(token, seed)}
    return {"membership": "invite", "third_party_invite": accepted}


async def pending(*state: StateEvent) -> tuple[PendingInvite, ...]:
    """What waits in a room of this state."""
    ask = Script({GetRoomState: state})
    found = await pending_invites(ask, ROOM)
    assert ask.asked == [GetRoomState(ROOM)]
    return found


async def tokens(*state: StateEvent) -> list[str]:
    """The names of what waits."""
    return [each.token for each in await pending(*state)]


async def test_an_invitation_that_waits() -> None:
    """It is told with who sent it, the masked address, and its keys."""
    assert await pending(invitation("t1", content=content("k1", "k2"))) == (
        PendingInvite("t1", "can...@exa...", BOB, ("k1", "k2")),
    )


async def test_they_come_in_the_order_of_the_state() -> None:
    """Among everything else that a room's state holds."""
    other = StateEvent("m.room.name", "", BOB, content("k"))
    state = [invitation("b"), other, invitation("a"), invitation("c", sender="@x:y"), other]
    assert await tokens(*state) == ["b", "a", "c"]


async def test_a_room_without_any() -> None:
    """Also an empty state."""
    assert await pending() == ()
    assert await pending(StateEvent("m.room.create", "", BOB, {})) == ()


@pytest.mark.parametrize(
    "revoked", [{}, {"public_keys": []}, {"display_name": None}, {"display_name": 5}]
)
async def test_a_revoked_invitation_does_not_wait(revoked: dict[str, Any]) -> None:
    """It has no content left, or at least no name that could be shown."""
    assert await tokens(invitation("a", content=revoked), invitation("b")) == ["b"]


async def test_an_empty_name_is_a_name() -> None:
    """What the identity server shows is its own affair."""
    assert await tokens(invitation("a", content={"display_name": ""})) == ["a"]


ACCEPTED = {
    "invited": member(invited("a")),
    "joined by the link": member({"membership": "join", "third_party_signed": acceptance("a")}),
}


@pytest.mark.parametrize("accepted", ACCEPTED.values(), ids=ACCEPTED)
async def test_an_accepted_invitation_does_not_wait(accepted: StateEvent) -> None:
    """Wherever in the state the membership stands, and as long as it holds the proof."""
    assert await tokens(accepted, invitation("a"), invitation("b")) == ["b"]
    assert await tokens(invitation("a"), invitation("b"), accepted) == ["b"]


async def test_any_of_the_keys_will_do() -> None:
    """The list has the server's own and the invitation's."""
    waiting = invitation("a", content=content("other", KEY))
    assert await tokens(waiting, member(invited("a"))) == []


async def test_what_is_not_signed_hides_nothing() -> None:
    """Members write their own content, about any token."""
    forged = invited("a")
    forged["third_party_invite"]["signed"]["mxid"] = "@mallory:example.org"
    assert await tokens(invitation("a"), member(forged)) == ["a"]
    assert await tokens(invitation("a"), member(invited("a", OTHER_SEED))) == ["a"]


async def test_only_a_membership_accepts_an_invitation() -> None:
    """An event of another type may hold anything."""
    other = StateEvent("org.example.member", "x", BOB, invited("a"))
    assert await tokens(invitation("a"), other) == ["a"]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"third_party_invite": None},
        {"third_party_invite": "a"},
        {"third_party_invite": ["signed"]},
        {"third_party_invite": {}},
        {"third_party_invite": {"signed": "token"}},
        {"third_party_invite": {"signed": {}}},
        {"third_party_invite": {"token": "a"}},
        {"signed": {"token": "a"}},
        {"third_party_invite": {"signed": {"token": None}}},
        {"third_party_invite": {"signed": {"token": ["a"]}}},
        {"third_party_invite": {"signed": {"token": {"a": 1}}}},
    ],
)
async def test_a_membership_of_any_other_form_accepts_nothing(odd: dict[str, Any]) -> None:
    """Members write their own content: it neither hides an invitation nor raises."""
    assert await tokens(member(odd), invitation("a")) == ["a"]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, ()),
        ({"public_key": "k0"}, ("k0",)),
        (content("k1", public_key="k1"), ("k1",)),
        (content("k1", "k2", public_key="k1"), ("k1", "k2")),
        (content("k1", "k2", public_key="k0"), ("k1", "k2", "k0")),
        (content("k1", "k1", "k2"), ("k1", "k2")),
        ({"public_keys": None, "public_key": "k0"}, ("k0",)),
        ({"public_keys": "k1"}, ()),
        ({"public_keys": {"public_key": "k1"}}, ()),
        ({"public_keys": [None, "k1", {}, {"public_key": 5}, {"public_key": "k2"}]}, ("k2",)),
        ({"public_keys": [{"public_key": ["k1"]}], "public_key": {"k": 1}}, ()),
    ],
)
async def test_the_keys_of_an_invitation(parts: dict[str, Any], expected: tuple[str, ...]) -> None:
    """Each once, those of the list first; whatever is no key is passed over."""
    (found,) = await pending(invitation("a", content={"display_name": "x"} | parts))
    assert found.public_keys == expected


async def test_an_invitation_shows_neither_its_name_nor_the_address() -> None:
    """The name is what its acceptance is signed over, and the mask leaves parts of an address."""
    (found,) = await pending(invitation("canary-token"))
    shown = f"{found} {found!r} {[found]}"
    assert "canary" not in shown
    assert "can..." not in shown
    assert BOB in shown


async def test_a_homeserver_that_does_not_tell() -> None:
    """Its refusal comes out: nothing is not the same as none."""
    refused = HomeserverError(403, "M_FORBIDDEN", "not in the room", HOMESERVER)
    with pytest.raises(HomeserverError) as caught:
        await pending_invites(Script({GetRoomState: refused}), ROOM)
    assert caught.value is refused


async def test_an_invitation_is_revoked_by_an_empty_one_of_its_name() -> None:
    """One request, which replaces it."""
    ask = Script({SetRoomStateWithKey: SentEvent("$e")})
    await revoke_invite(ask, ROOM, "abc/..")
    assert ask.asked == [SetRoomStateWithKey(ROOM, INVITE, "abc/..", {})]
    assert ask.asked[0].body == {}
    assert await tokens(invitation("abc/..", content=dict(ask.asked[0].body or {}))) == []


@pytest.mark.parametrize("kind", [HomeserverError, OutcomeUnknown])
async def test_a_revocation_that_failed_is_told(kind: type[HomeserverError]) -> None:
    """And not tried again."""
    refused = kind(403, "M_FORBIDDEN", "", HOMESERVER)
    ask = Script({SetRoomStateWithKey: refused})
    with pytest.raises(kind) as caught:
        await revoke_invite(ask, ROOM, "abc")
    assert caught.value is refused
    assert len(ask.asked) == 1
