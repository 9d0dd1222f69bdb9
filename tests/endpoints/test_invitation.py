from __future__ import annotations

import json
from typing import Any

import pytest

from nio_identity_server.endpoint import BadReply
from nio_identity_server.endpoints.homeserver_room import (
    GetRoomState,
    InviteBy3PID,
    InviteUser,
    JoinedRoom,
    JoinRoom,
    SentEvent,
    SetRoomStateWithKey,
    StateEvent,
)
from nio_identity_server.endpoints.invitation import (
    BlindlySignStuff,
    InviteKey,
    SignedInvite,
    StoredInvite,
    StoreInvite,
)

INVITED = {
    "address": "foo@example.com",
    "room_id": "!something:example.org",
    "sender": "@bob:example.com",
}
DESCRIBED = INVITED | {
    "room_alias": "#somewhere:example.org",
    "room_avatar_url": "mxc://example.org/s0meM3dia",
    "room_join_rules": "public",
    "room_name": "Bob's Emporium of Messages",
    "sender_display_name": "Bob Smith",
    "sender_avatar_url": "mxc://example.org/an0th3rM3dia",
    "room_type": "m.space",
}
VALIDITY = "https://example.com/_matrix/identity/v2/pubkey"
STORED: dict[str, Any] = {
    "token": "sometoken",
    "public_keys": [
        {"public_key": "serverPublicKeyBase64", "key_validity_url": f"{VALIDITY}/isvalid"},
        {
            "public_key": "ephemeralPublicKeyBase64",
            "key_validity_url": f"{VALIDITY}/ephemeral/isvalid",
        },
    ],
    "display_name": "f...@b...",
}
SIGNED: dict[str, Any] = {
    "mxid": "@foo:bar.com",
    "sender": "@baz:bar.com",
    "signatures": {"my.id.server": {"ed25519:0": "def987"}},
    "token": "abc123",
}
ROOM = "!636q39766251:example.com"
PROOF = {
    "sender": "@alice:example.org",
    "mxid": "@bob:example.org",
    "token": "random8nonce",
    "signatures": {"example.org": {"ed25519:0": "some9signature"}},
}
PENDING = {
    "display_name": "Alice Margatroid",
    "key_validity_url": "https://magic.forest/verifykey",
    "public_key": "abc123",
    "public_keys": [{"public_key": "def456", "key_validity_url": "https://magic.forest/verifykey"}],
}
EVENT = "m.room.third_party_invite"
SIGN = {"mxid": "@foo:bar.com", "token": "sometoken", "private_key": "base64encodedkey"}
# The specification's own: endpoint, request, reply, what the reply means.
EXAMPLES: list[tuple[Any, Any, Any, Any]] = [
    (
        StoreInvite(**DESCRIBED),
        DESCRIBED | {"medium": "email"},
        STORED,
        StoredInvite(
            "sometoken",
            "f...@b...",
            (
                InviteKey("serverPublicKeyBase64", f"{VALIDITY}/isvalid"),
                InviteKey("ephemeralPublicKeyBase64", f"{VALIDITY}/ephemeral/isvalid"),
            ),
        ),
    ),
    (BlindlySignStuff(**SIGN), SIGN, SIGNED, SignedInvite(**SIGNED, signed_object=SIGNED)),
    (
        InviteBy3PID(
            "!d41d8cd:matrix.org", "matrix.org", "abc123_OpaqueString", "email", "cheeky@monkey.com"
        ),
        {
            "id_server": "matrix.org",
            "id_access_token": "abc123_OpaqueString",
            "medium": "email",
            "address": "cheeky@monkey.com",
        },
        {},
        {},
    ),
    (
        InviteUser("!d41d8cd:matrix.org", "@cheeky_monkey:matrix.org", "Welcome to the team!"),
        {"user_id": "@cheeky_monkey:matrix.org", "reason": "Welcome to the team!"},
        {},
        {},
    ),
    (
        JoinRoom("#monkeys:matrix.org", PROOF),
        {"third_party_signed": PROOF},
        {"room_id": "!d41d8cd:matrix.org"},
        JoinedRoom("!d41d8cd:matrix.org"),
    ),
    (
        SetRoomStateWithKey(ROOM, "m.room.member", "@alice:example.com", {"membership": "join"}),
        {"membership": "join"},
        {"event_id": "$YUwRidLecu:example.com"},
        SentEvent("$YUwRidLecu:example.com"),
    ),
]


def test_what_is_not_known_is_left_out() -> None:
    """An invitation without a description of the room sends no nulls."""
    assert StoreInvite(**INVITED).body == INVITED | {"medium": "email"}


def test_sydent_tells_the_first_key_twice() -> None:
    """The single key of old is read where it is sent."""
    sent = STORED | {"public_key": "serverPublicKeyBase64"}
    reply = StoreInvite(**INVITED).read(json.dumps(sent).encode())

    assert reply.public_key == "serverPublicKeyBase64"


