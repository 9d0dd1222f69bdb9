from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server.testing import Account, MatrixHomeserver

from .asking import Ask

CLIENT = "/_matrix/client/v3"
ALICE = "@alice:example.test"


class TestByMethod:
    """What a test does directly."""

    def test_a_user_has_devices(self, hs: MatrixHomeserver) -> None:
        """Registering logs in a first device, each login one more."""
        first = hs.register("alice", device_id="PHONE")
        second = hs.login(ALICE)

        assert (first.user_id, first.device_id) == (ALICE, "PHONE")
        assert second.user_id == ALICE
        assert first.device_id != second.device_id
        assert first.access_token != second.access_token

    def test_the_token_is_not_printed(self) -> None:
        """An account shows its user and device only."""
        assert repr(Account("@a:b", "t0ken", "D")) == "Account(user_id='@a:b', device_id='D')"

    def test_registered_twice(self, hs: MatrixHomeserver) -> None:
        """A user is registered once."""
        hs.register("alice")

        with pytest.raises(ValueError, match="already"):
            hs.register(ALICE)

    def test_an_unknown_user(self, hs: MatrixHomeserver) -> None:
        """Whoever is not registered cannot log in, nor have account data."""
        with pytest.raises(LookupError, match="not registered"):
            hs.login("nobody")
        with pytest.raises(LookupError, match="not registered"):
            hs.set_account_data("nobody", "m.x", {})

    async def test_a_device_has_one_token(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """Logging in a device that exists ends its old token."""
        old = hs.register("alice", device_id="PHONE")
        new = hs.login("alice", "PHONE")

        url = f"{hs.url}{CLIENT}/account/whoami"

        assert (await ask("GET", url, token=old.access_token)).error == (401, "M_UNKNOWN_TOKEN")
        assert (await ask("GET", url, token=new.access_token)).status == 200


class TestLogin:
    """Logging in over HTTP."""

    async def test_the_flows(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """A password is the only way in."""
        answer = await ask("GET", f"{hs.url}{CLIENT}/login")

        assert answer.json == {"flows": [{"type": "m.login.password"}]}

    @pytest.mark.parametrize(
        "who", [{"user": "alice"}, {"identifier": {"type": "m.id.user", "user": ALICE}}]
    )
    @pytest.mark.parametrize("release", ["v3", "r0"])
    async def test_with_a_password(
        self, ask: Ask, hs: MatrixHomeserver, who: dict[str, Any], release: str
    ) -> None:
        """A user is named by identifier or in the old way, under both path prefixes."""
        hs.register("alice", "pw")
        body = {"type": "m.login.password", "password": "pw", "device_id": "D", **who}

        answer = await ask("POST", f"{hs.url}/_matrix/client/{release}/login", json=body)

        token = answer.json.pop("access_token")
        assert {
            "user_id": ALICE,
            "access_token": token,
            "home_server": "example.test",
            "device_id": "D",
        } == answer.json

    async def test_the_well_known_is_repeated(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """A server with a well-known document puts it into the answer."""
        hs.register("alice", "pw")
        hs.well_known = {"m.homeserver": {"base_url": hs.url}}
        body = {"type": "m.login.password", "user": "alice", "password": "pw"}

        answer = await ask("POST", f"{hs.url}{CLIENT}/login", json=body)

        assert hs.well_known == answer.json["well_known"]

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ({"type": "m.login.token"}, (400, "M_INVALID_PARAM")),
            ({"type": "m.login.password", "user": "alice"}, (400, "M_INVALID_PARAM")),
            ({"type": "m.login.password", "password": "pw"}, (400, "M_INVALID_PARAM")),
            (
                {"type": "m.login.password", "user": "alice", "password": "no"},
                (403, "M_FORBIDDEN"),
            ),
            ([], (400, "M_BAD_JSON")),
        ],
    )
    async def test_refused(
        self, ask: Ask, hs: MatrixHomeserver, body: Any, error: tuple[int, str]
    ) -> None:
        """Other types, missing parts and wrong passwords are refused."""
        hs.register("alice", "pw")

        assert error == (await ask("POST", f"{hs.url}{CLIENT}/login", json=body)).error


class TestTokens:
    """Tokens and their end."""

    async def test_whoami(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """A token tells user and device, in the header or in the query."""
        alice = hs.register("alice")
        url = f"{hs.url}{CLIENT}/account/whoami"

        answers = [
            await ask("GET", url, token=alice.access_token),
            await ask("GET", f"{url}?access_token={alice.access_token}"),
        ]

        expected = {"user_id": ALICE, "is_guest": False, "device_id": alice.device_id}
        assert [expected, expected] == [answer.json for answer in answers]

    async def test_no_token_and_a_wrong_one(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """The two have different errcodes."""
        url = f"{hs.url}{CLIENT}/account/whoami"

        assert (await ask("GET", url)).error == (401, "M_MISSING_TOKEN")
        assert (await ask("GET", url, token="no")).error == (401, "M_UNKNOWN_TOKEN")

    @pytest.mark.parametrize("soft", [False, True])
    async def test_revoked(self, ask: Ask, hs: MatrixHomeserver, soft: bool) -> None:
        """A revoked token is unknown, softly if so wished."""
        alice = hs.register("alice")
        hs.revoke(alice.access_token, soft_logout=soft)

        answer = await ask("GET", f"{hs.url}{CLIENT}/account/whoami", token=alice.access_token)

        assert answer.error == (401, "M_UNKNOWN_TOKEN")
        assert soft is answer.json["soft_logout"]

    @pytest.mark.parametrize(("path", "left"), [("/logout", 200), ("/logout/all", 401)])
    async def test_logout(self, ask: Ask, hs: MatrixHomeserver, path: str, left: int) -> None:
        """Logging out ends one token, or all of the user; other users stay."""
        alice, other, bob = hs.register("alice"), hs.login("alice"), hs.register("bob")

        answer = await ask("POST", f"{hs.url}{CLIENT}{path}", token=alice.access_token)

        statuses = [
            (
                await ask("GET", f"{hs.url}{CLIENT}/account/whoami", token=account.access_token)
            ).status
            for account in (alice, other, bob)
        ]
        assert (answer.status, answer.json) == (200, {})
        assert [401, left, 200] == statuses
