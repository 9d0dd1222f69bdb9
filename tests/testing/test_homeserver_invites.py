from __future__ import annotations

from typing import Any

import attrs
import pytest

from .inviting import ADDRESS, Stage

KEY = '{"public_key": "K", "key_validity_url": "https://x.test"}'


class TestByUserId:
    """Inviting somebody who is known."""

    async def test_invited(self, stage: Stage) -> None:
        """The invite comes with what the user may see of the room, and leads into it."""
        body = {"user_id": stage.bob.user_id, "reason": "Come"}
        answer = await stage.alice.post(f"/rooms/{stage.room}/invite", body)

        events = await stage.invited()
        joined = await stage.bob.post(f"/join/{stage.room}", {})

        assert answer.json == {}
        assert {event["type"] for event in events} == {
            "m.room.create",
            "m.room.join_rules",
            "m.room.name",
            "m.room.member",
        }
        assert events[-1]["content"] == {"membership": "invite", "reason": "Come"}
        assert joined.json == {"room_id": stage.room}
        assert await stage.invited() == []

    async def test_told_to_the_others(self, stage: Stage) -> None:
        """Whoever is in the room sees who is invited and who joins."""
        since = (await stage.alice.sync())["next_batch"]
        await stage.alice.post(f"/rooms/{stage.room}/invite", {"user_id": stage.bob.user_id})
        await stage.bob.post(f"/join/{stage.room}", {})

        news = await stage.alice.sync(since)

        events = news["rooms"]["join"][stage.room]["timeline"]["events"]
        assert [event["content"]["membership"] for event in events] == ["invite", "join"]

    async def test_refused(self, stage: Stage) -> None:
        """Who is in the room cannot be invited, and who is not cannot invite."""
        path = f"/rooms/{stage.room}/invite"
        answers = [
            await stage.alice.post(path, {"user_id": stage.alice.user_id}),
            await stage.bob.post(path, {"user_id": stage.bob.user_id}),
            await stage.alice.post("/rooms/!no:x/invite", {"user_id": stage.bob.user_id}),
            await stage.alice.post(path, {}),
            await stage.alice.post(path, {"user_id": "bob"}),
            await stage.alice.post(path, {"user_id": 5}),
        ]

        assert [answer.error for answer in answers] == [
            (403, "M_FORBIDDEN"),
            (403, "M_FORBIDDEN"),
            (403, "M_FORBIDDEN"),
            (400, "M_MISSING_PARAM"),
            (400, "M_INVALID_PARAM"),
            (500, "M_UNKNOWN"),
        ]

    async def test_taken_out_again(self, stage: Stage) -> None:
        """An invite is taken back, a member is put out, and nobody else can be."""
        path, body = f"/rooms/{stage.room}/kick", {"user_id": stage.bob.user_id, "reason": "Go"}
        await stage.alice.post(f"/rooms/{stage.room}/invite", {"user_id": stage.bob.user_id})
        back = await stage.alice.post(path, body)
        assert (back.json, await stage.invited()) == ({}, [])
        assert (await stage.bob.post(f"/join/{stage.room}", {})).error == (403, "M_FORBIDDEN")

        await stage.alice.post(f"/rooms/{stage.room}/invite", {"user_id": stage.bob.user_id})
        await stage.bob.post(f"/join/{stage.room}", {})
        out = await stage.alice.post(path, body)
        state = await stage.alice.get(f"/rooms/{stage.room}/state/m.room.member/@bob:example.test")
        assert (out.json, state.json) == ({}, {"membership": "leave", "reason": "Go"})

        answers = [
            await stage.alice.post(path, body),
            await stage.bob.post(path, {"user_id": stage.alice.user_id}),
            await stage.alice.post(path, {}),
        ]
        assert [answer.error for answer in answers] == [
            (403, "M_FORBIDDEN"),
            (403, "M_FORBIDDEN"),
            (400, "M_MISSING_PARAM"),
        ]

    async def test_limited(self, stage: Stage) -> None:
        """After so many invites, of either kind, more of them have to wait."""
        path, body = f"/rooms/{stage.room}/invite", {"user_id": stage.bob.user_id}
        stage.hs.limit_invites(2)
        allowed = [await stage.alice.post(path, body), await stage.invite()]
        limited = [await stage.alice.post(path, body), await stage.invite()]
        stage.hs.limit_invites(None)

        assert [answer.status for answer in allowed] == [200, 200]
        assert [answer.error for answer in limited] == [(429, "M_LIMIT_EXCEEDED")] * 2
        assert limited[0].json["retry_after_ms"] == 400_000
        assert limited[0].headers["Retry-After"] == "400"
        assert (await stage.alice.post(path, body)).status == 200


