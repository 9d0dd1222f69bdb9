from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from nio_identity_server.endpoint import Endpoint
from nio_identity_server.endpoints.homeserver_room import JoinedRoom, JoinRoom
from nio_identity_server.endpoints.invitation import BlindlySignStuff, SignedInvite
from nio_identity_server.errors import BadResponse, HomeserverError, MatrixError
from nio_identity_server.flows.joining import have_invite_signed, join_signed, sign_invite
from nio_identity_server.signing import (
    NotAKey,
    decode_base64,
    encode_base64,
    is_signed,
    public_key_of,
    sign_json,
)
from tests.canaries import assert_no_secret
from tests.flows.two_servers import HOMESERVER, SERVER, TOKEN, USER, Script, TwoServers

ROOM = "!abc:example.org"
BOB = "@bob:example.org"
NAME = "canary-invitation"
KEY, OTHER = (encode_base64(bytes([number]) * 32) for number in (1, 2))
PUBLIC = public_key_of(KEY)
BAD_KEYS = ["", "canary", KEY[:-2], KEY + "AA", KEY + "\n", "é" * 43]
NOT_THE_KEY = "its signature is not by the invitation's key"
ANOTHER = "it signed another invitation"
KEYS = st.binary(min_size=32, max_size=32).map(encode_base64)


def signature_of(signed: dict[str, Any]) -> str:
    """The only signature of an object."""
    ((signature,),) = (keys.values() for keys in signed["signatures"].values())
    assert isinstance(signature, str)
    return signature


def reply(signed: dict[str, Any]) -> SignedInvite:
    """What the identity server answers, as it is read."""
    parts = {name: signed[name] for name in ("mxid", "sender", "signatures", "token")}
    return SignedInvite(**parts, signed_object=signed)


def signing(
    key: str = KEY, change: Callable[[dict[str, Any]], dict[str, Any]] = lambda signed: signed
) -> TwoServers:
    """An identity server that signs with a key, and changes what it answers."""

    def sign(endpoint: Endpoint[Any]) -> SignedInvite:
        assert isinstance(endpoint, BlindlySignStuff)
        accepted = {"mxid": endpoint.mxid, "sender": BOB, "token": endpoint.token}
        return reply(change(sign_json(accepted, key, "id.example.org", "ed25519:0")))

    return TwoServers({BlindlySignStuff: sign})


async def bad_response(servers: TwoServers) -> BadResponse:
    """Why what the identity server answered is not used."""
    with pytest.raises(BadResponse) as caught:
        await have_invite_signed(servers.session, NAME, KEY, USER)
    assert caught.value.server == SERVER
    return caught.value


# -- signing here


def test_an_acceptance_is_signed_with_the_invitations_key() -> None:
    """It says who accepts which invitation of whom, and nothing else."""
    signed = sign_invite(NAME, KEY, user_id=USER, sender=BOB)

    assert {name: signed[name] for name in signed if name != "signatures"} == {
        "mxid": USER,
        "sender": BOB,
        "token": NAME,
    }
    assert is_signed(signed, signature_of(signed), PUBLIC)
    (key_ids,) = signed["signatures"].values()
    assert [key_id.partition(":")[0] for key_id in key_ids] == ["ed25519"]
    assert KEY not in repr(signed)


@pytest.mark.parametrize("name", ["mxid", "sender", "token"])
def test_the_signature_covers_all_of_the_acceptance(name: str) -> None:
    """Nobody else can use it, and it is good for no other invitation."""
    signed = sign_invite(NAME, KEY, user_id=USER, sender=BOB)
    less = {key: value for key, value in signed.items() if key != name}

    assert not is_signed(signed | {name: f"{signed[name]}x"}, signature_of(signed), PUBLIC)
    assert not is_signed(less, signature_of(signed), PUBLIC)


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(codec="utf-8")), KEYS, KEYS)
def test_the_acceptance_is_signed_by_that_key_and_no_other(
    user_id: str, key: str, other: str
) -> None:
    """Whoever accepts."""
    signed = sign_invite(NAME, key, user_id=user_id, sender=BOB)
    assert is_signed(signed, signature_of(signed), public_key_of(key))
    assert (key == other) is is_signed(signed, signature_of(signed), public_key_of(other))


