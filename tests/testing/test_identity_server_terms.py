from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server.testing import MatrixIdentityServer

from .asking import Ask

V2 = "/_matrix/identity/v2"
ALICE = "@alice:example.test"
POLICIES = {
    "privacy": {
        "version": "1.2",
        "en": {"name": "Privacy", "url": "https://x.test/p/en"},
        "de": {"name": "Datenschutz", "url": "https://x.test/p/de"},
    },
    "terms": {"version": "2", "en": {"name": "Terms", "url": "https://x.test/t/en"}},
}
BOTH = ["https://x.test/p/de", "https://x.test/t/en"]


async def accept(ask: Ask, idserver: MatrixIdentityServer, token: str, urls: Any) -> Any:
    """Accept URLs."""
    body = {"user_accepts": urls}
    return await ask("POST", f"{idserver.url}{V2}/terms", token=token, json=body)


async def errors(ask: Ask, idserver: MatrixIdentityServer, token: str) -> list[int]:
    """Give the statuses of all calls that need signed terms."""
    url = f"{idserver.url}{V2}"
    lookup = {"addresses": [], "algorithm": "none", "pepper": idserver.pepper}
    return [
        (await ask("GET", f"{url}/account", token=token)).status,
        (await ask("GET", f"{url}/hash_details", token=token)).status,
        (await ask("POST", f"{url}/lookup", token=token, json=lookup)).status,
    ]


class TestTerms:
    """Terms of service."""

    async def test_shown_to_everybody(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """The policies are there without a token; without terms there are none."""
        none = await ask("GET", f"{idserver.url}{V2}/terms")
        urls = idserver.require_terms(POLICIES)
        some = await ask("GET", f"{idserver.url}{V2}/terms")

        assert none.json == {"policies": {}}
        assert some.json == {"policies": POLICIES}
        assert urls == [*BOTH[:1], "https://x.test/p/en", *BOTH[1:]]

    async def test_usual_terms(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """One word is enough: it puts up a privacy policy, and the next time a newer one."""
        token = idserver.issue_token(ALICE)
        first = idserver.require_terms()
        assert await errors(ask, idserver, token) == [403, 403, 403]
        await accept(ask, idserver, token, first)
        assert await errors(ask, idserver, token) == [200, 200, 200]

        second = idserver.require_terms()

        shown = (await ask("GET", f"{idserver.url}{V2}/terms")).json["policies"]
        assert await errors(ask, idserver, token) == [403, 403, 403]
        assert [first, second] == [[f"https://example.test/privacy-{n}"] for n in (1, 2)]
        assert shown["privacy_policy"]["version"] == "2"
        assert idserver.require_terms({}) == []

    async def test_acceptances_add_up(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """One URL of every document is needed, in any language, by any token of the user."""
        token, other = idserver.issue_token(ALICE), idserver.issue_token(ALICE)
        assert await errors(ask, idserver, token) == [200, 200, 200]
        idserver.require_terms(POLICIES)
        unsigned = await ask("GET", f"{idserver.url}{V2}/account", token=token)

        assert unsigned.error == (403, "M_TERMS_NOT_SIGNED")
        assert await errors(ask, idserver, token) == [403, 403, 403]

        first = await accept(ask, idserver, token, BOTH[:1])

        assert (first.status, first.json) == (200, {})
        assert await errors(ask, idserver, token) == [403, 403, 403]

        await accept(ask, idserver, token, BOTH[1:])

        assert await errors(ask, idserver, other) == [200, 200, 200]
        assert {ALICE: set(BOTH)} == idserver.accepted_terms

    async def test_logout_needs_no_terms(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """A token can be given back without accepting anything."""
        token = idserver.issue_token(ALICE)
        idserver.require_terms(POLICIES)

        answer = await ask("POST", f"{idserver.url}{V2}/account/logout", token=token)

        assert answer.status == 200

    async def test_new_terms_ask_again(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """New policies need another acceptance, for which the old URLs count."""
        token = idserver.issue_token(ALICE)
        idserver.require_terms(POLICIES)
        await accept(ask, idserver, token, BOTH)
        idserver.require_terms(POLICIES)

        assert await errors(ask, idserver, token) == [403, 403, 403]

        await accept(ask, idserver, token, [])

        assert await errors(ask, idserver, token) == [200, 200, 200]

        idserver.require_terms({})

        assert await errors(ask, idserver, idserver.issue_token("@bob:x")) == [200, 200, 200]

    @pytest.mark.parametrize(
        ("urls", "error"),
        [
            ([BOTH[0], "https://x.test/other"], (400, "M_UNKNOWN")),
            ("https://x.test/t/en", (400, "M_UNKNOWN")),
            (None, (500, "M_UNKNOWN")),
            ([5], (500, "M_UNKNOWN")),
        ],
    )
    async def test_refused(
        self, ask: Ask, idserver: MatrixIdentityServer, urls: Any, error: tuple[int, str]
    ) -> None:
        """A URL that is not offered is refused with all the others, and so is nonsense."""
        idserver.require_terms(POLICIES)

        answer = await accept(ask, idserver, idserver.issue_token(ALICE), urls)

        assert error == answer.error
        assert idserver.accepted_terms == {}

    async def test_only_with_a_token(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """Accepting needs a token and the key."""
        token = idserver.issue_token(ALICE)
        url = f"{idserver.url}{V2}/terms"

        assert (await ask("POST", url, json={})).error == (401, "M_UNAUTHORIZED")
        assert (await ask("POST", url, token=token, json={})).error == (400, "M_MISSING_PARAMS")
