"""A validation that has begun: a value that can be kept and gone on with later."""

from __future__ import annotations

import time

import attrs
import msgspec

from nio_identity_server.base_url import BaseUrl, parse_base_url
from nio_identity_server.grammar import check_opaque
from nio_identity_server.threepid import Medium, ThreePid

LIFETIME = 24 * 3600.0
"""Seconds that a validation lasts after its last change (specification)."""


@attrs.frozen
class PendingValidation:
    """A user is being asked to show that an address is theirs.

    Made by ``request_token()``. It is good at one server only, and refused at any other.

    Attributes:
        threepid: The address.
        base_url: The server that asks.
        sid: The validation's id there.
        client_secret: What proves that it is ours. Never shown; but :meth:`to_json` holds it.
        send_attempt: How often a mail or SMS was asked for.
        country: Two capital letters, for a phone number.
        next_link: Where the link in the mail leads in the end.
        changed_at: When it was last changed from here, in seconds of Unix time.
        user_id: Whose it is; empty if that was not noted.
    """

    threepid: ThreePid
    base_url: BaseUrl
    sid: str = attrs.field(validator=check_opaque)
    client_secret: str = attrs.field(repr=False, validator=check_opaque)
    send_attempt: int
    country: str | None = None
    next_link: str | None = attrs.field(default=None, repr=False)
    changed_at: float = attrs.field(factory=time.time, eq=False)
    user_id: str = ""

    @property
    def expires_at(self) -> float:
        """When it ends at the latest, in seconds of Unix time."""
        return self.changed_at + LIFETIME

    def to_json(self) -> str:
        """Write it down, to go on after a restart.

        Whoever reads this can finish the validation: keep it as you keep a password.
        """
        flat = attrs.asdict(self, recurse=False)
        flat |= {
            "threepid": {"medium": self.threepid.medium, "address": self.threepid.address},
            "base_url": str(self.base_url),
        }
        return msgspec.json.encode(flat).decode()

    @classmethod
    def from_json(cls, text: str) -> PendingValidation:
        """Read what :meth:`to_json` wrote.

        Raises:
            ValueError: If it is nothing of the kind; the text is not repeated.
        """
        try:
            stored = msgspec.json.decode(text, type=_Stored)
            fields = attrs.asdict(stored, recurse=False)
            fields["threepid"] = ThreePid(stored.threepid.medium, stored.threepid.address)
            fields["base_url"] = parse_base_url(stored.base_url)
            return cls(**fields)
        except (ValueError, msgspec.MsgspecError, RecursionError):  # no ValueError before 0.21
            pass
        raise ValueError("not a validation that was written by to_json()")


@attrs.frozen
class _StoredThreePid:
    medium: Medium
    address: str = attrs.field(repr=False)


@attrs.frozen
class _Stored:
    threepid: _StoredThreePid
    base_url: str
    sid: str
    client_secret: str = attrs.field(repr=False)
    send_attempt: int
    country: str | None
    next_link: str | None = attrs.field(repr=False)
    changed_at: float
    user_id: str
