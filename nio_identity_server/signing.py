"""Signed JSON: canonical form, Ed25519 signatures, and base64 without padding.

https://spec.matrix.org/v1.16/appendices/#signing-json
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# The appendix wants integers only, and those that a double can hold.
_LARGEST = 2**53 - 1
_BASE64 = re.compile(r"[0-9A-Za-z+/_-]+={0,2}")
_KEY_BYTES = 32
# An object as deep as this is nothing that anybody signs, and the encoder recurses.
_DEEPEST = 100


class NotSignable(ValueError):
    """A value that has no canonical JSON; the text says why."""


class NotAKey(ValueError):
    """A text that is no Ed25519 key in base64; the text is not repeated."""


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """Write an object in the one form in which it is signed.

    Raises:
        NotSignable: If it holds a fraction, an integer beyond 2**53, half of a surrogate pair, or
            something that is no JSON.
    """
    plain = _plain(value, 0)
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    raise NotSignable("a string has no UTF-8")


def sign_json(
    value: Mapping[str, Any], private_key: str, server_name: str, key_id: str
) -> dict[str, Any]:
    """Add a signature to an object.

    Args:
        value: What to sign. ``unsigned`` and other signatures are kept, and not signed.
        private_key: The 32 bytes of the seed, in either alphabet of base64.
        server_name: In whose name.
        key_id: Like ``ed25519:0``.

    Raises:
        NotAKey: If the key is none.
        NotSignable: If the object has no canonical form.
    """
    from Crypto.PublicKey import ECC  # noqa: PLC0415 - takes longer than this whole package
    from Crypto.Signature import eddsa  # noqa: PLC0415

    key = ECC.construct(curve="Ed25519", seed=_key_bytes(private_key))
    signature = eddsa.new(key, "rfc8032").sign(_signed_part(value))
    others = value.get("signatures", {})
    if not isinstance(others, Mapping) or not isinstance(others.get(server_name, {}), Mapping):
        raise NotSignable("its signatures are no objects")
    ours = {**others.get(server_name, {}), key_id: encode_base64(signature)}
    return {**value, "signatures": {**others, server_name: ours}}


def is_signed(value: Mapping[str, Any], signature: str, public_key: str) -> bool:
    """Tell whether a signature is one of this object, by this key.

    Args:
        value: The object; its ``signatures`` and ``unsigned`` are not part of what is signed.
        signature: In either alphabet of base64, as the key.
        public_key: The key. By a text that is no key, nothing is signed.
    """
    from Crypto.Signature import eddsa  # noqa: PLC0415 - as above

    try:
        key = eddsa.import_public_key(_key_bytes(public_key))
        eddsa.new(key, "rfc8032").verify(_signed_part(value), decode_base64(signature))
    except ValueError:  # no key, no base64, no canonical form, or not its signature
        return False
    return True


def is_signed_by(value: Mapping[str, Any], public_key: str) -> bool:
    """Tell whether one of the signatures that an object holds is by this key, in any name."""
    return any(is_signed(value, signature, public_key) for _, signature in signatures_of(value))


def signatures_of(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The key id and the signature of each Ed25519 signature that an object says it has."""
    by_server = value.get("signatures")
    found = []
    for keys in by_server.values() if isinstance(by_server, Mapping) else ():
        for key_id, signature in keys.items() if isinstance(keys, Mapping) else ():
            if str(key_id).startswith("ed25519:") and isinstance(signature, str):
                found.append((str(key_id), signature))
    return found


def public_key_of(private_key: str) -> str:
    """The public key that belongs to a private one.

    Raises:
        NotAKey: If it is none.
    """
    from Crypto.PublicKey import ECC  # noqa: PLC0415 - as above

    key = ECC.construct(curve="Ed25519", seed=_key_bytes(private_key))
    raw: bytes = key.public_key().export_key(format="raw")
    return encode_base64(raw)


def is_key(text: str) -> bool:
    """Tell whether a text is an Ed25519 key in base64: 32 bytes."""
    try:
        _key_bytes(text)
    except NotAKey:
        return False
    return True


def encode_base64(data: bytes) -> str:
    """Write bytes in base64 without padding, in the standard alphabet."""
    from unpaddedbase64 import encode_base64 as encode  # noqa: PLC0415 - as above

    return str(encode(data))


def decode_base64(text: str) -> bytes:
    """Read base64 in either alphabet, with padding or without.

    Raises:
        ValueError: If it is none.
    """
    from unpaddedbase64 import decode_base64 as decode  # noqa: PLC0415 - as above

    if not _BASE64.fullmatch(text):  # the library skips what is not of the alphabet
        raise ValueError("not base64")
    return bytes(decode(text.rstrip("=")))


def _key_bytes(text: str) -> bytes:
    try:
        data = decode_base64(text)
    except ValueError:
        data = b""
    if len(data) != _KEY_BYTES:
        raise NotAKey(f"a key is {_KEY_BYTES} bytes in base64")
    return data


def _signed_part(value: Mapping[str, Any]) -> bytes:
    unsigned = {"signatures", "unsigned"}
    return canonical_json({key: part for key, part in value.items() if key not in unsigned})


def _plain(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise NotSignable("it is nested too deeply")
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise NotSignable("a key is not a string")
        return {key: _plain(part, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, depth + 1) for part in value]
    return value if value is None or isinstance(value, str | bool) else _integer(value)


def _integer(value: Any) -> int:
    """An integer, however it was spelt: the appendix has 1e10 written as 10000000000."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int):
        raise NotSignable(f"canonical JSON has no {type(value).__name__}")
    if not -_LARGEST <= value <= _LARGEST:
        raise NotSignable("an integer is too large for canonical JSON")
    return value
