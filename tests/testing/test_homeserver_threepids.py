from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nio_identity_server.testing import LoopbackServer, MatrixHomeserver, MatrixIdentityServer

from .asking import Ask, Talk, at_homeserver, at_identity_server, validate

ADDRESS = "Alice@X.test"


@pytest.fixture(name="alice")
def _alice(ask: Ask, hs: MatrixHomeserver, idserver: MatrixIdentityServer) -> Talk:
    hs.add_identity_server(idserver)
    return at_homeserver(ask, hs, "alice")


async def proven(
    ask: Ask, alice: Talk, idserver: MatrixIdentityServer, id_server: str | None = None
) -> dict[str, Any]:
    """Validate an address, and give the body of a bind."""
    there = at_identity_server(ask, idserver, alice.user_id)
    proof = await validate(there, idserver, ADDRESS)
    id_server = id_server or idserver.netloc
    return {**proof, "id_server": id_server, "id_access_token": there.token}


class TestAccount:
    """The addresses that the homeserver knows."""

    async def test_list(self, alice: Talk, hs: MatrixHomeserver) -> None:
        """Addresses are told with the times at which they were proved and added."""
        before = (await alice.get("/account/3pid")).json
        hs.add_threepid("alice", "email", "alice@x.test")
        (entry,) = (await alice.get("/account/3pid")).json["threepids"]

        assert before == {"threepids": []}
        assert set(entry) == {"medium", "address", "validated_at", "added_at"}
        assert (entry["medium"], entry["address"]) == ("email", "alice@x.test")
        with pytest.raises(LookupError):
            hs.add_threepid("nobody", "email", "x@x.test")


class TestBind:
    """Binding through the homeserver."""

    async def test_bound(self, ask: Ask, alice: Talk, idserver: MatrixIdentityServer) -> None:
        """The identity server is asked inside the process, and keeps the folded address."""
        answers = [
            await alice.post("/account/3pid/bind", await proven(ask, alice, idserver))
            for _ in range(2)
        ]

        assert [answer.json for answer in answers] == [{}, {}]
        assert idserver.binding("email", "alice@x.test") == alice.user_id
        assert [request.connection for request in idserver.seen("POST", "/3pid/bind")] == [0, 0]
        assert idserver.foreign_tokens == []

    async def test_refusals_are_passed_on(
        self, ask: Ask, alice: Talk, idserver: MatrixIdentityServer
    ) -> None:
        """What the identity server says is passed on, but that nobody feels logged out."""
        body = await proven(ask, alice, idserver)
        unknown = await alice.post("/account/3pid/bind", {**body, "sid": "1"})
        stranger = await alice.post("/account/3pid/bind", {**body, "id_access_token": "x"})
        idserver.reject_next(403, "M_UNKNOWN_TOKEN", "What?", extra=1)
        disguised = await alice.post("/account/3pid/bind", body)
        idserver.answer_next(502, "<p>", content_type="text/html")
        page = await alice.post("/account/3pid/bind", body)
        idserver.answer_next(403, "[]")
        no_object = await alice.post("/account/3pid/bind", body)

        assert unknown.error == (404, "M_NO_VALID_SESSION")
        assert stranger.error == (400, "M_UNAUTHORIZED")
        assert (disguised.error, disguised.json["extra"]) == ((403, "M_UNKNOWN"), 1)
        assert (page.error, no_object.error) == ((502, "M_UNKNOWN"), (403, "M_UNKNOWN"))

    @pytest.mark.parametrize("body", ["{}", "[]", "<p>"])
    async def test_nonsense(
        self, ask: Ask, alice: Talk, idserver: MatrixIdentityServer, body: str
    ) -> None:
        """A success that makes no sense breaks Synapse."""
        given = await proven(ask, alice, idserver)
        idserver.answer_next(200, body)

        assert (await alice.post("/account/3pid/bind", given)).error == (500, "M_UNKNOWN")

    async def test_unreachable(self, ask: Ask, alice: Talk, idserver: MatrixIdentityServer) -> None:
        """Who is unknown, away or hangs up is an error of the homeserver."""
        body = await proven(ask, alice, idserver)
        unknown = await alice.post("/account/3pid/bind", {**body, "id_server": "other.test"})
        idserver.reset_next()
        dropped = await alice.post("/account/3pid/bind", body)
        await idserver.stop()
        stopped = await alice.post("/account/3pid/bind", body)

        assert unknown.error == dropped.error == stopped.error == (500, "M_UNKNOWN")
        assert unknown.json["error"] == stopped.json["error"] == "Internal server error"
        assert dropped.json["error"] == "Timed out contacting identity server"

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"id_server": "https://is.test"}, (400, "M_UNKNOWN")),
            ({"id_server": "is.test/path?x"}, (400, "M_UNKNOWN")),
            ({"id_server": None}, (400, "M_BAD_JSON")),
        ],
    )
    async def test_refused(
        self, alice: Talk, change: dict[str, Any], error: tuple[int, str]
    ) -> None:
        """An identity server is named without a scheme."""
        given = {"sid": "1", "client_secret": "s", "id_access_token": "t", **change}

        assert error == (await alice.post("/account/3pid/bind", given)).error

    async def test_other_names(
        self, ask: Ask, hs: MatrixHomeserver, idserver: MatrixIdentityServer
    ) -> None:
        """A server can be reached under any names, and then not under its address."""
        hs.add_identity_server(idserver, "is.test", "[::1]:8090/path")
        alice = at_homeserver(ask, hs, "alice")
        path = "/account/3pid/bind"

        answers = [
            await alice.post(path, await proven(ask, alice, idserver, name))
            for name in ("is.test", "[::1]:8090/path", None)
        ]

        assert [answer.status for answer in answers] == [200, 200, 500]

    async def test_held(self, ask: Ask, alice: Talk, idserver: MatrixIdentityServer) -> None:
        """Holds of the identity server keep the homeserver waiting too."""
        body = await proven(ask, alice, idserver)
        async with idserver.hold("POST", "/3pid/bind", stage="answer") as hold:
            waiting = asyncio.create_task(alice.post("/account/3pid/bind", body))
            await hold.reached()
            bound = idserver.binding("email", ADDRESS)
            hold.release()
            response = await waiting

        assert (bound, response.status) == (alice.user_id, 200)


