"""What listeners are told when the user's choice changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from nio_identity_server.base_url import BaseUrl
from nio_identity_server.preference.account_data import Preference
from nio_identity_server.preference.evidence import Witness

if TYPE_CHECKING:
    from nio_identity_server.threepid import ThreePid


@attrs.frozen
class Dropped:
    """What ended when a server was left: nothing of it is used for another.

    Attributes:
        base_url: The server that was in use.
        requests: How many requests were under way and ended with ``IdentityServerChanged``.
        was_spoken_to: Whether any call had been made: its token and its pepper are forgotten.
        validations: Addresses whose validation had been begun there; it has to be begun again.
    """

    base_url: BaseUrl
    requests: int
    was_spoken_to: bool
    validations: tuple[ThreePid, ...]


@attrs.frozen
class Change:
    """The user's choice changed.

    Attributes:
        old: What it was.
        new: What it is now.
        source: Which kind of evidence showed it.
        own: Whether a write of this client made the change (``set``, ``disable``, ``reset``) and
            was answered. A write whose end was unknown is found by a read, like somebody else's.
        dropped: What ended with it; None if no server had been in use. Two changes of the same
            preferences are equal whatever ended with them.
    """

    old: Preference
    new: Preference
    source: Witness
    own: bool
    dropped: Dropped | None = attrs.field(default=None, eq=False)
