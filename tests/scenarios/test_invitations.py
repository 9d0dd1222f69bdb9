"""Inviting people by their addresses, and accepting such an invitation."""

from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server import (
    HomeserverError,
    IdentityDisabled,
    InvalidAddress,
    InviteLink,
    OtherServersInvite,
    OutcomeUnknown,
    TermsNotSigned,
    ThreePidInUse,
    email,
    msisdn,
)
from nio_identity_server.endpoints.association import Bind
from nio_identity_server.errors import BadSignature
from tests.scenarios.cast import Cast, Role
from tests.scenarios.plain_client import demand
from tests.scenarios.test_own_addresses import bind


async def invited_link(alice: Role, room: str, address: str) -> InviteLink:
    """Invite an address, and read the mail that it gets."""
    await alice.server.invite(room, address)
    return InviteLink.parse(alice.stage.invite_link(address))


async def members(role: Role, room: str) -> dict[str, str]:
    """Who is in a room, or invited."""
    url = f"{role.stage.home_url}/_matrix/client/v3/rooms/{room}/state"
    state = await demand("GET", url, token=role.user.access_token)
    return {
        event["state_key"]: event["content"]["membership"]
        for event in state
        if event["type"] == "m.room.member"
    }


async def member(role: Role, room: str, of: Role) -> dict[str, Any]:
    """What the room says of one member."""
    url = f"{role.stage.home_url}/_matrix/client/v3/rooms/{room}/state/m.room.member"
    content: dict[str, Any] = await demand(
        "GET", f"{url}/{of.user.user_id}", token=role.user.access_token
    )
    return content


async def test_an_invitation_waits_for_the_address_to_be_bound(cast: Cast) -> None:
    """Its owner gets a mail, binds the address, and is invited; then nothing is pending."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    room, address = await alice.room(), cast.address()

    await alice.server.invite(room, address.upper())

    assert cast.stage.posts(address) == 1
    (pending,) = await alice.server.pending_invites(room)
    assert pending.sender == alice.user.user_id
    assert address not in pending.display_name
    assert all([await alice.server.is_valid_key(key) for key in pending.public_keys])
    assert await bob.invitations() == set()

    await bind(bob, email(address))
    await bob.is_invited(room)
    assert await alice.server.pending_invites(room) == ()
    invited = await member(alice, room, bob)
    assert invited["membership"] == "invite"
    await alice.server.verify(invited["third_party_invite"]["signed"])

    # The room forgets it when he comes in; taking it back then does not put him out.
    await bob.bot.join(room)
    (forgotten,) = await alice.server.pending_invites(room)
    await alice.server.revoke_invite(room, forgotten.token)
    assert await alice.server.pending_invites(room) == ()
    assert (await member(alice, room, bob))["membership"] == "join"


@pytest.mark.parametrize("by", ["email", "phone"])
async def test_who_is_found_is_invited_at_once(cast: Cast, by: str) -> None:
    """No mail is sent, and nothing waits."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    address = cast.address() if by == "email" else cast.number()
    await bind(bob, email(address) if by == "email" else msisdn(address))
    posts, room = cast.stage.posts(address), await alice.room()

    await alice.server.invite(room, address)

    await bob.is_invited(room)
    assert cast.stage.posts(address) == posts
    assert await alice.server.pending_invites(room) == ()


async def test_a_phone_number_of_nobody(cast: Cast) -> None:
    """It cannot be invited, and the homeserver is not even asked."""
    alice = await cast.role("alice")
    room = await alice.room()
    cast.stage.homeserver.clear()
    with pytest.raises(InvalidAddress, match="phone number"):
        await alice.server.invite(room, cast.number())
    assert cast.stage.homeserver.seen("/invite") == 0


