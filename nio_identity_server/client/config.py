"""How an application wants its identity-server calls to behave."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

import attrs

from nio_identity_server.base_url import BaseUrl, parse_base_url

if TYPE_CHECKING:
    from nio_identity_server.flows.store import TokenStore
    from nio_identity_server.flows.terms import AcceptTerms


class _WellKnown(Enum):
    WELL_KNOWN = "well-known"

    def __repr__(self) -> str:
        return "WELL_KNOWN"


WELL_KNOWN: Final = _WellKnown.WELL_KNOWN
"""As ``default``: what ``.well-known/matrix/client`` of the user's own server name says."""

DefaultSetting = BaseUrl | Literal[_WellKnown.WELL_KNOWN] | None


def _to_default(value: object) -> DefaultSetting:
    if value is None or value is WELL_KNOWN:
        return value
    return parse_base_url(value)


def _to_base_urls(values: Iterable[object]) -> tuple[BaseUrl, ...]:
    if isinstance(values, str):
        raise TypeError("trusted= takes a list of base URLs, not one string")
    return tuple(parse_base_url(value) for value in values)


def _is_positive(_config: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not value > 0:
        raise ValueError(f"{attribute.name}= takes seconds, more than 0")


def is_verifying(context: ssl.SSLContext) -> bool:
    """Whether a TLS context checks the certificate and the name in it."""
    return context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname


def _must_verify(_config: object, _attribute: object, value: ssl.SSLContext | None) -> None:
    if value is not None and not is_verifying(value):
        raise ValueError("ssl_context= must verify certificates and host names")


@attrs.frozen(kw_only=True)
class IdentityServerConfig:
    """How an application wants its identity-server calls to behave.

    URLs named here are the operator's own word: they may be ``http`` and may have private
    addresses, unlike one that was found in account data or given to ``set``.

    Attributes:
        default: Used while the user has chosen nothing: a base URL, :data:`WELL_KNOWN`, or None
            for no default. Never written to account data.
        trusted: Base URLs that may be ``http`` or private.
        only_trusted: Refuse every server that is neither in ``trusted`` nor the ``default`` URL:
            pins a company's bot to the company's server.
        accept_terms: Called with the policies that are pending at a server; answers the URLs that
            the user accepts, or True for each policy in English, else in its first language. It may
            be async. None: pending terms raise ``TermsNotSigned``.
        sync_wait: Seconds that a call waits for a first sync before it asks the homeserver.
        homeserver_timeout: Seconds for one homeserver request, waits for 429 included.
        token_store: Where identity-server tokens outlive the process; None keeps them in memory.
        ssl_context: Verifies the identity servers' certificates; by default the client's own
            context if that verifies, else the system's authorities. A client's ``ssl=False`` is
            not inherited.

    Raises:
        InvalidBaseUrl: If a URL cannot be a base URL.
        ValueError: If a time is not positive, or ``ssl_context`` does not verify.
    """

    default: DefaultSetting = attrs.field(default=WELL_KNOWN, converter=_to_default)
    trusted: tuple[BaseUrl, ...] = attrs.field(default=(), converter=_to_base_urls)
    only_trusted: bool = False
    accept_terms: AcceptTerms | None = None
    sync_wait: float = attrs.field(default=10.0, validator=_is_positive)
    homeserver_timeout: float = attrs.field(default=30.0, validator=_is_positive)
    token_store: TokenStore | None = None
    ssl_context: ssl.SSLContext | None = attrs.field(default=None, validator=_must_verify)

    @cached_property
    def named_in_code(self) -> frozenset[BaseUrl]:
        """Every base URL that the operator vouches for."""
        default = {self.default} if isinstance(self.default, BaseUrl) else set()
        return frozenset(self.trusted) | default
