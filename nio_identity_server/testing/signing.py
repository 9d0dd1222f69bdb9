"""Signed JSON, as Matrix servers make and check it: canonical JSON and Ed25519."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any

import attrs

_KEY_BYTES = 32
_UNSIGNED = ("signatures", "unsigned")


@attrs.frozen
class SigningKey:
    """An Ed25519 key that can sign.

    Attributes:
        seed: The private half, 32 bytes; not in the printed form.
    """

    seed: bytes = attrs.field(repr=False)

    @seed.validator
    def _check(self, _: object, value: bytes) -> None:
        if len(value) != _KEY_BYTES:
            raise ValueError(f"an Ed25519 key has {_KEY_BYTES} bytes")

    @classmethod
    def generate(cls) -> SigningKey:
        """Make up a key."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        from Crypto.Signature import eddsa  # noqa: PLC0415 -- only who signs pays for it

        raw: bytes = eddsa.import_private_key(self.seed).public_key().export_key(format="raw")
        return raw

    def sign(self, content: Mapping[str, Any], server_name: str, key_id: str) -> dict[str, Any]:
        """Give the object with a signature added."""
        from Crypto.Signature import eddsa  # noqa: PLC0415

        signer = eddsa.new(eddsa.import_private_key(self.seed), "rfc8032")
        signature = encode_base64(signer.sign(_signed_bytes(content)))
        return {**content, "signatures": {server_name: {key_id: signature}}}


def is_signed_by(content: Mapping[str, Any], public_key: str) -> bool:
    """Tell whether any Ed25519 signature of an object was made with the key.

    Args:
        content: The object, with `signatures`.
        public_key: In unpadded base64, of either alphabet.
    """
    from Crypto.Signature import eddsa  # noqa: PLC0415

    signatures = [
        signature
        for block in content["signatures"].values()
        for key_id, signature in block.items()
        if key_id.startswith("ed25519:")
    ]
    for signature in signatures:
        try:
            verifier = eddsa.new(eddsa.import_public_key(decode_base64(public_key)), "rfc8032")
            verifier.verify(_signed_bytes(content), decode_base64(signature))
        except ValueError:
            continue
        return True
    return False


def encode_base64(raw: bytes, *, url_safe: bool = False) -> str:
    """Encode without padding."""
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    return encode(raw).rstrip(b"=").decode()


def decode_base64(text: str) -> bytes:
    """Decode with or without padding, from either alphabet.

    Raises:
        ValueError: It is not base64.
    """
    standard = text.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)


def _signed_bytes(content: Mapping[str, Any]) -> bytes:
    covered = {name: value for name, value in content.items() if name not in _UNSIGNED}
    return json.dumps(covered, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
