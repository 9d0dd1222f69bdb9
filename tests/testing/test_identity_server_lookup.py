from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer
from nio_identity_server.testing.identity_server.lookup import lookup_hash

from .asking import Answer, Ask

V2 = "/_matrix/identity/v2"


async def look(ask: Ask, idserver: MatrixIdentityServer, **body: Any) -> Answer:
    """Look addresses up."""
    given = {"addresses": [], "algorithm": "sha256", "pepper": idserver.pepper, **body}
    token = idserver.issue_token("@me:example.test")
    return await ask("POST", f"{idserver.url}{V2}/lookup", token=token, json=given)


@pytest.mark.parametrize(
    ("medium", "address", "expected"),
    [
        ("email", "alice@example.com", "4kenr7N9drpCJ4AfalmlGQVsOn3o2RHjkADUpXJWZUc"),
        ("email", "bob@example.com", "LJwSazmv46n0hlMlsb_iYxI0_HXEqy_yj6Jm636cdT8"),
        ("msisdn", "18005552067", "nlo35_T5fzSGZzJApqu8lgIudJvmOQtDaHtr-I4rU7I"),
    ],
)
def test_the_hash_of_the_specification(medium: str, address: str, expected: str) -> None:
    """The examples of the Identity Service API come out."""
    assert expected == lookup_hash(medium, address, "matrixrocks")


class TestHashDetails:
    """Algorithms and pepper."""

    async def test_details(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """Algorithms and pepper are told; the pepper is made up of five letters."""
        token = idserver.issue_token("@me:example.test")

        answer = await ask("GET", f"{idserver.url}{V2}/hash_details", token=token)

        assert {"algorithms": ["sha256", "none"], "lookup_pepper": idserver.pepper} == answer.json
        assert (len(idserver.pepper), idserver.pepper.isalnum()) == (5, True)

    def test_a_given_pepper(self) -> None:
        """The pepper can be given, at first and for a rotation."""
        idserver = MatrixIdentityServer(pepper="salt")

        assert idserver.pepper == "salt"
        assert "sugar" == idserver.rotate_pepper("sugar") == idserver.pepper
        assert idserver.rotate_pepper() != "sugar"


class TestLookup:
    """Lookups."""

    async def test_hashed(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """Known hashes are mapped; unknown ones and junk are left out."""
        idserver.bind("email", "Alice@Example.Test", "@alice:example.test")
        idserver.bind("msisdn", "441234", "@bob:example.test")
        known = lookup_hash("email", "alice@example.test", idserver.pepper)
        phone = lookup_hash("msisdn", "441234", idserver.pepper)
        unfolded = lookup_hash("email", "Alice@Example.Test", idserver.pepper)

        answer = await look(
            ask, idserver, addresses=[known, known, phone, unfolded, "junk", 5, None]
        )

        assert {
            "mappings": {known: "@alice:example.test", phone: "@bob:example.test"}
        } == answer.json

    async def test_plain(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """Without hashing, the key comes back folded."""
        idserver.bind("email", "alice@example.test", "@alice:example.test")

        answer = await look(
            ask,
            idserver,
            algorithm="none",
            addresses=["ALICE@example.test email", "bob@example.test email"],
        )

        assert answer.json == {"mappings": {"alice@example.test email": "@alice:example.test"}}

    async def test_unbound(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """An address that was unbound is found no more."""
        idserver.bind("email", "a@x.test", "@a:x.test")
        assert idserver.bindings == {("email", "a@x.test"): "@a:x.test"}
        idserver.unbind("email", "A@x.test")

        answer = await look(ask, idserver, algorithm="none", addresses=["a@x.test email"])

        assert answer.json == {"mappings": {}}

    async def test_a_stale_pepper(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """The refusal says what the new pepper is."""
        old = idserver.pepper
        new = idserver.rotate_pepper()

        answer = await look(ask, idserver, pepper=old)

        assert answer.error == (400, "M_INVALID_PEPPER")
        assert ("sha256", new) == (answer.json["algorithm"], answer.json["lookup_pepper"])

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ({"addresses": {}}, (400, "M_INVALID_PARAM")),
            ({"algorithm": "md5"}, (400, "M_INVALID_PARAM")),
            ({"addresses": ["x"] * 10_001, "pepper": "stale"}, (400, "M_TOO_LARGE")),
            ({"addresses": [{}]}, (500, "M_UNKNOWN")),
            ({"addresses": [5], "algorithm": "none"}, (500, "M_UNKNOWN")),
            ({"addresses": ["one two three"], "algorithm": "none"}, (400, "M_UNKNOWN")),
        ],
    )
    async def test_refused(
        self,
        ask: Ask,
        idserver: MatrixIdentityServer,
        body: dict[str, Any],
        error: tuple[int, str],
    ) -> None:
        """Nonsense is refused with the words of Sydent."""
        assert error == (await look(ask, idserver, **body)).error

    async def test_missing_keys(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """All three keys are needed, and a token before them."""
        token = idserver.issue_token("@me:example.test")
        url = f"{idserver.url}{V2}/lookup"

        missing = await ask("POST", url, token=token, json={"addresses": [], "algorithm": "none"})

        assert missing.error == (400, "M_MISSING_PARAMS")
        assert (await ask("POST", url, json={})).error == (401, "M_UNAUTHORIZED")

    async def test_other_algorithms(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """What is not offered is not accepted."""
        idserver.algorithms.remove("sha256")

        assert (await look(ask, idserver)).error == (400, "M_INVALID_PARAM")

    async def test_a_body_beyond_512_kib(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """Ten thousand hashes fit; a body that is too large is not even answered."""
        fits = await look(ask, idserver, addresses=["x" * 43] * 10_000)

        with pytest.raises(aiohttp.ClientOSError):
            await look(ask, idserver, addresses=["x" * 43] * 12_000)

        assert fits.status == 200


class TestBind:
    """Binding by a test."""

    def test_localparts(self, hs: MatrixHomeserver, idserver: MatrixIdentityServer) -> None:
        """A localpart is a user of the homeserver; without one there is nobody to be meant."""
        idserver.bind("email", "a@x.test", "alice")
        idserver.bind("email", "b@x.test", "@bob:elsewhere.test")

        assert idserver.binding("email", "a@x.test") == f"@alice:{hs.server_name}"
        assert idserver.binding("email", "b@x.test") == "@bob:elsewhere.test"
        with pytest.raises(ValueError, match="has no homeserver"):
            MatrixIdentityServer().bind("email", "a@x.test", "alice")

    def test_phone_numbers(self, idserver: MatrixIdentityServer) -> None:
        """With a plus in front, nobody would ever find one."""
        with pytest.raises(ValueError, match="digits alone, without a plus"):
            idserver.bind("msisdn", "+442079460000", "alice")
