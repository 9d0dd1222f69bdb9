from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from nio_identity_server.endpoint import BadReply, Receiver
from nio_identity_server.endpoints.terms import AgreeToTerms, Document, GetTerms, Policy
from tests.vectors.terms import (
    MISLEADING_URLS,
    SPECIFIED,
    UNUSABLE_URLS,
    USABLE_URLS,
    WRONG_FORM,
)

URL = "https://example.org/terms"


def _offered(value: Any) -> tuple[Policy, ...]:
    return GetTerms().read(json.dumps(value).encode()).offered


def _document(url: str = URL, name: str = "Terms") -> dict[str, str]:
    return {"name": name, "url": url}


def test_terms_as_in_the_specification() -> None:
    """The specification's own example is read, in the order of the server."""
    at = "https://example.org/somewhere"

    assert (
        Policy(
            "terms_of_service",
            "2.0",
            {
                "en": Document("Terms of Service", f"{at}/terms-2.0-en.html"),
                "fr": Document("Conditions d'utilisation", f"{at}/terms-2.0-fr.html"),
            },
        ),
        Policy(
            "privacy_policy",
            "1.2",
            {
                "en": Document("Privacy Policy", f"{at}/privacy-1.2-en.html"),
                "fr": Document("Politique de confidentialit\u00e9", f"{at}/privacy-1.2-fr.html"),
            },
        ),
    ) == _offered(SPECIFIED)


def test_no_terms() -> None:
    """A server without terms offers no policy."""
    assert _offered({"policies": {}}) == ()


@pytest.mark.parametrize("value", WRONG_FORM.values(), ids=WRONG_FORM)
def test_terms_of_the_wrong_form(value: Any) -> None:
    """Terms that are not what the specification says are a bad reply."""
    with pytest.raises(BadReply, match=r"^the body has the wrong form: "):
        GetTerms().read(json.dumps(value).encode())


@pytest.mark.parametrize("url", USABLE_URLS.values(), ids=USABLE_URLS)
def test_usable_urls(url: str) -> None:
    """A plain https URL can be shown to a person."""
    assert Document("Terms", url).is_usable


@pytest.mark.parametrize("url", UNUSABLE_URLS.values(), ids=UNUSABLE_URLS)
def test_unusable_urls(url: str) -> None:
    """Anything else cannot, and its policy can only be accepted in another language."""
    assert not Document("Terms", url).is_usable
    assert (Policy("p", "1", {"fr": Document("Terms", URL)}),) == _offered(
        {"policies": {"p": {"version": "1", "en": _document(url), "fr": _document()}}}
    )


@pytest.mark.parametrize("url", MISLEADING_URLS.values(), ids=MISLEADING_URLS)
def test_misleading_urls(url: str) -> None:
    """A URL that a browser reads as another one cannot be shown either."""
    assert not Document("Terms", url).is_usable


def test_a_policy_without_a_usable_document_stays() -> None:
    """It is still asked for, so it is not left out: it can never be accepted."""
    policies = {"p": {"version": "1", "en": _document("javascript:alert(1)")}}

    assert (Policy("p", "1", {}),) == _offered({"policies": policies})


def test_texts_beside_the_version_are_no_documents() -> None:
    """A key whose value is a text is not a language."""
    policies = {"p": {"version": "1", "en": _document(), "title": "Terms"}}

    assert (Policy("p", "1", {"en": Document("Terms", URL)}),) == _offered({"policies": policies})


def test_a_policy_without_a_version() -> None:
    """A forgotten version does not lock the user out."""
    assert (Policy("p", "", {}),) == _offered({"policies": {"p": {}}})


@pytest.mark.parametrize(("length", "expected"), [(500, True), (501, False)])
def test_long_names_of_documents(length: int, *, expected: bool) -> None:
    """A document with an endless name cannot be shown."""
    assert expected is Document("a" * length, URL).is_usable


def test_long_names_of_policies() -> None:
    """The name of a policy is cut after 500 characters."""
    (policy,) = _offered({"policies": {"a" * 501: {"version": "1"}}})

    assert policy.name == "a" * 500


def test_many_policies() -> None:
    """Of more policies than anybody could read, the first 100 are offered."""
    policies = {f"p{number}": {"version": "1"} for number in range(101)}

    assert [f"p{number}" for number in range(100)] == [
        policy.name for policy in _offered({"policies": policies})
    ]


def test_many_languages() -> None:
    """Of more languages than there are, the first 100 usable ones are offered."""
    languages = {f"l{number}": _document() for number in range(101)}
    bad = {"bad": _document("http://example.org")}
    (policy,) = _offered({"policies": {"p": {"version": "1", **bad, **languages}}})

    assert [f"l{number}" for number in range(100)] == list(policy.documents)


def test_request() -> None:
    """The terms are asked for before there is a token."""
    endpoint = GetTerms()

    assert (
        endpoint.method,
        endpoint.target,
        endpoint.body,
        endpoint.receiver,
        endpoint.authenticated,
    ) == ("GET", "/_matrix/identity/v2/terms", None, Receiver.IDENTITY_SERVER, False)


def test_agreement_as_in_the_specification() -> None:
    """The URLs that the user accepts are sent as a list, with the token, once."""
    endpoint = AgreeToTerms((f"{URL}-2.0-en.html",))

    assert (
        endpoint.method,
        endpoint.target,
        endpoint.body,
        endpoint.receiver,
        endpoint.authenticated,
        endpoint.repeatable,
    ) == (
        "POST",
        "/_matrix/identity/v2/terms",
        {"user_accepts": ["https://example.org/terms-2.0-en.html"]},
        Receiver.IDENTITY_SERVER,
        True,
        False,
    )


def test_agreement_is_answered_by_an_object() -> None:
    """The specification's own answer, an empty object, is read, and nothing else is."""
    assert AgreeToTerms(()).read(b"{}") == {}
    with pytest.raises(BadReply):
        AgreeToTerms(()).read(b"[]")


@settings(max_examples=100, deadline=None)
@given(st.text() | st.text().map("https://".__add__), st.text())
def test_any_document(url: str, name: str) -> None:
    """Any texts make a document that is usable or not; a usable one is short and plain."""
    document = Document(name, url)
    if document.is_usable:
        assert url.lower().startswith("https://")
        assert url.isascii()
        assert url.isprintable()
