from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from nio_identity_server.base_url import BaseUrl, parse_base_url
from nio_identity_server.preference.account_data import (
    ACCEPTED_TERMS,
    EVENT_TYPE,
    Chosen,
    Disabled,
    Known,
    NotSet,
    Unconfirmed,
    Unusable,
    read_accepted_terms,
    read_content,
    with_accepted_terms,
    write_content,
)
from tests.vectors.contents import UNUSABLE

SERVER = parse_base_url("https://id.example.org")
LOCAL = parse_base_url("http://localhost:8090")


TERMS = "https://example.org/somewhere/terms-1.2-en.html"
PRIVACY = "https://example.org/somewhere/privacy-1.2-en.html"


def test_the_events() -> None:
    """The events are those of the specification."""
    assert (EVENT_TYPE, ACCEPTED_TERMS) == ("m.identity_server", "m.accepted_terms")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"base_url": "https://id.example.org"}, Chosen(SERVER)),
        ({"base_url": "https://id.example.org/"}, Chosen(SERVER)),
        ({"base_url": "HTTPS://ID.example.org:443//"}, Chosen(SERVER)),
        ({"base_url": "https://id.example.org", "more": 1}, Chosen(SERVER)),
        (MappingProxyType({"base_url": "https://id.example.org"}), Chosen(SERVER)),
        ({"base_url": None}, Disabled()),
        ({"base_url": None, "more": 1}, Disabled()),
        ({}, NotSet()),
        ({"more": 1}, NotSet()),
        ({"BASE_URL": "https://id.example.org"}, NotSet()),
        ({"m.identity_server": {"base_url": "https://id.example.org"}}, NotSet()),
    ],
)
def test_read(content: object, expected: Known) -> None:
    """A URL, ``null`` and a missing key are three answers; other keys do not matter."""
    assert expected == read_content(content)


@pytest.mark.parametrize(("content", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_unusable(content: object, reason: str) -> None:
    """Anything else is unusable, for a reason, and never "not set"."""
    assert Unusable(reason) == read_content(content)


@pytest.mark.parametrize("url", ["http://localhost:8090", "http://LOCALHOST:8090/"])
def test_http_is_for_servers_named_in_code(url: str) -> None:
    """A server named in code may be http, in any spelling."""
    assert Chosen(LOCAL) == read_content({"base_url": url}, [LOCAL])


@pytest.mark.parametrize(
    "url", ["http://localhost", "http://localhost:8091", "http://localhost:8090/a"]
)
def test_http_beside_a_server_named_in_code(url: str) -> None:
    """Another port or path is another server."""
    expected = Unusable("base_url in the account data: it is not https")

    assert expected == read_content({"base_url": url}, [LOCAL, SERVER])


def test_https_needs_no_trust() -> None:
    """A user may choose any https server."""
    assert Chosen(SERVER) == read_content({"base_url": str(SERVER)}, [LOCAL])


@pytest.mark.parametrize(
    ("preference", "content"),
    [
        (Chosen(SERVER), {"base_url": "https://id.example.org"}),
        (Disabled(), {"base_url": None}),
        (NotSet(), {}),
    ],
)
def test_write(preference: NotSet | Disabled | Chosen, content: dict[str, Any]) -> None:
    """What is written says the same when it is read, also after a way through JSON."""
    assert content == write_content(preference)
    assert preference == read_content(json.loads(json.dumps(write_content(preference))))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"accepted": [TERMS, PRIVACY]}, (TERMS, PRIVACY)),
        ({"accepted": []}, ()),
        ({"accepted": [TERMS, None, 5, [PRIVACY]]}, (TERMS,)),
        ({"accepted": None}, ()),
        ({"accepted": TERMS}, ()),
        ({"accepted": {TERMS: True}}, ()),
        ({}, ()),
        ({"Accepted": [TERMS]}, ()),
        (None, ()),
        ([TERMS], ()),
        (TERMS, ()),
    ],
)
def test_accepted_terms(content: object, expected: tuple[str, ...]) -> None:
    """Only a list of URLs says that anything was accepted."""
    assert expected == read_accepted_terms(content)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"accepted": [TERMS]}, {"accepted": [TERMS, PRIVACY]}),
        ({"accepted": [PRIVACY, TERMS]}, {"accepted": [PRIVACY, TERMS]}),
        ({"accepted": [5, None]}, {"accepted": [5, None, PRIVACY]}),
        ({"accepted": [], "more": 1}, {"accepted": [PRIVACY], "more": 1}),
        ({"accepted": TERMS}, {"accepted": [PRIVACY]}),
        ({}, {"accepted": [PRIVACY]}),
        (None, {"accepted": [PRIVACY]}),
        ([TERMS], {"accepted": [PRIVACY]}),
    ],
)
def test_with_accepted_terms(content: object, expected: dict[str, Any]) -> None:
    """A URL is appended once, and nothing that another client wrote is lost."""
    before = json.dumps(content)

    assert expected == with_accepted_terms(content, [PRIVACY])
    assert json.dumps(content) == before


def test_one_url_accepted_twice() -> None:
    """A URL that is named twice is appended once."""
    assert with_accepted_terms({}, [TERMS, TERMS]) == {"accepted": [TERMS]}


def test_five_things_that_differ() -> None:
    """No two kinds of preference are equal, and equal ones are."""
    kinds = [Unconfirmed(), NotSet(), Disabled(), Chosen(SERVER), Unusable("x"), Chosen(LOCAL)]

    assert len(kinds) == len(set(kinds))
    assert [NotSet(), Disabled(), Unusable("x")] == [kinds[1], kinds[2], kinds[4]]


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=())),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["base_url", "a"]), inner)
        ),
        max_leaves=5,
    )
)
def test_only_a_missing_key_means_not_set(content: object) -> None:
    """Whatever the content, only an object without ``base_url`` means that nothing was chosen."""
    is_missing = isinstance(content, dict) and "base_url" not in content
    is_null = isinstance(content, dict) and not is_missing and content["base_url"] is None
    known = read_content(content)

    assert is_missing is isinstance(known, NotSet)
    assert is_null is isinstance(known, Disabled)
    if isinstance(known, Chosen):
        assert isinstance(known.base_url, BaseUrl)
        assert known.base_url.scheme == "https"