@pytest.mark.parametrize("key", [None, "a", {}, {"public_key": "a"}, {"key_validity_url": "b"}])
def test_keys_are_whole(key: Any) -> None:
    """A key that lacks one of its two parts makes the reply a bad one."""
    with pytest.raises(BadReply, match=r"^the body has the wrong form: "):
        StoreInvite(**INVITED).read(json.dumps(STORED | {"public_keys": [key]}).encode())


@pytest.mark.parametrize("token", ["", "a" * 256, "hunter2 b", "a\n", "../x"])
def test_tokens_have_a_grammar(token: str) -> None:
    """A token that the specification does not allow is neither read nor sent, nor repeated."""
    with pytest.raises(BadReply, match=r"token is not 1 to 255 characters") as read:
        StoreInvite(**INVITED).read(json.dumps(STORED | {"token": token}).encode())
    with pytest.raises(ValueError, match=r"^token is not 1 to 255 characters of ") as sent:
        BlindlySignStuff(**SIGN | {"token": token})
    assert "hunter2" not in str(read.value) + str(sent.value)


@pytest.mark.parametrize("key", ["", "hunter2=", "a b", "a\n", "\u00fc"])
def test_private_keys_are_unpadded_base64(key: str) -> None:
    """A key in another form cannot be sent, and is not repeated."""
    with pytest.raises(ValueError, match=r"^private_key is not unpadded base64$"):
        BlindlySignStuff(**SIGN | {"private_key": key})


def test_all_that_is_signed_is_kept() -> None:
    """The homeserver checks the signature of the whole object, so the whole is passed on."""
    sent = SIGNED | {"org.example.more": 1}

    assert sent == BlindlySignStuff(**SIGN).read(json.dumps(sent).encode()).signed_object


def test_secrets_do_not_show() -> None:
    """Tokens, keys and addresses are not printed."""
    shown = repr(BlindlySignStuff(**SIGN)) + repr(StoreInvite(**INVITED))
    shown += repr(StoreInvite(**INVITED).read(json.dumps(STORED).encode()))
    shown += repr(BlindlySignStuff(**SIGN).read(json.dumps(SIGNED).encode()))

    for secret in ("sometoken", "base64encodedkey", "foo@example.com", "abc123", "def987"):
        assert secret not in shown


def test_an_invitation_without_a_reason() -> None:
    """A reason that is not given is not sent."""
    assert InviteUser(ROOM, "@a:b.example").body == {"user_id": "@a:b.example"}


@pytest.mark.parametrize("medium", ["", "Email", "email\n", "phone"])
def test_there_are_two_mediums(medium: str) -> None:
    """Who is invited has an email address or a phone number."""
    with pytest.raises(ValueError, match=r"^medium is neither email nor msisdn$"):
        InviteBy3PID(ROOM, "id.example.org", "token", medium, "a@b.example")


@pytest.mark.parametrize(
    ("via", "query"),
    [
        ((), ""),
        (("matrix.org", "elsewhere.ca"), "?via=matrix.org&via=elsewhere.ca"),
        (["a.example:8448"], "?via=a.example%3A8448"),
        (["x&y=z #"], "?via=x%26y%3Dz%20%23"),
    ],
)
def test_joining_through_others(via: Any, query: str) -> None:
    """The servers that are in the room already are named in the query, each on its own."""
    endpoint = JoinRoom("!a/b:example.org", via=via)

    assert f"/_matrix/client/v3/join/%21a%2Fb%3Aexample.org{query}" == endpoint.target
    assert endpoint.body == {}


def test_pending_invitations_are_in_the_state_of_the_room() -> None:
    """State is a list of events, in which a pending and a revoked invitation can be told apart."""
    base = {"type": EVENT, "sender": "@a:b.example", "event_id": "$1", "origin_server_ts": 1}
    events = [base | {"state_key": "pc98", "content": PENDING}, base | {"state_key": "pc99"}]
    events[1]["content"] = {}
    endpoint = GetRoomState(ROOM)

    assert endpoint.target == "/_matrix/client/v3/rooms/%21636q39766251%3Aexample.com/state"
    assert endpoint.cap == 32 * 1024 * 1024
    assert endpoint.read(json.dumps(events).encode()) == (
        StateEvent(EVENT, "pc98", "@a:b.example", PENDING),
        StateEvent(EVENT, "pc99", "@a:b.example", {}),
    )


@pytest.mark.parametrize("key", ["type", "state_key", "sender", "content"])
@pytest.mark.parametrize("change", [None, 5, ["x"]])
def test_state_events_of_the_wrong_form(key: str, change: Any) -> None:
    """A state event with a part of another type makes the reply a bad one."""
    event = {"type": EVENT, "sender": "@a:b.example", "state_key": "pc98", "content": {}}
    with pytest.raises(BadReply, match=r"^the body has the wrong form: "):
        GetRoomState(ROOM).read(json.dumps([event | {key: change}]).encode())


def test_revoking_an_invitation() -> None:
    """Empty content for the same key is an empty object, not a missing body."""
    endpoint = SetRoomStateWithKey(ROOM, EVENT, "pc98", {})

    assert endpoint.payload == b"{}"
    assert endpoint.target.endswith("/state/m.room.third_party_invite/pc98")