async def test_a_revoked_invitation(cast: Cast) -> None:
    """Who binds the address afterwards is not invited, and the link opens nothing."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    room, address = await alice.room(), cast.address()
    link = await invited_link(alice, room, address)
    (pending,) = await alice.server.pending_invites(room)

    await alice.server.revoke_invite(room, pending.token)

    assert await alice.server.pending_invites(room) == ()
    with pytest.raises(HomeserverError):
        await bob.server.join_invited(link, sender=alice.user.user_id)
    await bind(bob, email(address))
    assert await bob.invitations() == set()


async def test_joining_by_the_link_signed_here(cast: Cast) -> None:
    """The private key stays here: no identity server is asked, even with all switched off."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    room, address = await alice.room(), cast.address()
    link = await invited_link(alice, room, address)
    assert (link.room_id, link.threepid) == (room, email(address))
    assert str(link.base_url) == cast.stage.directory_url
    await bob.server.disable()
    cast.stage.identity_server.clear()

    assert await bob.server.join_invited(link, sender=alice.user.user_id) == room

    assert (await members(alice, room))[bob.user.user_id] == "join"
    assert not [each for each in cast.stage.identity_server.requests if "sign" in each]


async def test_joining_by_the_link_signed_by_the_server(cast: Cast) -> None:
    """The server knows who invited; what it signs is checked."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    room, address = await alice.room(), cast.address()
    link = await invited_link(alice, room, address)

    assert await bob.server.join_invited(link) == room
    assert (await members(alice, room))[bob.user.user_id] == "join"
    assert await alice.server.pending_invites(room) == ()


async def test_joining_with_the_wrong_sender(cast: Cast) -> None:
    """The homeserver insists on who invited."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    link = await invited_link(alice, await alice.room(), cast.address())
    with pytest.raises(HomeserverError):
        await bob.server.join_invited(link, sender=bob.user.user_id)


async def test_a_link_of_another_server(cast: Cast) -> None:
    """Its key goes nowhere, and the message names both servers."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    await alice.server.invite(await alice.room(), address := cast.address())
    text = cast.stage.invite_link(address).replace("localhost", "other.example", 1)
    link = InviteLink.parse(text)
    with pytest.raises(OtherServersInvite) as caught:
        await bob.server.join_invited(link)
    assert caught.value.invite_server.startswith("https://other.example")
    assert caught.value.server == cast.stage.directory_url
    await bob.server.disable()
    with pytest.raises(IdentityDisabled):
        await bob.server.join_invited(link)


async def test_a_room_for_a_list(cast: Cast) -> None:
    """The room is made first, with all of nio's own arguments, and then people are invited."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    at_home, away = cast.address(), cast.address()
    await bind(bob, email(at_home))
    cast.stage.homeserver.clear()

    response = await alice.server.room_create(
        name="Plans", topic="What to do", invite_3pid=[at_home.upper(), away]
    )

    await bob.is_invited(response.room_id)
    assert cast.stage.posts(away) == 1
    (pending,) = await alice.server.pending_invites(response.room_id)
    assert pending.sender == alice.user.user_id
    assert b"invite_3pid" not in bytes(cast.stage.homeserver.received)


async def test_inviting_many(cast: Cast) -> None:
    """Each once, whoever is found by user ID; one who is in the room already hurts nobody."""
    alice, bob, carol = [await cast.role(name) for name in ("alice", "bob", "carol")]
    addresses = [cast.address() for _ in range(5)]
    await bind(bob, email(addresses[0]))
    await bind(carol, email(addresses[1]))
    await bind(alice, email(addresses[2]))
    room = await alice.room()

    report = await alice.server.invite_all(room, [*addresses, addresses[0].upper(), addresses[4]])

    assert dict(report.invited) == {
        email(addresses[0]): bob.user.user_id,
        email(addresses[1]): carol.user.user_id,
    }
    assert report.mailed == (email(addresses[3]), email(addresses[4]))
    assert set(report.failed) == {email(addresses[2])}  # she is in the room
    assert (report.left, report.stopped) == ((), None)
    assert [cast.stage.posts(address) for address in addresses[3:]] == [1, 1]


