from __future__ import annotations

from typing import Any

import attrs
import pytest

from .inviting import ADDRESS, THIRD_PARTY, Stage


class TestConversion:
    """What becomes of the invitation when the address is bound."""

    async def test_converted(self, stage: Stage) -> None:
        """The user is invited, by the inviter and with the proof; the event stays."""
        await stage.invite()
        pending = await stage.pending()

        stage.idserver.bind("email", "BOB@example.org", stage.bob.user_id)

        event = (await stage.invited())[-1]
        proof = event["content"]["third_party_invite"]
        assert event["sender"] == stage.alice.user_id
        assert proof["display_name"] == pending["content"]["display_name"]
        assert proof["signed"]["mxid"] == stage.bob.user_id
        assert pending == await stage.pending()
        assert stage.idserver.stored_invites == []

    async def test_of_a_member(self, stage: Stage) -> None:
        """Whoever came by the mail's link and binds the address then is only invited again."""
        await stage.invite()
        await stage.join(await stage.signed())

        stage.idserver.bind("email", ADDRESS, stage.bob.user_id)

        assert list((await stage.bob.sync())["rooms"]) == ["invite"]
        again = await stage.bob.post(f"/rooms/{stage.room}/join", {"reason": "Again"})
        assert again.json == {"room_id": stage.room}

    async def test_revoked(self, stage: Stage) -> None:
        """A revoked invitation neither converts nor admits."""
        await stage.invite()
        token = (await stage.pending())["state_key"]
        signed = await stage.signed()
        await stage.alice.put(f"/rooms/{stage.room}/state/{THIRD_PARTY}/{token}", {})

        stage.idserver.bind("email", ADDRESS, stage.bob.user_id)

        assert await stage.invited() == []
        assert (await stage.join(signed)).error == (403, "M_FORBIDDEN")
        assert [invite.sent for invite in stage.idserver.stored_invites] == [True]

    async def test_a_room_that_is_gone(self, stage: Stage) -> None:
        """An invitation into a room that the homeserver does not know does not convert."""
        body = {"medium": "email", "address": ADDRESS, "room_id": "!no:example.test"}
        await stage.there.post("/store-invite", {**body, "sender": stage.alice.user_id})

        stage.idserver.bind("email", ADDRESS, stage.bob.user_id)

        assert [invite.sent for invite in stage.idserver.stored_invites] == [True]


class TestJoin:
    """Accepting by the link of the mail."""

    async def test_admitted(self, stage: Stage) -> None:
        """The proof admits, more than once; the invitation stays in the room."""
        await stage.invite()
        pending, signed = await stage.pending(), await stage.signed()

        answers = [await stage.join(signed), await stage.join(signed)]

        assert [answer.json for answer in answers] == [{"room_id": stage.room}] * 2
        assert pending == await stage.pending()
        assert list((await stage.bob.sync())["rooms"]) == ["join"]
        path = f"/rooms/{stage.room}/state/m.room.member/{stage.bob.user_id}"
        content = (await stage.bob.get(path)).json
        assert content == {"membership": "join", "third_party_signed": signed}

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"mxid": "@carol:example.test"}, (403, "M_FORBIDDEN")),
            ({"sender": "@bob:example.test"}, (403, "M_FORBIDDEN")),
            ({"token": "other"}, (403, "M_FORBIDDEN")),
            ({"signatures": {"x": {"ed25519:0": "AAAA"}}}, (403, "M_FORBIDDEN")),
            ({"signatures": []}, (500, "M_UNKNOWN")),
        ],
    )
    async def test_wrong(
        self, stage: Stage, change: dict[str, Any], error: tuple[int, str]
    ) -> None:
        """A proof that was changed in any way admits nobody."""
        await stage.invite()
        signed = await stage.signed()

        assert error == (await stage.join({**signed, **change})).error
        assert await stage.invited() == []

    @pytest.mark.parametrize("left_out", ["sender", "token"])
    async def test_incomplete(self, stage: Stage, left_out: str) -> None:
        """Without sender or token Synapse breaks, as it does by anything but an object."""
        await stage.invite()
        signed = await stage.signed()
        del signed[left_out]

        assert (await stage.join(signed)).error == (500, "M_UNKNOWN")
        assert (await stage.join("signed")).error == (500, "M_UNKNOWN")

    async def test_a_room_elsewhere(self, stage: Stage) -> None:
        """A proof for a room that this homeserver does not have leads nowhere."""
        await stage.invite()
        signed = await stage.signed()

        answer = await attrs.evolve(stage, room="!no:example.test").join(signed)

        assert answer.error == (500, "M_UNKNOWN")
