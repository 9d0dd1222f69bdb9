"""Invitations by address, in front of embedded servers with trouble."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nio_identity_server import (
    BadResponse,
    CannotConnect,
    HomeserverError,
    IdentityDisabled,
    IdentityServerChanged,
    InvalidAddress,
    InviteLink,
    InvitesFailed,
    OutcomeUnknown,
    email,
)
from nio_identity_server.flows.invitation import InviteReport
from nio_identity_server.signing import encode_base64, is_signed, public_key_of
from tests.bots import World
from tests.canaries import assert_no_secret
from tests.client.owning.stage import ADDRESS, known

KEY = encode_base64(bytes(range(32)))


async def room(it: World) -> str:
    """Make a room with nio."""
    response = await it.bot.room_create()
    return str(response.room_id)


async def test_patience_has_an_end() -> None:
    """A 429 that asks for more than the time limit stops a list, and the report tells the rest."""
    async with known() as it:
        it.a.bind("email", "bob@x.test", it.bob.user_id)
        room_id = await room(it)
        it.homeserver.limit_invites(2)

        addresses = ["one@x.test", "bob@x.test", "two@x.test", "three@x.test"]
        report = await it.server.invite_all(room_id, addresses)

        assert report.mailed == (email("one@x.test"),)
        assert report.invited == {email("bob@x.test"): it.bob.user_id}
        assert report.left == (email("two@x.test"), email("three@x.test"))
        assert isinstance(report.stopped, HomeserverError)
        assert report.stopped.retry_after == 400.0
        assert set(report.missing) == set(report.left)
        assert len(it.homeserver.seen("POST", "/invite")) == 3
        assert not {"one@x.test", "two@x.test"} & set(repr(report).split("'"))

        it.homeserver.limit_invites(None)
        rest = await it.server.invite_all(room_id, report.missing)
        assert rest.mailed == report.left


async def test_results_as_they_come() -> None:
    """A list can be written down while it is worked off, before and after each attempt."""
    async with known() as it:
        it.a.bind("email", "bob@x.test", it.bob.user_id)
        it.a.refuse_mail("bad@x.test")
        room_id = await room(it)
        told: list[tuple[Any, ...]] = []
        tried: list[str] = []

        def write_down(threepid: Any, user_id: str | None, error: Exception | None) -> None:
            if threepid == email("last@x.test"):
                it.homeserver.limit_invites(0)
            told.append((threepid.address, user_id, type(error)))

        def note(threepid: Any) -> None:
            tried.append(threepid.address)
            assert len(tried) == len(told) + 1

        addresses = ["bob@x.test", "bad@x.test", "last@x.test", "left@x.test"]
        report = await it.server.invite_all(
            room_id, addresses, on_attempt=note, on_result=write_down
        )

        assert told == [
            ("bob@x.test", it.bob.user_id, type(None)),
            ("bad@x.test", None, OutcomeUnknown),
            ("last@x.test", None, type(None)),
            ("left@x.test", None, HomeserverError),
        ]
        assert tried == addresses
        assert report.left == (email("left@x.test"),)


async def test_a_room_that_could_not_be_filled() -> None:
    """The room's id and the rest are in the exception: nothing is lost."""
    async with known() as it:
        it.homeserver.limit_invites(1)
        with pytest.raises(InvitesFailed) as caught:
            await it.server.room_create(name="Plans", invite_3pid=["a@x.test", "b@x.test"])
        failure = caught.value
        assert set(failure.failed) == {email("b@x.test")}
        assert failure.room_id == failure.response.room_id
        (pending,) = await it.server.pending_invites(failure.room_id)
        assert pending.sender == it.alice.user_id
        assert it.homeserver.invite_3pid_requests == []
        assert_no_secret(failure.with_traceback(None), ["a@x.test", "b@x.test"])


async def test_a_room_with_nobody_to_invite_by_address() -> None:
    """It is nio's own call: no identity server is needed, not even a choice."""
    async with known() as it:
        await it.server.disable()
        it.a.clear()
        response = await it.server.room_create(name="Plans", invite=[it.bob.user_id])
        assert response.room_id.startswith("!")
        assert it.a.requests == []
        with pytest.raises(IdentityDisabled):
            await it.server.room_create(invite_3pid=[ADDRESS])
        assert len(it.homeserver.seen("POST", "createRoom")) == 1


async def test_a_room_is_not_made_in_vain() -> None:
    """A bad address, or an identity server that is down, is noticed before."""
    async with known() as it:
        with pytest.raises(InvalidAddress):
            await it.server.room_create(invite_3pid=[ADDRESS, "nobody"])
        await it.a.stop()
        with pytest.raises(CannotConnect):
            await it.server.room_create(invite_3pid=[ADDRESS])
        assert it.homeserver.seen("POST", "createRoom") == []


