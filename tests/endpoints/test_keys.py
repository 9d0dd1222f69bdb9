from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server.endpoints.keys import (
    GetPubKey,
    IsEphemeralPubKeyValid,
    IsPubKeyValid,
    PubKey,
    Validity,
)

KEY = "VXuGitF39UH5iRfvbIknlvlAVKgD1BsLDMvBf0pmp7c"
# The specification's own: endpoint, request, reply, what the reply means.
EXAMPLES: list[tuple[Any, Any, Any, Any]] = [
    (GetPubKey("ed25519:0"), None, {"public_key": KEY}, PubKey(KEY)),
    (IsPubKeyValid(KEY), None, {"valid": True}, Validity(valid=True)),
    (IsEphemeralPubKeyValid(KEY), None, {"valid": True}, Validity(valid=True)),
]


@pytest.mark.parametrize(
    ("endpoint", "target"),
    [
        (GetPubKey("ed25519:0"), "/_matrix/identity/v2/pubkey/ed25519%3A0"),
        (GetPubKey("ed25519:a/b?c"), "/_matrix/identity/v2/pubkey/ed25519%3Aa%2Fb%3Fc"),
        (IsPubKeyValid("a+/_-"), "/_matrix/identity/v2/pubkey/isvalid?public_key=a%2B%2F_-"),
        (
            IsEphemeralPubKeyValid("a+/=&b"),
            "/_matrix/identity/v2/pubkey/ephemeral/isvalid?public_key=a%2B%2F%3D%26b",
        ),
    ],
)
def test_targets(endpoint: Any, target: str) -> None:
    """Keys of either alphabet arrive as the exact string that they are."""
    assert target == endpoint.target


@pytest.mark.parametrize("key_id", ["", "ed25519", "ed25519:", ":0", "ed25519:0\n", "a b:0", "é:0"])
def test_key_ids_have_a_form(key_id: str) -> None:
    """The id of a key is algorithm:identifier."""
    with pytest.raises(ValueError, match=r"^key_id is not of the form algorithm:identifier$"):
        GetPubKey(key_id)


def test_an_invalid_key() -> None:
    """A key that is not valid is a good reply."""
    assert IsPubKeyValid(KEY).read(b'{"valid": false}') == Validity(valid=False)