class TestByAddress:
    """Inviting an address."""

    @pytest.mark.parametrize("algorithms", [["sha256", "none"], ["none"]])
    async def test_found(self, stage: Stage, algorithms: list[str]) -> None:
        """Whoever has the address is invited directly, and no mail is sent."""
        stage.idserver.algorithms[:] = algorithms
        stage.idserver.bind("email", ADDRESS, stage.bob.user_id)

        assert (await stage.invite()).json == {}
        assert (await stage.invited())[-1]["content"] == {"membership": "invite"}
        assert stage.idserver.mails == []

    async def test_not_found(self, stage: Stage) -> None:
        """The identity server sends a mail, and the room gets an event that says so."""
        assert (await stage.invite()).json == {}

        event = await stage.pending()
        (stored,) = stage.idserver.stored_invites
        asked = stage.idserver.seen("POST", "/store-invite")[0].json
        url = f"https://{stage.idserver.netloc}/_matrix/identity/v2/pubkey/isvalid"
        content = event["content"]
        assert (event["state_key"], event["sender"]) == (stored.token, stage.alice.user_id)
        assert set(content) == {"display_name", "public_key", "key_validity_url", "public_keys"}
        assert (content["display_name"], content["key_validity_url"]) == ("b...@exa...", url)
        assert content["public_key"] == content["public_keys"][0]["public_key"]
        assert (asked["room_name"], asked["sender_display_name"]) == ("Tea", stage.alice.user_id)
        assert "room_type" not in asked

    async def test_what_the_mail_can_say(self, stage: Stage) -> None:
        """The kind of the room is told to the identity server."""
        creation = {"creation_content": {"type": "m.space"}}
        room = (await stage.alice.post("/createRoom", creation)).json["room_id"]

        await attrs.evolve(stage, room=room).invite()

        assert stage.idserver.seen("POST", "/store-invite")[0].json["room_type"] == "m.space"

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"id_access_token": "wrong"}, (500, "M_UNKNOWN")),
            ({"medium": "msisdn", "address": "441234"}, (500, "M_UNKNOWN")),
            ({"address": "Bob@Example.org"}, (500, "M_UNKNOWN")),
            ({"address": 5}, (500, "M_UNKNOWN")),
            ({"id_server": "unknown.test"}, (500, "M_UNKNOWN")),
        ],
    )
    async def test_failures(
        self, stage: Stage, change: dict[str, Any], error: tuple[int, str]
    ) -> None:
        """Whatever goes wrong at the identity server is the same error, other case included."""
        stage.idserver.bind("email", ADDRESS, stage.bob.user_id)

        assert error == (await stage.invite(**change)).error

    async def test_without_algorithms(self, stage: Stage) -> None:
        """Without an algorithm that both know, nobody is found."""
        stage.idserver.algorithms[:] = ["md5"]
        stage.idserver.bind("email", ADDRESS, stage.bob.user_id)

        assert (await stage.invite()).error == (500, "M_UNKNOWN")

    async def test_without_a_token(self, stage: Stage) -> None:
        """A token of the identity server is needed."""
        body = {"medium": "email", "address": ADDRESS, "id_server": "x.test"}

        answer = await stage.alice.post(f"/rooms/{stage.room}/invite", body)

        assert answer.error == (400, "M_MISSING_PARAM")

    async def test_another_room(self, stage: Stage) -> None:
        """The mail goes out before anybody looks whether the sender is in the room."""
        answer = await attrs.evolve(stage, room="!no:example.test").invite()

        assert answer.error == (403, "M_FORBIDDEN")
        assert len(stage.idserver.mails) == 1

    @pytest.mark.parametrize(
        ("stored", "status"),
        [
            ('{"token": "t", "display_name": "b", "public_key": "K"}', 200),
            (f'{{"token": "t", "display_name": "b", "public_keys": [{KEY}]}}', 200),
            ('{"token": "t", "display_name": "b"}', 500),
            ("[]", 500),
        ],
    )
    async def test_other_identity_servers(self, stage: Stage, stored: str, status: int) -> None:
        """Either form of the keys will do, but there must be one."""
        stage.idserver.answer_next(200, stored, path="/store-invite")

        assert status == (await stage.invite()).status
        if status == 200:
            content = (await stage.pending())["content"]
            assert content["public_key"] == content["public_keys"][0]["public_key"] == "K"