async def test_a_room_that_is_refused() -> None:
    """Nio returns its error; here it is raised, with the homeserver's words."""
    async with known() as it:
        it.homeserver.reject_next(403, "M_FORBIDDEN", "Not you.", path="createRoom")
        with pytest.raises(HomeserverError, match="Not you") as caught:
            await it.server.room_create(invite_3pid=[ADDRESS])
        assert (caught.value.status, caught.value.errcode) == (403, "M_FORBIDDEN")
        assert it.a.mails == []


async def test_a_homeserver_that_is_silent_about_a_room() -> None:
    """Nio would wait for ever; after the time limit a room may be there or not."""
    async with known(homeserver_timeout=0.2) as it, it.homeserver.hold(path="createRoom"):
        with pytest.raises(OutcomeUnknown, match=r"room_create: no answer within 0\.2 seconds"):
            await it.server.room_create(name="Plans")


@pytest.mark.parametrize("then", ["disable", "set"])
async def test_a_room_that_is_made_while_the_choice_changes_is_not_lost(then: str) -> None:
    """Nobody is invited by the other server, and the room's id is told."""
    async with known() as it:
        async with it.homeserver.hold(path="createRoom", stage="answer") as hold:
            task = asyncio.create_task(it.server.room_create(invite_3pid=[ADDRESS]))
            await hold.reached()
            await (it.server.disable() if then == "disable" else it.server.set(it.b.url))
            hold.release()
            with pytest.raises(InvitesFailed) as caught:
                await task
        assert caught.value.room_id.startswith("!")
        assert isinstance(caught.value.failed[email(ADDRESS)], IdentityServerChanged)
        assert (it.a.mails, it.b.mails) == ([], [])


async def test_a_list_is_looked_up_and_mailed_by_one_server() -> None:
    """Or not at all."""
    async with known() as it:
        it.homeserver.add_identity_server(it.b)
        room_id = await room(it)
        async with it.a.hold(path="lookup", stage="answer") as hold:
            task = asyncio.create_task(it.server.invite_all(room_id, [ADDRESS]))
            await hold.reached()
            await it.server.set(it.b.url)
            hold.release()
            with pytest.raises(IdentityServerChanged):
                await task
        assert (it.a.mails, it.b.mails) == ([], [])


@pytest.mark.parametrize(("status", "errcode"), [(401, "M_UNKNOWN_TOKEN"), (403, "M_FORBIDDEN")])
async def test_a_list_that_is_hopeless_ends_soon(status: int, errcode: str) -> None:
    """Not after fifty refusals."""
    async with known() as it:
        it.homeserver.reject_next(status, errcode, path="/invite", times=None)
        report = await it.server.invite_all("!room:x", [f"{each}@x.test" for each in range(50)])
        assert isinstance(report.stopped, HomeserverError)
        assert len(report.missing) == 50
        assert len(it.homeserver.seen("POST", "/invite")) <= 2


async def test_trying_the_rest_again_mails_nobody_twice() -> None:
    """Who may have been invited is failed, not left."""
    async with known() as it:
        room_id = await room(it)
        it.homeserver.lose_next(path="/invite")
        report = await it.server.invite_all(room_id, ["a@x.test", "b@x.test"])
        assert isinstance(report.failed[email("a@x.test")], OutcomeUnknown)
        await it.server.invite_all(room_id, report.left)
        assert [mail.address for mail in it.a.mails] == ["a@x.test", "b@x.test"]


@pytest.mark.parametrize("status", [500, 502])
async def test_a_room_that_may_be_there(status: int) -> None:
    """Synapse can say 500 when it is."""
    async with known() as it:
        it.homeserver.reject_next(status, "M_UNKNOWN", path="createRoom")
        with pytest.raises(OutcomeUnknown) as caught:
            await it.server.room_create(name="Plans")
        assert caught.value.status == status


async def test_a_room_without_a_login() -> None:
    """Nio's own exception does not come out; a mistake in the keywords does."""
    async with known() as it:
        with pytest.raises(TypeError):
            await it.server.room_create(nonsense=True)
        it.bot.access_token = ""
        with pytest.raises(HomeserverError):
            await it.server.room_create(name="Plans")


async def test_positions_of_bad_addresses() -> None:
    """All of them, wherever many addresses are taken."""
    async with known() as it:
        bad = [ADDRESS, "nobody", "x@y", ""]
        for call in (
            it.server.invite_all("!room:x", bad),
            it.server.room_create(invite_3pid=iter(bad)),
            it.server.share_status(bad),
            it.server.leave(unbind=bad),
        ):
            with pytest.raises(InvalidAddress) as caught:
                await call
            assert caught.value.positions == (1, 3)


