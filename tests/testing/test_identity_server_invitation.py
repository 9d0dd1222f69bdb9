from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from nio_identity_server.testing import MatrixIdentityServer, StoredInvite
from nio_identity_server.testing.signing import is_signed_by

from .asking import Ask, Talk, at_identity_server, validate

ME = "@me:example.test"
BOB = "@bob:example.test"
ROOM = "!r:example.test"
INVITE = {"medium": "email", "address": "Robert@Example.Test", "room_id": ROOM, "sender": ME}
V1 = "/_matrix/identity/api/v1"


@pytest.fixture(name="me")
def _me(ask: Ask, idserver: MatrixIdentityServer) -> Talk:
    return at_identity_server(ask, idserver, ME)


class TestStoreInvite:
    """Inviting an address."""

    async def test_stored(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """Token, keys and half of the address come back; the invitation is kept."""
        answer = await me.post("/store-invite", INVITE)

        told = answer.json
        own = (await me.get("/pubkey/ed25519:0")).json["public_key"]
        first, second = told["public_keys"]
        assert (len(told["token"]), told["display_name"]) == (128, "Rob...@Exa...")
        assert own == told["public_key"] == first["public_key"]
        assert first["key_validity_url"] == f"{idserver.url}{V1}/pubkey/isvalid"
        assert second["key_validity_url"] == f"{idserver.url}{V1}/pubkey/ephemeral/isvalid"
        stored = StoredInvite("email", "robert@example.test", ROOM, ME, told["token"])
        assert [stored] == idserver.stored_invites
        assert told["token"] not in repr(stored)
        assert "robert" not in repr(stored)

    @pytest.mark.parametrize(
        ("address", "redacted"),
        [("bob@x", "b...@..."), ("b@xy.test", "...@xy....")],
    )
    async def test_short_addresses(self, me: Talk, address: str, redacted: str) -> None:
        """Of a short part only the first letter is shown, of a single letter nothing."""
        answer = await me.post("/store-invite", {**INVITE, "address": address})

        assert redacted == answer.json["display_name"]

    async def test_the_mail(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """The link leads to a web client, and carries another link that signs."""
        more = {
            "sender_display_name": "A person with a very long name",
            "room_name": "A room",
            "room_avatar_url": "mxc://x/y",
            "room_type": "m.space",
        }
        told = (await me.post("/store-invite", {**INVITE, **more})).json

        (mail,) = idserver.mails
        head, _, tail = mail.link.partition("?")
        query = parse_qs(tail, keep_blank_values=True)
        signurl = urlsplit(query.pop("signurl")[0])
        assert (mail.address, mail.kind) == ("robert@example.test", "invitation")
        assert mail.token == told["token"]
        assert head == "https://app.element.io/#/room/%21r%3Aexample.test"
        assert query == {
            "email": ["robert@example.test"],
            "room_name": ["A room"],
            "room_avatar_url": ["mxc://x/y"],
            "inviter_name": ["A person with a ver…"],
            "guest_access_token": [""],
            "guest_user_id": [""],
            "room_type": ["m.space"],
        }
        assert f"{signurl.scheme}://{signurl.netloc}{signurl.path}" == (
            f"{idserver.url}{V1}/sign-ed25519"
        )
        assert parse_qs(signurl.query)["token"] == [told["token"]]

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"sender": BOB}, (403, "M_UNAUTHORIZED")),
            ({"medium": "msisdn", "address": "441234"}, (400, "M_UNRECOGNIZED")),
            ({"address": ""}, (400, "M_INVALID_PARAM")),
            ({"address": 5}, (500, "M_UNKNOWN")),
            ({"address": "a b@x.test, c@x.test"}, (400, "M_INVALID_EMAIL")),
            ({"address": "noat"}, (500, "M_UNKNOWN")),
            ({"address": "Refused@x.test"}, (500, "M_UNKNOWN")),
        ],
    )
    async def test_refused(
        self,
        me: Talk,
        idserver: MatrixIdentityServer,
        change: dict[str, Any],
        error: tuple[int, str],
    ) -> None:
        """What Sydent refuses is refused with its words."""
        idserver.refuse_mail("refused@x.test")

        assert error == (await me.post("/store-invite", {**INVITE, **change})).error

    async def test_in_use(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """The refusal of an address that is bound says to whom."""
        idserver.bind("email", "robert@example.test", BOB)

        answer = await me.post("/store-invite", INVITE)

        assert (answer.error, answer.json["mxid"]) == ((400, "M_THREEPID_IN_USE"), BOB)
        assert idserver.stored_invites == []

    async def test_needed(self, ask: Ask, me: Talk) -> None:
        """Keys are asked for before a token is; without any, Sydent finds the body empty."""
        url = f"{me.base}/store-invite"

        assert (await ask("POST", url, json={})).error == (400, "M_MISSING_PARAMS")
        assert (await ask("POST", url, json=INVITE)).error == (400, "M_BAD_JSON")
        wrong = await ask("POST", url, token="x", json=INVITE)
        assert wrong.error == (401, "M_UNAUTHORIZED")


class TestSign:
    """Signing for whoever got the mail."""

    async def linked(self, me: Talk, idserver: MatrixIdentityServer) -> dict[str, Any]:
        """Invite, and give what the link of the mail carries, and who wants to be let in."""
        self.stored = (await me.post("/store-invite", INVITE)).json
        _, _, tail = idserver.mails[-1].link.partition("?")
        signurl = parse_qs(urlsplit(parse_qs(tail)["signurl"][0]).query)
        return {"mxid": BOB, **{name: values[0] for name, values in signurl.items()}}

    async def test_signed(self, ask: Ask, me: Talk, idserver: MatrixIdentityServer) -> None:
        """The proof is signed with the key of the invitation, not with the server's own."""
        body = await self.linked(me, idserver)
        bob = at_identity_server(ask, idserver, BOB)

        signed = (await bob.post("/sign-ed25519", body)).json

        own, ephemeral = (key["public_key"] for key in self.stored["public_keys"])
        told = {"mxid": BOB, "sender": ME, "token": self.stored["token"]}
        assert {**told, "signatures": signed["signatures"]} == signed
        assert list(signed["signatures"][idserver.netloc]) == ["ed25519:0"]
        assert is_signed_by(signed, ephemeral)
        assert not is_signed_by(signed, own)

    async def test_by_the_link(self, ask: Ask, me: Talk, idserver: MatrixIdentityServer) -> None:
        """The link itself needs no token, and takes its values from the query or from JSON."""
        body = await self.linked(me, idserver)
        url = f"{idserver.url}{V1}/sign-ed25519"
        query = "&".join(f"{name}={value}" for name, value in body.items())

        by_query = await ask("POST", f"{url}?{query}", data=b"")
        by_null = await ask("POST", f"{url}?{query}", json=None, data=b"null")
        by_body = await ask("POST", url, json=body)
        missing = await ask("POST", url, data=b"")

        assert by_query.json == by_body.json == by_null.json
        assert missing.error == (400, "M_MISSING_PARAMS")

    async def test_refused(self, me: Talk, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """An unknown token is not recognised, a bad key breaks Sydent."""
        body = await self.linked(me, idserver)

        unknown = await me.post("/sign-ed25519", {**body, "token": "x"})
        bad = [await me.post("/sign-ed25519", {**body, "private_key": key}) for key in ("AAAA", 5)]
        stranger = await ask("POST", f"{me.base}/sign-ed25519", json=body)

        assert unknown.error == (404, "M_UNRECOGNIZED")
        assert [answer.error for answer in bad] == [(500, "M_UNKNOWN")] * 2
        assert stranger.error == (401, "M_UNAUTHORIZED")


@attrs.define
class Listener:
    """A homeserver that notes what it is told."""

    server_name: str = "example.test"
    takes: bool = True
    heard: list[Any] = attrs.field(factory=list)

    def openid_owner(self, token: str) -> str | None:
        """Prove nobody."""
        assert token
        return None

    def heard_of_binding(self, association: Any) -> bool:
        """Note it."""
        self.heard.append(association)
        return self.takes


class TestDelivery:
    """What becomes of an invitation when its address is bound."""

    @pytest.mark.parametrize("by_method", [True, False])
    async def test_delivered(self, ask: Ask, *, by_method: bool) -> None:
        """The user's homeserver gets the invitations, signed, and they are forgotten."""
        listener = Listener()
        async with MatrixIdentityServer([Listener("other.test"), listener]) as idserver:
            me = at_identity_server(ask, idserver, ME)
            await me.post("/store-invite", INVITE)
            await me.post("/store-invite", {**INVITE, "address": "c@x.test"})
            if by_method:
                idserver.bind("email", "robert@example.test", BOB)
            else:
                bob = at_identity_server(ask, idserver, BOB)
                proof = await validate(bob, idserver, "ROBERT@example.test")
                told = (await bob.post("/3pid/bind", {**proof, "mxid": BOB})).json
                assert listener.heard == [told]
            key = (await me.get("/pubkey/ed25519:0")).json["public_key"]
            left = [invite.address for invite in idserver.stored_invites]

        (association,) = listener.heard
        (invite,) = association["invites"]
        assert (invite["room_id"], invite["sender"], invite["mxid"]) == (ROOM, ME, BOB)
        assert is_signed_by(invite["signed"], key)
        assert is_signed_by(association, key)
        assert left == ["c@x.test"]

    @pytest.mark.parametrize("server_name", ["example.test", "other.test"])
    async def test_not_taken(self, ask: Ask, server_name: str) -> None:
        """What no homeserver takes is kept, and is not sent again to whoever binds later."""
        listener = Listener(server_name, takes=False)
        async with MatrixIdentityServer(listener) as idserver:
            me = at_identity_server(ask, idserver, ME)
            await me.post("/store-invite", INVITE)
            idserver.bind("email", "robert@example.test", BOB)
            heard = len(listener.heard)
            idserver.bind("email", "robert@example.test", "@carol:example.test")

            assert [invite.sent for invite in idserver.stored_invites] == [True]
        assert heard == len(listener.heard)