async def test_an_address_that_cannot_be_mailed(cast: Cast) -> None:
    """It fails alone: the identity server is asked, answers, and the next is invited."""
    alice = await cast.role("alice")
    room, bad, good = await alice.room(), cast.address("reject{}@example.org"), cast.address()
    cast.stage.refuse_mail(bad)

    report = await alice.server.invite_all(room, [bad, good])

    assert set(report.failed) == {email(bad)}
    assert report.mailed == (email(good),)


async def test_a_dead_server_stops_a_list(cast: Cast) -> None:
    """Nobody is tried in vain, and the report says who is left."""
    alice = await cast.role("alice")
    room, addresses = await alice.room(), [cast.address() for _ in range(3)]
    await alice.server.lookup(addresses)
    await cast.stage.stop_identity_server()
    try:
        with pytest.raises(Exception, match="no answer from"):
            await alice.server.invite_all(room, addresses)
        with pytest.raises(Exception, match="no answer from"):
            await alice.server.invite(room, addresses[0])
    finally:
        await cast.stage.start_identity_server()
    assert [cast.stage.posts(address) for address in addresses] == [0, 0, 0]


async def test_terms_are_looked_at_first(cast_with_terms: Cast) -> None:
    """The homeserver, which would hide them in a 500, is not asked."""
    cast = cast_with_terms
    await cast.stage.require_terms()
    alice = await cast.role("alice")
    room = await alice.room()
    cast.stage.homeserver.clear()
    with pytest.raises(TermsNotSigned):
        await alice.server.invite(room, cast.address())
    with pytest.raises(TermsNotSigned):
        await alice.server.room_create(invite_3pid=[cast.address()])
    assert cast.stage.homeserver.seen("/invite") == 0
    assert cast.stage.homeserver.seen("/createRoom") == 0


async def test_storing_an_invitation(cast: Cast) -> None:
    """The mail goes out and the room is not told; for a bound address it says whose it is."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    room, address = await alice.room(), cast.address()

    stored = await alice.server.store_invite(room, address)

    assert cast.stage.posts(address) == 1
    assert await alice.server.pending_invites(room) == ()
    for key in stored.public_keys:
        assert await alice.server.is_valid_key(key.public_key)
    await bind(bob, email(address))
    with pytest.raises(ThreePidInUse) as caught:
        await alice.server.store_invite(room, address)
    assert caught.value.user_id == bob.user.user_id
    with pytest.raises(InvalidAddress):
        await alice.server.store_invite(room, cast.number())


async def test_signatures_of_the_server(cast: Cast) -> None:
    """What it signs holds; with one letter changed, or one key forged, it does not."""
    alice = await cast.role("alice")
    threepid = email(cast.address())
    validation = await alice.server.request_token(threepid)
    await alice.server.submit_token(validation, cast.stage.code(threepid.address))
    association = await alice.server.call(
        Bind(validation.sid, validation.client_secret, alice.user.user_id)
    )

    await alice.server.verify(association)

    changed = {**association.signed_object, "mxid": "@mallory:example.org"}
    with pytest.raises(BadSignature):
        await alice.server.verify(changed)
    strangers = {"elsewhere": {"ed25519:nobody": "A" * 86}}
    with pytest.raises(BadSignature):
        await alice.server.verify({**association.signed_object, "signatures": strangers})
    assert not await alice.server.is_valid_key("A" * 43)


async def test_a_homeserver_that_does_not_tell(cast: Cast) -> None:
    """Synapse's 500 means that nobody knows whether the invitation was made."""
    alice = await cast.role("alice")
    room, bad = await alice.room(), cast.address("reject{}@example.org")
    cast.stage.refuse_mail(bad)
    with pytest.raises(OutcomeUnknown):
        await alice.server.invite(room, bad)
