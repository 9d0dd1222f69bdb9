"""Accepting an identity server's terms (design, section 6)."""

from __future__ import annotations

import pytest

from nio_identity_server import IdentityServer, Policy, TermsNotOffered, TermsNotSigned
from nio_identity_server.endpoints.account import GetAccount
from tests.scenarios.scene import IS, Scene
from tests.scenarios.stage import terms_url

TERMS = "m.accepted_terms"
DOCUMENTS = ("privacy_policy", "terms_of_service")


def urls(version: str, language: str = "en") -> list[str]:
    """Both documents of a version."""
    return [terms_url(document, version, language) for document in DOCUMENTS]


async def accepted(scene: Scene) -> list[str]:
    """What Alice's clients know to be accepted."""
    content = await scene.other_client.read(TERMS)
    return [] if content is None else sorted(content["accepted"])


async def refused(server: IdentityServer) -> dict[str, str]:
    """The policies that a call is refused for: the version of each."""
    with pytest.raises(TermsNotSigned) as refusal:
        await server.call(GetAccount())
    return {policy.name: policy.version for policy in refusal.value.policies}


async def test_terms_refused(scene_with_terms: Scene) -> None:
    """Nobody is registered at a server whose terms are not accepted, and the caller sees them."""
    scene = scene_with_terms
    version = await scene.stage.require_terms()
    server = await scene.speaker()

    with pytest.raises(TermsNotSigned) as refusal:
        await server.call(GetAccount())

    policies = {policy.name: policy for policy in refusal.value.policies}
    assert sorted(policies) == sorted(DOCUMENTS)
    shown = policies["privacy_policy"]
    assert shown.version == version
    assert shown.documents["fr"].name == "Privacy Policy (fr)"
    assert shown.documents["en"].url == terms_url("privacy_policy", version)
    assert scene.url in str(refusal.value)
    assert scene.stage.identity_server.requests == [f"GET {IS}/terms"]
    assert scene.stage.homeserver.seen("openid") == 0
    assert await server.pending_terms() == refusal.value.policies
    assert await accepted(scene) == []


async def test_terms_accepted(scene_with_terms: Scene) -> None:
    """Accepted terms are told to the server and to all clients; then calls work."""
    scene = scene_with_terms
    version = await scene.stage.require_terms()
    server = await scene.speaker()

    with pytest.raises(TermsNotOffered):
        await server.accept_terms(urls("0"))
    assert scene.stage.identity_server.seen("register") == 0
    await server.accept_terms(urls(version))

    assert (await server.call(GetAccount())).user_id == scene.alice.user_id
    assert await accepted(scene) == urls(version)
    assert await server.pending_terms() == ()


@pytest.mark.parametrize("answer", ["every one", "in French"])
async def test_the_callback(scene_with_terms: Scene, answer: str) -> None:
    """The bot's own callback is asked once, and what it accepts is accepted."""
    scene = scene_with_terms
    version = await scene.stage.require_terms()
    asked: list[tuple[Policy, ...]] = []

    async def accept(policies: tuple[Policy, ...]) -> bool | list[str]:
        asked.append(policies)
        return True if answer == "every one" else urls(version, "fr")

    server = await scene.speaker(accept_terms=accept)

    await server.call(GetAccount())
    await server.call(GetAccount())

    assert [sorted(policy.name for policy in policies) for policies in asked] == [[*DOCUMENTS]]
    assert await accepted(scene) == urls(version, "en" if answer == "every one" else "fr")
    assert scene.stage.identity_server.seen("POST /_matrix/identity/v2/terms") == 1


async def test_partial_acceptance(scene_with_terms: Scene) -> None:
    """What is accepted is kept; the rest stays pending until it is accepted, in any language."""
    scene = scene_with_terms
    version = await scene.stage.require_terms()
    server = await scene.speaker()
    first, second = terms_url(DOCUMENTS[0], version), terms_url(DOCUMENTS[1], version, "fr")

    await server.accept_terms([first])

    assert await refused(server) == {DOCUMENTS[1]: version}
    assert await accepted(scene) == [first]
    assert [policy.name for policy in await server.pending_terms()] == [DOCUMENTS[1]]
    await server.accept_terms([second])
    assert (await server.call(GetAccount())).user_id == scene.alice.user_id
    assert await accepted(scene) == [first, second]


async def test_accepted_in_another_client(scene_with_terms: Scene) -> None:
    """What another client has accepted is posted without asking anybody; strange things stay."""
    scene = scene_with_terms
    version = await scene.stage.require_terms()
    content = {"accepted": ["https://other.example/terms", *urls(version, "fr")], "more": [1]}
    await scene.other_client.write(content, TERMS)
    asked: list[tuple[Policy, ...]] = []

    def accept(policies: tuple[Policy, ...]) -> bool:
        asked.append(policies)
        return True

    server = await scene.speaker(accept_terms=accept)

    account = await server.call(GetAccount())

    assert account.user_id == scene.alice.user_id
    assert asked == []
    assert await scene.other_client.read(TERMS) == content
    assert scene.stage.homeserver.seen("PUT") == 0


async def test_a_new_version(scene_with_terms: Scene) -> None:
    """A new version of the terms is asked about in the middle of a session."""
    scene = scene_with_terms
    old = await scene.stage.require_terms()
    server = await scene.speaker()
    await server.accept_terms(urls(old))
    await server.call(GetAccount())
    token = scene.token()

    new = await scene.stage.require_terms()

    assert await refused(server) == dict.fromkeys(DOCUMENTS, new)
    await server.accept_terms(urls(new))
    assert (await server.call(GetAccount())).user_id == scene.alice.user_id
    assert await accepted(scene) == sorted([*urls(old), *urls(new)])
    assert scene.token() == token


async def test_a_new_version_and_a_callback(scene_with_terms: Scene) -> None:
    """The callback is asked again about a new version; the call that met it succeeds."""
    scene = scene_with_terms
    versions = [await scene.stage.require_terms()]
    asked: list[set[str]] = []

    def accept(policies: tuple[Policy, ...]) -> bool:
        asked.append({policy.version for policy in policies})
        return True

    server = await scene.speaker(accept_terms=accept)
    await server.call(GetAccount())

    versions.append(await scene.stage.require_terms())
    account = await server.call(GetAccount())

    assert account.user_id == scene.alice.user_id
    assert asked == [{version} for version in versions]
    assert scene.stage.identity_server.seen("register") == 1
