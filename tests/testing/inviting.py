"""A room, somebody in it who invites, and somebody who may come."""

from __future__ import annotations

from typing import Any

import attrs

from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer

from .asking import Talk

ADDRESS = "bob@example.org"
THIRD_PARTY = "m.room.third_party_invite"


@attrs.frozen
class Stage:
    """Alice, in a room of her own, and bob."""

    hs: MatrixHomeserver
    idserver: MatrixIdentityServer
    alice: Talk
    bob: Talk
    room: str
    there: Talk

    async def invite(self, **change: Any) -> Any:
        """Invite bob by his address."""
        body = {
            "medium": "email",
            "address": ADDRESS,
            "id_server": self.idserver.netloc,
            "id_access_token": self.there.token,
            **change,
        }
        return await self.alice.post(f"/rooms/{self.room}/invite", body)

    async def pending(self) -> Any:
        """Give the invitation of an address that stands in the room."""
        state = (await self.alice.get(f"/rooms/{self.room}/state")).json
        (event,) = [event for event in state if event["type"] == THIRD_PARTY]
        return event

    async def invited(self) -> list[Any]:
        """Give what bob's sync says of the room that he is invited to."""
        rooms = (await self.bob.sync()).get("rooms", {}).get("invite", {})
        return list(rooms[self.room]["invite_state"]["events"]) if self.room in rooms else []

    async def signed(self) -> dict[str, Any]:
        """Give the proof that the link of the mail leads to."""
        _, _, query = self.idserver.mails[-1].link.partition("private_key%3D")
        body = {
            "mxid": self.bob.user_id,
            "token": self.idserver.mails[-1].token,
            "private_key": query.partition("&")[0],
        }
        signed: dict[str, Any] = (await self.there.post("/sign-ed25519", body)).json
        return signed

    async def join(self, signed: Any) -> Any:
        """Let bob join with a proof."""
        return await self.bob.post(f"/join/{self.room}", {"third_party_signed": signed})
