from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server.endpoint import BadReply, Receiver
from nio_identity_server.endpoints.homeserver import (
    GetAccountData,
    GetTokenOwner,
    OpenIdToken,
    RequestOpenIdToken,
    SetAccountData,
    TokenOwner,
)

USER = "@alice:example.com"
EVENT = "m.identity_server"
TARGET = "/_matrix/client/v3/user/%40alice%3Aexample.com/account_data/m.identity_server"


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b'{"base_url": "https://example.org"}', {"base_url": "https://example.org"}),
        (b'{"base_url": null}', {"base_url": None}),
        (b"{}", {}),
        (b'{"a": [1, {"b": null}]}', {"a": [1, {"b": None}]}),
        (b'{"a": 123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
        (b"[]", []),
        (b"null", None),
        (b'"https://example.org"', "https://example.org"),
        (b"5", 5),
        (b"false", False),
    ],
)
def test_content_is_read_as_it_is(body: bytes, content: Any) -> None:
    """Any JSON is the content of an event; what it means is decided elsewhere."""
    reply = GetAccountData(USER, EVENT).read(body)

    assert (type(content), content) == (type(reply), reply)


@pytest.mark.parametrize("body", [b"", b" ", b"<html>", b'{"base_url":NaN}', b"{} {}"])
def test_what_is_not_json_is_no_content(body: bytes) -> None:
    """An answer that is not JSON says nothing about the event."""
    with pytest.raises(BadReply, match=r"^the body is not JSON: "):
        GetAccountData(USER, EVENT).read(body)


def test_get_account_data() -> None:
    """The request names the user and the event, for the homeserver, with its token."""
    endpoint = GetAccountData(USER, EVENT)

    assert (
        endpoint.method,
        endpoint.target,
        endpoint.body,
        endpoint.receiver,
        endpoint.authenticated,
    ) == ("GET", TARGET, None, Receiver.HOMESERVER, True)


def test_content_of_a_megabyte_is_let_in() -> None:
    """Homeservers store large events without a word, so they are read too."""
    assert GetAccountData.cap == 1024 * 1024


@pytest.mark.parametrize("content", [{"base_url": None}, {}, {"base_url": "https://a.example"}])
def test_set_account_data(content: dict[str, Any]) -> None:
    """The body is the content itself, not an object around it."""
    endpoint = SetAccountData(USER, EVENT, content)

    assert ("PUT", TARGET, content, Receiver.HOMESERVER, True, False) == (
        endpoint.method,
        endpoint.target,
        endpoint.body,
        endpoint.receiver,
        endpoint.authenticated,
        endpoint.repeatable,
    )


def test_account_data_was_set() -> None:
    """The specification's own example of an answer, an empty object, is read."""
    assert SetAccountData(USER, EVENT, {}).read(b"{}") == {}


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"true", b'"ok"', b"<html>"])
def test_account_data_was_perhaps_set(body: bytes) -> None:
    """Any other answer does not tell that it was stored."""
    with pytest.raises(BadReply):
        SetAccountData(USER, EVENT, {}).read(body)


def test_token_owner_as_in_the_specification() -> None:
    """The user is read; the device and other keys are left out."""
    body = b'{"user_id": "@joe:example.org", "device_id": "ABC1234", "is_guest": false}'

    assert TokenOwner("@joe:example.org") == GetTokenOwner().read(body)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"user_id": null}', b'{"user_id": 5}'])
def test_a_token_owner_that_is_nobody(body: bytes) -> None:
    """An answer without a user is a bad reply."""
    with pytest.raises(BadReply, match=r"^the body has the wrong form: "):
        GetTokenOwner().read(body)


def test_get_token_owner() -> None:
    """The question goes to the homeserver, with its token."""
    endpoint = GetTokenOwner()

    assert (
        endpoint.method,
        endpoint.target,
        endpoint.body,
        endpoint.receiver,
        endpoint.authenticated,
    ) == ("GET", "/_matrix/client/v3/account/whoami", None, Receiver.HOMESERVER, True)


def test_openid_token_as_in_the_specification() -> None:
    """The specification's own example is read, and the token does not show."""
    body = (
        b'{"access_token": "SomeT0kenHere", "expires_in": 3600, '
        b'"matrix_server_name": "example.com", "token_type": "Bearer"}'
    )
    token = RequestOpenIdToken(USER).read(body)

    assert token == OpenIdToken("SomeT0kenHere", "Bearer", "example.com", 3600)
    assert "SomeT0kenHere" not in repr(token)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"access_token":"a","token_type":"Bearer","matrix_server_name":"b"}',
        b'{"access_token":"a","token_type":"Bearer","expires_in":3600}',
        b'{"access_token":5,"token_type":"Bearer","matrix_server_name":"b","expires_in":3600}',
        b'{"access_token":"a","token_type":"Bearer","matrix_server_name":"b","expires_in":"1"}',
    ],
)
def test_half_an_openid_token(body: bytes) -> None:
    """A token without all of its four parts is a bad reply that does not repeat it."""
    with pytest.raises(BadReply, match=r"^the body has the wrong form: "):
        RequestOpenIdToken(USER).read(body)


def test_request_openid_token() -> None:
    """The request has an empty object as its body, which Synapse wants to see."""
    endpoint = RequestOpenIdToken(USER)

    assert (endpoint.method, endpoint.body, endpoint.receiver, endpoint.authenticated) == (
        "POST",
        {},
        Receiver.HOMESERVER,
        True,
    )
    assert endpoint.target == (
        "/_matrix/client/v3/user/%40alice%3Aexample.com/openid/request_token"
    )
