"""The account-data events ``m.identity_server`` and ``m.accepted_terms`` as values.

The specification knows four things a content can say (client-server API, "Notes on identity
servers"; MSC2230): a URL, ``null``, nothing (``base_url`` is missing, or there is no event), and,
left open by it, something unusable (matrix-spec#556).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeGuard

import attrs

from nio_identity_server.base_url import BaseUrl, parse_base_url
from nio_identity_server.errors import InvalidBaseUrl

EVENT_TYPE = "m.identity_server"
ACCEPTED_TERMS = "m.accepted_terms"


@attrs.frozen
class Unconfirmed:
    """It is not known what the user chose."""


@attrs.frozen
class NotSet:
    """The user chose nothing: the event is absent, or its ``base_url`` is missing."""


@attrs.frozen
class Disabled:
    """The user wants no identity server: ``base_url`` is ``null``."""


@attrs.frozen
class Chosen:
    """The user chose this server.

    Attributes:
        base_url: Its base URL, in normal form.
    """

    base_url: BaseUrl


@attrs.frozen
class Unusable:
    """The event is there and names no usable server; treated as off, never as "not set".

    Falling back to the default would switch on again what the user may have switched off.

    Attributes:
        reason: What is wrong with it.
    """

    reason: str


Known = NotSet | Disabled | Chosen | Unusable
Preference = Unconfirmed | Known


def read_content(content: object, trusted: Collection[BaseUrl] = ()) -> Known:
    """Tell what the content of the event says.

    Args:
        content: Whatever the homeserver delivered as ``content``, of any type.
        trusted: Base URLs named in code; only these may be ``http``.
    """
    if not isinstance(content, Mapping):
        return Unusable("the account data is not an object")
    if "base_url" not in content:
        return NotSet()
    value = content["base_url"]
    if value is None:
        return Disabled()
    try:
        base_url = parse_base_url(value)
    except InvalidBaseUrl as error:
        return Unusable(f"base_url in the account data: {error.reason}")
    if base_url.scheme != "https" and base_url not in trusted:
        return Unusable("base_url in the account data: it is not https")
    return Chosen(base_url)


def write_content(preference: NotSet | Disabled | Chosen) -> dict[str, Any]:
    """Make the content that says this to every client of the user.

    ``NotSet`` is written as ``{}``: ``base_url`` is missing, so each client uses its default. (A
    homeserver with MSC3391 deletes the event for it, which means the same.)
    """
    if isinstance(preference, Chosen):
        return {"base_url": str(preference.base_url)}
    return {"base_url": None} if isinstance(preference, Disabled) else {}


def read_accepted_terms(content: object) -> tuple[str, ...]:
    """The URLs of all terms that the user has accepted; what is malformed counts as nothing."""
    accepted = content.get("accepted") if isinstance(content, Mapping) else None
    return tuple(url for url in accepted if isinstance(url, str)) if _is_list(accepted) else ()


def with_accepted_terms(content: object, urls: Collection[str]) -> dict[str, Any]:
    """The content with these URLs appended; nothing that stands there is lost."""
    kept = dict(content) if isinstance(content, Mapping) else {}
    known = kept.get("accepted")
    old = known if _is_list(known) else []
    return kept | {"accepted": [*old, *dict.fromkeys(url for url in urls if url not in old)]}


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