class TestUnbind:
    """Unbinding through the homeserver."""

    def body(self, address: str = "alice@x.test", **more: Any) -> dict[str, Any]:
        """Ask for an unbind."""
        return {"medium": "email", "address": address, **more}

    async def test_remembered(self, ask: Ask, alice: Talk, idserver: MatrixIdentityServer) -> None:
        """Without a server, the one is asked where the exact address was bound, once."""
        await alice.post("/account/3pid/bind", await proven(ask, alice, idserver))
        path = "/account/3pid/unbind"

        other_case = await alice.post(path, self.body(ADDRESS))
        kept = idserver.binding("email", ADDRESS)
        done = await alice.post(path, self.body())
        again = await alice.post(path, self.body())

        results = [answer.json["id_server_unbind_result"] for answer in (other_case, done, again)]
        assert results == ["no-support", "success", "no-support"]
        assert (kept, idserver.binding("email", ADDRESS)) == (alice.user_id, None)

    async def test_named(self, alice: Talk, idserver: MatrixIdentityServer) -> None:
        """A named server is asked; what was never bound is a success."""
        body = self.body(id_server=idserver.netloc)

        first = await alice.post("/account/3pid/unbind", body)
        idserver.bind("email", ADDRESS, alice.user_id)
        await alice.post("/account/3pid/unbind", body)

        assert first.json == {"id_server_unbind_result": "success"}
        assert idserver.bindings == {}

    async def test_no_support(self, ask: Ask, alice: Talk, idserver: MatrixIdentityServer) -> None:
        """A server that cannot unbind is forgotten all the same."""
        idserver.supports_unbind = False
        await alice.post("/account/3pid/bind", await proven(ask, alice, idserver))

        answer = await alice.post("/account/3pid/unbind", self.body())

        assert answer.json == {"id_server_unbind_result": "no-support"}
        assert idserver.binding("email", ADDRESS) == alice.user_id

    async def test_refused(self, alice: Talk, idserver: MatrixIdentityServer) -> None:
        """Errors of the identity server are errors of the homeserver."""
        body = self.body(id_server=idserver.netloc)
        idserver.reject_next(403)
        bodies = [
            body,
            self.body(id_server="https://is.test"),
            self.body(id_server=5),
            {"medium": "mail", "address": "x"},
            {"medium": "email"},
        ]

        answers = [await alice.post("/account/3pid/unbind", body) for body in bodies]

        assert answers[0].json["error"] == "Failed to contact identity server"
        assert [answer.error for answer in answers] == [
            (500, "M_UNKNOWN"),
            (400, "M_UNKNOWN"),
            (400, "M_BAD_JSON"),
            (400, "M_BAD_JSON"),
            (400, "M_MISSING_PARAM"),
        ]


async def test_any_server(hs: MatrixHomeserver, ask: Ask) -> None:
    """Whatever server stands behind a name is asked, even one that knows no path at all."""
    alice = at_homeserver(ask, hs, "alice")
    async with LoopbackServer() as server:
        hs.add_identity_server(server)
        body = {"medium": "email", "address": "x", "id_server": server.netloc}
        answer = await alice.post("/account/3pid/unbind", body)

    assert answer.json == {"id_server_unbind_result": "no-support"}