def test_the_key_is_read_in_either_alphabet() -> None:
    """As mails have it."""
    key = encode_base64(b"\xfb\xff\xbf" * 10 + b"ab")
    assert {"+", "/"} < set(key)
    url_safe = key.replace("+", "-").replace("/", "_")
    assert sign_invite(NAME, key, user_id=USER, sender=BOB) == sign_invite(
        NAME, url_safe, user_id=USER, sender=BOB
    )


@pytest.mark.parametrize("key", BAD_KEYS)
def test_nothing_is_signed_with_what_is_no_key(key: str) -> None:
    """It is refused as a ValueError that does not repeat it."""
    with pytest.raises(NotAKey) as caught:
        sign_invite(NAME, key, user_id=USER, sender=BOB)
    assert isinstance(caught.value, ValueError)
    assert_no_secret(caught.value.with_traceback(None), ["canary", KEY[:-2]])


# -- having it signed


async def test_the_identity_server_signs_for_this_user() -> None:
    """It is told the token and the key, and what it answers is given on as it is."""
    servers = signing(change=lambda signed: signed | {"unsigned": {"x": 1}})
    signed = await have_invite_signed(servers.session, NAME, KEY, USER)

    assert servers.asked == [BlindlySignStuff(USER, NAME, KEY)]
    assert [token.reveal() for token in servers.tokens if token] == [TOKEN]
    assert is_signed(signed, signature_of(signed), PUBLIC)
    assert (signed["mxid"], signed["sender"], signed["token"]) == (USER, BOB, NAME)
    assert signed["unsigned"] == {"x": 1}


async def test_what_the_identity_server_signs_beyond_that_is_kept() -> None:
    """The homeserver has to get all that is signed."""

    def sign(_: object) -> SignedInvite:
        more = {"mxid": USER, "sender": BOB, "token": NAME, "more": ["x"]}
        return reply(sign_json(more, KEY, "id.example.org", "ed25519:0"))

    signed = await have_invite_signed(TwoServers({BlindlySignStuff: sign}).session, NAME, KEY, USER)
    assert signed["more"] == ["x"]
    assert is_signed(signed, signature_of(signed), PUBLIC)


@pytest.mark.parametrize(
    "change",
    [
        {"mxid": "@mallory:example.org"},
        {"token": "another"},
        {"mxid": "@mallory:example.org", "token": "another"},
        {"mxid": USER.upper()},
    ],
)
@pytest.mark.parametrize("is_resigned", [True, False])
async def test_an_acceptance_of_something_else_is_refused(
    change: dict[str, Any], is_resigned: bool
) -> None:
    """Another user's or another invitation's, however well it is signed."""

    def other(signed: dict[str, Any]) -> dict[str, Any]:
        changed = {**signed, **change, "signatures": {}}
        if is_resigned:
            return sign_json(changed, KEY, "id.example.org", "ed25519:0")
        return {**signed, **change}

    assert (await bad_response(signing(change=other))).reason == ANOTHER


async def test_a_signature_by_another_key_is_refused() -> None:
    """The homeserver would refuse it too, with less to say."""
    assert (await bad_response(signing(OTHER))).reason == NOT_THE_KEY


def _flip(signed: dict[str, Any]) -> dict[str, Any]:
    flipped = bytearray(decode_base64(signature_of(signed)))
    flipped[40] ^= 1
    return with_signatures({"a": {"ed25519:0": encode_base64(bytes(flipped))}})(signed)


