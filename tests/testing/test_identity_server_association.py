from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.signing import is_signed_by

from .asking import Ask, Talk, at_identity_server, validate

ME = "@me:example.test"
V2 = "/_matrix/identity/v2"
ADDRESS = "Me@X.test"


@pytest.fixture(name="me")
def _me(ask: Ask, idserver: MatrixIdentityServer) -> Talk:
    return at_identity_server(ask, idserver, ME)


async def begun(me: Talk) -> dict[str, str]:
    """Begin a validation."""
    body = {"email": ADDRESS, "client_secret": "s", "send_attempt": 1}
    sid = (await me.post("/validate/email/requestToken", body)).json["sid"]
    return {"sid": sid, "client_secret": "s"}


def query(proof: dict[str, str]) -> str:
    """Make the path that asks about a session."""
    return f"/3pid/getValidated3pid?sid={proof['sid']}&client_secret={proof['client_secret']}"


class TestGetValidated3pid:
    """Asking how a validation stands."""

    async def test_validated(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """The address comes back as it was typed."""
        answer = await me.get(query(await validate(me, idserver, ADDRESS)))

        told = {"medium": "email", "address": ADDRESS}
        assert {**told, "validated_at": answer.json["validated_at"]} == answer.json
        assert answer.json["validated_at"] > 1_700_000_000_000

    async def test_not_yet(self, me: Talk) -> None:
        """Until the token has come back, the session is not validated."""
        assert (await me.get(query(await begun(me)))).error == (400, "M_SESSION_NOT_VALIDATED")

    async def test_expired(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """Sessions can be ended."""
        proof = await validate(me, idserver, ADDRESS)
        idserver.expire_validations()

        assert (await me.get(query(proof))).error == (400, "M_SESSION_EXPIRED")

    @pytest.mark.parametrize("change", [{"sid": "1"}, {"client_secret": "x"}])
    async def test_unknown(self, me: Talk, change: dict[str, str]) -> None:
        """A wrong secret is answered like an unknown session."""
        proof = {**await begun(me), **change}

        assert (await me.get(query(proof))).error == (404, "M_NO_VALID_SESSION")

    async def test_refused(self, me: Talk, ask: Ask) -> None:
        """The keys and a token are needed."""
        path = "/3pid/getValidated3pid"

        assert (await me.get(f"{path}?sid=1")).error == (400, "M_MISSING_PARAMS")
        assert (await me.get(f"{path}?sid=1&client_secret=")).error == (400, "M_INVALID_PARAM")
        assert (await ask("GET", f"{me.base}{path}")).error == (401, "M_UNAUTHORIZED")


class TestBind:
    """Binding."""

    async def test_the_signed_association(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """The folded address is bound, and the association is signed with the server's key."""
        proof = await validate(me, idserver, ADDRESS)

        answer = await me.post("/3pid/bind", {**proof, "mxid": ME})

        key = (await me.get("/pubkey/ed25519:0")).json["public_key"]
        association = answer.json
        names = {"medium", "address", "mxid", "ts", "not_before", "not_after", "signatures"}
        assert names == set(association)
        assert (association["address"], association["mxid"]) == ("me@x.test", ME)
        assert list(association["signatures"]) == [idserver.netloc]
        assert list(association["signatures"][idserver.netloc]) == ["ed25519:0"]
        assert is_signed_by(association, key)
        assert not is_signed_by({**association, "mxid": "@other:x"}, key)
        assert idserver.binding("email", "ME@x.test") == ME

    async def test_a_given_name(self, ask: Ask) -> None:
        """The server signs under a name that was given to it."""
        async with MatrixIdentityServer(server_name="is.test") as idserver:
            me = at_identity_server(ask, idserver, ME)
            proof = await validate(me, idserver, ADDRESS)
            answer = await me.post("/3pid/bind", {**proof, "mxid": ME})

        assert list(answer.json["signatures"]) == ["is.test"]

    async def test_for_somebody_else(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """Nobody can bind for another user."""
        proof = await validate(me, idserver, ADDRESS)

        answer = await me.post("/3pid/bind", {**proof, "mxid": "@other:example.test"})

        assert answer.error == (403, "M_UNAUTHORIZED")
        assert idserver.binding("email", ADDRESS) is None

    async def test_not_validated(self, me: Talk) -> None:
        """Only a validated session binds; all keys are needed."""
        proof = await begun(me)

        answers = [
            await me.post("/3pid/bind", {**proof, "mxid": ME}),
            await me.post("/3pid/bind", {**proof, "sid": "1", "mxid": ME}),
            await me.post("/3pid/bind", proof),
        ]

        assert [answer.error for answer in answers] == [
            (400, "M_SESSION_NOT_VALIDATED"),
            (404, "M_NO_VALID_SESSION"),
            (400, "M_MISSING_PARAMS"),
        ]


class TestUnbind:
    """Unbinding."""

    def body(self, proof: dict[str, str] | None = None, **change: Any) -> dict[str, Any]:
        """Ask for an unbind."""
        threepid = {"medium": "email", "address": ADDRESS}
        return {"mxid": ME, "threepid": threepid, **(proof or {}), **change}

    async def test_by_session(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """The session that proved the address unbinds it; that this is JSON is not said."""
        proof = await validate(me, idserver, ADDRESS)
        await me.post("/3pid/bind", {**proof, "mxid": ME})

        answer = await me.post("/3pid/unbind", self.body(proof))
        again = await me.post("/3pid/unbind", self.body(proof))

        assert answer.json == again.json == {}
        assert answer.headers["Content-Type"] == "text/html"
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert idserver.binding("email", ADDRESS) is None

    async def test_what_is_another_users(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """What another user has bound stays bound, although that is a success."""
        proof = await validate(me, idserver, ADDRESS)
        idserver.bind("email", ADDRESS, "@other:example.test")

        assert (await me.post("/3pid/unbind", self.body(proof))).json == {}
        assert idserver.binding("email", ADDRESS) == "@other:example.test"

    async def test_refused(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """Each way to get it wrong has its own answer."""
        proof = await validate(me, idserver, ADDRESS)
        folded = {"medium": "email", "address": "me@x.test"}
        bodies = [
            self.body(proof, threepid=folded),
            self.body({**proof, "sid": "1"}),
            self.body({**proof, "client_secret": "x y"}),
            self.body(proof, threepid={"medium": "email"}),
            self.body(proof, threepid="email"),
            self.body(proof, threepid=5),
            {"mxid": ME},
            self.body(),
        ]

        errors = [(await me.post("/3pid/unbind", body)).error for body in bodies]

        assert errors == [
            (403, "M_FORBIDDEN"),
            (401, "M_NO_VALID_SESSION"),
            (400, "M_INVALID_PARAM"),
            (400, "M_MISSING_PARAMS"),
            (400, "M_MISSING_PARAMS"),
            (500, "M_UNKNOWN"),
            (400, "M_MISSING_PARAMS"),
            (401, "M_FORBIDDEN"),
        ]

    async def test_expired(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """An expired session breaks Sydent, which then has nothing to say."""
        proof = await validate(me, idserver, ADDRESS)
        idserver.expire_validations()

        answer = await me.post("/3pid/unbind", self.body(proof))

        assert (answer.error, answer.json["error"]) == ((500, "M_UNKNOWN"), "")

    async def test_not_validated(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """A session that is not validated is never answered."""
        proof = await begun(me)
        silent = asyncio.create_task(me.post("/3pid/unbind", self.body(proof)))
        await idserver.wait_for("POST", "/3pid/unbind")
        silent.cancel()

        assert [request.path for request in await idserver.wait_for_disconnect()] == [
            f"{V2}/3pid/unbind"
        ]

    async def test_a_signature_by_http(self, ask: Ask, me: Talk) -> None:
        """A homeserver is believed inside the process only."""
        headers = {"Authorization": 'X-Matrix origin="example.test",key="ed25519:a",sig="x"'}
        url = f"{me.base}/3pid/unbind"

        signed = await ask("POST", url, headers=headers, json=self.body())
        bare = await ask("POST", url, json=self.body())

        assert signed.error == bare.error == (401, "M_FORBIDDEN")

    async def test_a_homeserver(self, idserver: MatrixIdentityServer) -> None:
        """A homeserver in this process unbinds for its own users."""
        idserver.bind("email", ADDRESS, ME)

        def request(origin: str) -> Request:
            return Request.inside(
                "POST",
                f"{V2}/3pid/unbind",
                authorization=f"X-Matrix origin={origin},key=x,sig=x",
                content=self.body(),
            )

        other = await idserver.answer(request("ample.test"))
        kept = idserver.binding("email", ADDRESS)
        own = await idserver.answer(request("example.test"))

        assert (other.status, kept, own.status) == (403, ME, 200)
        assert idserver.binding("email", ADDRESS) is None

    async def test_no_support(self, me: Talk, idserver: MatrixIdentityServer) -> None:
        """A server without that path answers with a page."""
        assert idserver.supports_unbind
        idserver.supports_unbind = False

        answer = await me.post("/3pid/unbind", self.body())

        assert (answer.status, b"errcode" in answer.body) == (404, False)


def test_bound_before_the_start(hs: MatrixHomeserver) -> None:
    """Binding by method works before the server is started, without any invitation."""
    idserver = MatrixIdentityServer(hs)
    idserver.bind("email", ADDRESS, ME)
    idserver.unbind("email", ADDRESS)

    assert idserver.bindings == {}