async def test_a_list_ends_when_the_choice_changes() -> None:
    """Who is left is told, and nothing more is sent."""
    async with known() as it:
        room_id = await room(it)
        async with it.homeserver.hold(path="/invite", times=1) as hold:
            task = asyncio.create_task(it.server.invite_all(room_id, ["a@x.test", "b@x.test"]))
            await hold.reached()
            await it.server.disable()
            report = await task
        assert isinstance(report.stopped, IdentityServerChanged)
        assert report.failed == {email("a@x.test"): report.stopped}  # may have been invited
        assert report.left == (email("b@x.test"),)
        assert len(it.homeserver.seen("POST", "/invite")) == 1


async def test_a_server_that_dies_in_the_middle() -> None:
    """Synapse says 500 for it; one question to the identity server tells the two apart."""
    async with known() as it:
        room_id = await room(it)
        async with it.homeserver.hold(path="/invite", times=1) as hold:
            task = asyncio.create_task(it.server.invite_all(room_id, ["a@x.test", "b@x.test"]))
            await hold.reached()
            await it.a.stop()
            hold.release()
            report = await task
        assert isinstance(report.stopped, CannotConnect)
        assert set(report.failed) == {email("a@x.test")}
        assert report.left == (email("b@x.test"),)


async def test_nobody_to_invite() -> None:
    """Nothing is sent, and nobody is asked anything."""
    async with known() as it:
        await it.server.disable()
        assert await it.server.invite_all("!room:x", []) == InviteReport()


async def test_one_string_is_a_mistake() -> None:
    """Its letters are no addresses."""
    async with known() as it:
        for call in (
            it.server.invite_all("!room:x", ADDRESS),
            it.server.room_create(invite_3pid=ADDRESS),
            it.server.leave(unbind=ADDRESS),
        ):
            with pytest.raises(TypeError, match="not one string"):
                await call
        with pytest.raises(InvalidAddress):
            await it.server.invite_all("!room:x", [ADDRESS, "nobody"])
        assert it.homeserver.seen("POST", "/invite") == []


async def test_signing_here() -> None:
    """The signature is the invitation's, over who accepts, who invited, and which it is."""
    async with known() as it:
        signed = await it.server.sign_invite(token="t", private_key=KEY, sender="@x:y")
        ((signatures,),) = [list(signed["signatures"].values())]
        assert is_signed(signed, signatures["ed25519:0"], public_key_of(KEY))
        del signed["signatures"]
        assert signed == {"mxid": it.alice.user_id, "sender": "@x:y", "token": "t"}
        with pytest.raises(ValueError, match="32 bytes"):
            await it.server.sign_invite(token="t", private_key="short", sender="@x:y")


async def test_a_join_needs_the_invitations_key() -> None:
    """Either by itself or in a link."""
    async with known() as it:
        incomplete: list[dict[str, Any]] = [{}, {"token": "t"}, {"private_key": KEY}]
        for keywords in incomplete:
            with pytest.raises(TypeError, match="InviteLink"):
                await it.server.join_invited("!room:x", **keywords)


@pytest.mark.parametrize(
    "answer",
    [
        '{"mxid":"@mallory:x","sender":"@x:y","token":"t","signatures":{}}',
        '{"mxid":"@alice:example.test","sender":"@x:y","token":"other","signatures":{}}',
        '{"mxid":"@alice:example.test","sender":"@x:y","token":"t","signatures":{}}',
        '{"mxid":"@alice:example.test","sender":"@x:y","token":"t","signatures":{"a":{"b":"c"}}}',
    ],
)
async def test_a_server_that_signs_something_else(answer: str) -> None:
    """It does not get as far as the homeserver."""
    async with known() as it:
        it.a.answer_next(200, answer, path="sign-ed25519")
        with pytest.raises(BadResponse) as caught:
            await it.server.join_invited("!room:x", token="t", private_key=KEY)
        assert it.homeserver.seen("POST", "/join") == []
        assert_no_secret(caught.value.with_traceback(None), [KEY])


async def test_a_link_names_servers_that_are_in_the_room() -> None:
    """For a homeserver that is not."""
    async with known() as it:
        link = InviteLink.parse(
            "https://app.element.io/#/room/%21room%3Ax?signurl="
            "https%3A%2F%2Fid.test%2F_matrix%2Fidentity%2Fapi%2Fv1%2Fsign-ed25519"
            f"%3Ftoken%3Dt%26private_key%3D{KEY}"
        )
        it.homeserver.answer_next(200, '{"room_id":"!room:x"}', path="/join")
        joined = await it.server.join_invited(link, sender="@x:y", via=["one.test", "two.test"])
        assert joined == "!room:x"
        (request,) = it.homeserver.seen("POST", "/join")
        assert request.raw_path.endswith("?via=one.test&via=two.test")
        assert request.json["third_party_signed"]["token"] == "t"


async def test_a_refused_room_does_not_tell_the_token() -> None:
    """A homeserver may say it back."""
    async with known() as it:
        it.homeserver.reject_next(
            403, "M_FORBIDDEN", f"no {it.bot.access_token}", path="createRoom"
        )
        with pytest.raises(HomeserverError, match=r"no \*\*\*"):
            await it.server.room_create()
