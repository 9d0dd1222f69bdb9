from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server.endpoint import BadReply
from nio_identity_server.endpoints.account import (
    Account,
    GetAccount,
    Logout,
    RegisterAccount,
    Registration,
)
from nio_identity_server.endpoints.homeserver import OpenIdToken, RequestOpenIdToken

OPENID: dict[str, Any] = {
    "access_token": "SomeT0kenHere",
    "token_type": "Bearer",
    "matrix_server_name": "example.com",
    "expires_in": 3600,
}
REGISTER = RegisterAccount("SomeT0kenHere", "Bearer", "example.com", 3600)
# The specification's own: endpoint, request, reply, what the reply means.
EXAMPLES: list[tuple[Any, Any, Any, Any]] = [
    (REGISTER, OPENID, {"token": "abc123_OpaqueString"}, Registration("abc123_OpaqueString")),
    (GetAccount(), None, {"user_id": "@alice:example.org"}, Account("@alice:example.org")),
    (Logout(), None, {}, {}),
    (RequestOpenIdToken("@alice:example.com"), {}, OPENID, OpenIdToken(**OPENID)),
]


@pytest.mark.parametrize(
    "body",
    [
        b'{"token": "abc"}',
        b'{"access_token": "abc"}',
        b'{"token": "abc", "access_token": "abc"}',
        b'{"token": "abc", "access_token": "older"}',
    ],
)
def test_the_token_has_two_names(body: bytes) -> None:
    """The token is found under either name; the specification's goes first."""
    assert REGISTER.read(body).secret == "abc"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "Object missing required field `token`"),
        (b'{"Token": "abc"}', "Object missing required field `token`"),
        (b'{"token": null, "access_token": "abc"}', "Expected `str`, got `null` - at `$.token`"),
        (b'{"token": 5}', "Expected `str`, got `int` - at `$.token`"),
        (b'{"token": ""}', "token cannot be sent in a header"),
        (b'{"token": "abc", "access_token": ""}', "access_token cannot be sent in a header"),
        (b'{"token": "a b"}', "token cannot be sent in a header"),
        (b'{"token": "abc\\n"}', "token cannot be sent in a header"),
        (b'{"token": "abc\\r\\nX-Evil: 1"}', "token cannot be sent in a header"),
        (b'{"token": "\\u00fc"}', "token cannot be sent in a header"),
    ],
)
def test_no_usable_token(body: bytes, reason: str) -> None:
    """A reply without a token, or with one that no header can hold, is a bad reply."""
    with pytest.raises(BadReply) as caught:
        REGISTER.read(body)

    assert str(caught.value) == f"the body has the wrong form: {reason}"


def test_tokens_do_not_show() -> None:
    """Neither the OpenID token nor the token got for it is printed."""
    reply = REGISTER.read(b'{"token": "hunter2", "access_token": "hunter3"}')

    assert "hunter" not in repr(reply)
    assert "SomeT0kenHere" not in repr(REGISTER) + repr(OpenIdToken(**OPENID))


def test_the_openid_request_has_an_empty_object() -> None:
    """Synapse wants a JSON object, even if there is nothing to say."""
    assert RequestOpenIdToken("@alice:example.com").payload == b"{}"


def test_logout_sends_no_body() -> None:
    """Logging out is the one POST that has no body."""
    assert Logout().payload is None


def test_the_proof_is_blanked_out_where_a_server_repeats_it() -> None:
    """Whatever a refusal says, the OpenID token is not in the text that is shown."""
    assert REGISTER.redact("no: SomeT0kenHere is not known") == "no: *** is not known"
