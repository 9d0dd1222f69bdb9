"""What differs between the versions of rooms, as far as anybody notices here."""

from __future__ import annotations

import base64
import hashlib

from nio_identity_server.testing.replies import Refusal

USUAL = "12"
"""What Synapse 1.163 makes unless it is asked for another one."""

_WITHOUT_A_CREATOR_FIELD = 11
_WITH_CREATORS_IN_POWER = 12


def known(version: object) -> str:
    """Give a version that there is.

    Raises:
        Refusal: 400 `M_UNSUPPORTED_ROOM_VERSION`, or `M_BAD_JSON` if it is no string.
    """
    if not isinstance(version, str):
        raise Refusal(400, "M_BAD_JSON", "Invalid room version")
    if version not in {str(number) for number in range(1, 13)}:
        raise Refusal(
            400, "M_UNSUPPORTED_ROOM_VERSION", "Your homeserver does not support this room version"
        )
    return version


def creator_field(creator: str, version: str) -> dict[str, str]:
    """Give what the first event says of its sender, in versions where it says it twice."""
    return {"creator": creator} if int(version) < _WITHOUT_A_CREATOR_FIELD else {}


def creators_in_power(version: str) -> bool:
    """Tell whether the creators of a room are above all levels, and are in no list of them."""
    return int(version) >= _WITH_CREATORS_IN_POWER


def room_id(number: int, server_name: str, version: str) -> str:
    """Make up an id: a name of the server, or what looks like the hash of the first event."""
    if not creators_in_power(version):
        return f"!created{number}:{server_name}"
    digest = hashlib.sha256(f"{number} {server_name}".encode()).digest()
    return f"!{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
