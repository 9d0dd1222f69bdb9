"""From what the user chose, and the client's default, to the one server to talk to."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

import attrs

from nio_identity_server.base_url import BaseUrl
from nio_identity_server.errors import (
    ForbiddenAddress,
    IdentityDisabled,
    IdentityServerError,
    NoIdentityServer,
    NotConfirmed,
)
from nio_identity_server.preference.account_data import (
    Chosen,
    Disabled,
    Preference,
    Unconfirmed,
    Unusable,
)


class Source(Enum):
    """Where a resolution comes from, so that a default is never mistaken for a choice."""

    UNCONFIRMED = "unconfirmed"
    """Nowhere yet."""

    ACCOUNT_DATA = "account data"
    """The user said so."""

    DEFAULT = "default"
    """``IdentityServerConfig.default``, named in code; the user said nothing."""

    WELL_KNOWN = "well-known"
    """``.well-known/matrix/client`` of the user's own server name; the user said nothing."""


@attrs.frozen
class Default:
    """The client's default, as far as it is known.

    Attributes:
        source: ``DEFAULT`` or ``WELL_KNOWN``.
        base_url: The server, or None for no default.
        reason: Why there is none.
    """

    source: Source
    base_url: BaseUrl | None = None
    reason: str = "none is configured"


def _by_kind(error: IdentityServerError | None) -> tuple[type | None, str]:
    """Exceptions compare by identity; two refusals are equal when they say the same."""
    return (None if error is None else type(error), str(error))


@attrs.frozen
class Resolution:
    """The server that calls go to, or why there is none.

    Attributes:
        base_url: The server's base URL, or None.
        source: Who named it, or said that there is none.
        refusal: The exception that a call would raise, or None.
    """

    base_url: BaseUrl | None
    source: Source
    refusal: IdentityServerError | None = attrs.field(default=None, eq=_by_kind)


def resolve(
    preference: Preference,
    default: Default | None,
    *,
    trusted: Collection[BaseUrl] = (),
    only_trusted: bool = False,
) -> Resolution:
    """Tell which server a preference means.

    Args:
        preference: What the user chose.
        default: The client's default; None while it has not been looked up.
        trusted: Base URLs named in code.
        only_trusted: Refuse every other server.
    """
    match preference:
        case Unconfirmed():
            return _refused(Source.UNCONFIRMED, NotConfirmed("nothing has been learned yet"))
        case Disabled():
            return _refused(Source.ACCOUNT_DATA, IdentityDisabled("the user chose null"))
        case Unusable(reason):
            return _refused(Source.ACCOUNT_DATA, IdentityDisabled(reason))
        case Chosen(base_url):
            found = Resolution(base_url, Source.ACCOUNT_DATA)
        case _:  # NotSet
            found = _from_default(default)
    if only_trusted and found.base_url is not None and found.base_url not in trusted:
        refusal = ForbiddenAddress(str(found.base_url), "this client uses trusted servers only")
        return _refused(found.source, refusal)
    return found


def _from_default(default: Default | None) -> Resolution:
    if default is None:
        reason = "the user chose none, and the default has not been looked up yet"
        return _refused(Source.WELL_KNOWN, NotConfirmed(reason))
    if default.base_url is None:
        return _refused(default.source, NoIdentityServer(default.reason))
    return Resolution(default.base_url, default.source)


def _refused(source: Source, refusal: IdentityServerError) -> Resolution:
    return Resolution(None, source, refusal)