def with_signatures(signatures: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Answer these signatures instead."""
    return lambda signed: {**signed, "signatures": signatures}


@pytest.mark.parametrize(
    "change",
    [
        _flip,
        with_signatures({}),
        with_signatures({"id.example.org": {}}),
        with_signatures({"id.example.org": {"ed25519:0": ""}}),
        with_signatures({"id.example.org": {"ed25519:0": "not base64"}}),
        lambda signed: signed | {"sender": "@mallory:example.org"},
        lambda signed: signed | {"more": 1},
        lambda signed: signed | {"more": 1.5},
    ],
)
async def test_what_is_not_signed_by_the_invitations_key_is_refused(
    change: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    """All that is answered has to be."""
    assert (await bad_response(signing(change=change))).reason == NOT_THE_KEY


async def test_one_good_signature_among_others_is_enough() -> None:
    """Whoever is said to have made it: homeservers look at every one too."""

    def more(signed: dict[str, Any]) -> dict[str, Any]:
        others = {"a.example": {"ed25519:0": "AAAA"}, "b.example": {}}
        return {**signed, "signatures": {**others, **signed["signatures"]}}

    signed = await have_invite_signed(signing(change=more).session, NAME, KEY, USER)
    assert set(signed["signatures"]) == {"a.example", "b.example", "id.example.org"}


async def test_what_was_refused_shows_no_secret() -> None:
    """The key could still be used by whoever reads it."""
    for servers in (signing(OTHER), signing(change=lambda signed: signed | {"token": "x"})):
        error = await bad_response(servers)
        assert_no_secret(error.with_traceback(None), [KEY, NAME, TOKEN, signature_of_key()])


def signature_of_key() -> str:
    """The signature that would be good."""
    return signature_of(sign_invite(NAME, KEY, user_id=USER, sender=BOB))


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_what_is_no_key_is_refused_before_anything_is_sent(key: str) -> None:
    """It may be nearly one."""
    servers = signing()
    with pytest.raises(NotAKey) as caught:
        await have_invite_signed(servers.session, NAME, key, USER)
    assert servers.asked == []
    assert_no_secret(caught.value.with_traceback(None), ["canary", KEY[:-2]])


@pytest.mark.parametrize("name", ["", "canary\n", "a/b", "a" * 256])
async def test_what_is_no_token_is_refused_before_anything_is_sent(name: str) -> None:
    """And not repeated."""
    servers = signing()
    with pytest.raises(ValueError, match=r"^token is not 1 to 255 characters") as caught:
        await have_invite_signed(servers.session, name, KEY, USER)
    assert servers.asked == []
    assert_no_secret(caught.value.with_traceback(None), ["canary", KEY])


async def test_a_server_that_does_not_sign_is_told_as_it_is() -> None:
    """Sydent knows its own invitations only."""
    refused = MatrixError(404, "M_UNRECOGNIZED", "Didn't recognise token", SERVER)
    servers = TwoServers({BlindlySignStuff: refused})
    with pytest.raises(MatrixError) as caught:
        await have_invite_signed(servers.session, NAME, KEY, USER)
    assert caught.value is refused
    assert len(servers.asked) == 1


# -- entering the room


@pytest.mark.parametrize("via", [(), ("a.example", "b.example:8448")])
async def test_the_room_is_entered_with_the_acceptance(via: tuple[str, ...]) -> None:
    """As it was signed; the homeserver says which room it was."""
    signed = sign_invite(NAME, KEY, user_id=USER, sender=BOB)
    before = copy.deepcopy(signed)
    ask = Script({JoinRoom: JoinedRoom("!real:example.org")})

    assert await join_signed(ask, ROOM, signed, via) == "!real:example.org"
    assert ask.asked == [JoinRoom(ROOM, before, via)]
    assert ask.asked[0].body == {"third_party_signed": before}


async def test_a_room_that_cannot_be_entered_is_told_and_not_tried_again() -> None:
    """The invitation may be used or revoked."""
    refused = HomeserverError(403, "M_FORBIDDEN", "", HOMESERVER)
    ask = Script({JoinRoom: refused})
    with pytest.raises(HomeserverError) as caught:
        await join_signed(ask, ROOM, sign_invite(NAME, KEY, user_id=USER, sender=BOB))
    assert caught.value is refused
    assert len(ask.asked) == 1
