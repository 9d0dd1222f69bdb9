from __future__ import annotations

import pytest

from nio_identity_server.testing.signing import (
    SigningKey,
    decode_base64,
    encode_base64,
    is_signed_by,
)

# https://spec.matrix.org/v1.16/appendices/#cryptographic-test-vectors
SEED = decode_base64("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1")
PUBLIC = "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI"


def test_the_vectors_of_the_specification() -> None:
    """The examples of the specification come out."""
    signed = SigningKey(SEED).sign({"one": 1, "two": "Two"}, "domain", "ed25519:1")

    assert encode_base64(SigningKey(SEED).public) == PUBLIC
    assert signed["signatures"]["domain"]["ed25519:1"] == (
        "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"
    )


def test_checked() -> None:
    """Any Ed25519 signature counts, in either alphabet; others and broken ones do not."""
    key = SigningKey.generate()
    signed = key.sign({"ä": [1]}, "x.test", "ed25519:0")
    public = encode_base64(key.public, url_safe=True)
    (signature,) = signed["signatures"]["x.test"].values()

    assert is_signed_by(signed, public)
    assert is_signed_by({**signed, "unsigned": {"age": 1}}, public)
    assert not is_signed_by(signed, PUBLIC)
    assert not is_signed_by(signed, "AAAA")
    other = {"x.test": {"other:0": signature}}
    assert not is_signed_by({**signed, "signatures": other}, public)


def test_a_key_of_another_length() -> None:
    """A seed has 32 bytes, and is not printed."""
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey(b"short")

    assert repr(SigningKey(SEED)) == "SigningKey()"
