"""The user's choice of Matrix identity server, kept to the letter, for bots on matrix-nio.

::

    class Bot(IdentityServerMixin, AsyncClient): ...

    bot.identity_server   # an IdentityServer

Names are imported when they are first used: ``import nio_identity_server`` costs next to nothing,
and nio itself is imported only with :class:`IdentityServerMixin`, :func:`enable` or
:class:`IdentityServerEvent`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nio_identity_server.base_url import BaseUrl, parse_base_url
    from nio_identity_server.client.account import Change
    from nio_identity_server.client.config import WELL_KNOWN, IdentityServerConfig
    from nio_identity_server.client.identity_server import IdentityServer
    from nio_identity_server.client.tokens import FileTokenStore, MemoryTokenStore
    from nio_identity_server.endpoint import Endpoint
    from nio_identity_server.endpoints.terms import Document, Policy
    from nio_identity_server.errors import (
        BadResponse,
        CannotConnect,
        ForbiddenAddress,
        HashingNotSupported,
        HomeserverError,
        IdentityDisabled,
        IdentityServerChanged,
        IdentityServerError,
        InvalidAddress,
        InvalidBaseUrl,
        MatrixError,
        NoIdentityServer,
        NotConfirmed,
        OutcomeUnknown,
        RateLimited,
        RegistrationRefused,
        TermsNotOffered,
        TermsNotSigned,
    )
    from nio_identity_server.flows.directory import Found
    from nio_identity_server.flows.inspection import ServerInfo
    from nio_identity_server.flows.store import TokenStore
    from nio_identity_server.mixin import IdentityServerEvent, IdentityServerMixin, enable
    from nio_identity_server.preference.account_data import (
        Chosen,
        Disabled,
        NotSet,
        Preference,
        Unconfirmed,
        Unusable,
    )
    from nio_identity_server.preference.evidence import Witness
    from nio_identity_server.preference.resolution import Resolution, Source
    from nio_identity_server.threepid import ThreePid, email, msisdn

__all__ = [
    "WELL_KNOWN",
    "BadResponse",
    "BaseUrl",
    "CannotConnect",
    "Change",
    "Chosen",
    "Disabled",
    "Document",
    "Endpoint",
    "FileTokenStore",
    "ForbiddenAddress",
    "Found",
    "HashingNotSupported",
    "HomeserverError",
    "IdentityDisabled",
    "IdentityServer",
    "IdentityServerChanged",
    "IdentityServerConfig",
    "IdentityServerError",
    "IdentityServerEvent",
    "IdentityServerMixin",
    "InvalidAddress",
    "InvalidBaseUrl",
    "MatrixError",
    "MemoryTokenStore",
    "NoIdentityServer",
    "NotConfirmed",
    "NotSet",
    "OutcomeUnknown",
    "Policy",
    "Preference",
    "RateLimited",
    "RegistrationRefused",
    "Resolution",
    "ServerInfo",
    "Source",
    "TermsNotOffered",
    "TermsNotSigned",
    "ThreePid",
    "TokenStore",
    "Unconfirmed",
    "Unusable",
    "Witness",
    "email",
    "enable",
    "msisdn",
    "parse_base_url",
]

_ROOMS = {
    "base_url": "BaseUrl parse_base_url",
    "client.account": "Change",
    "client.config": "IdentityServerConfig WELL_KNOWN",
    "client.identity_server": "IdentityServer",
    "client.tokens": "FileTokenStore MemoryTokenStore",
    "endpoint": "Endpoint",
    "endpoints.terms": "Document Policy",
    "errors": (
        "BadResponse CannotConnect ForbiddenAddress HashingNotSupported HomeserverError "
        "IdentityDisabled IdentityServerChanged IdentityServerError InvalidAddress InvalidBaseUrl "
        "MatrixError NoIdentityServer NotConfirmed OutcomeUnknown RateLimited "
        "RegistrationRefused TermsNotOffered TermsNotSigned"
    ),
    "flows.directory": "Found",
    "flows.inspection": "ServerInfo",
    "flows.store": "TokenStore",
    "mixin": "IdentityServerEvent IdentityServerMixin enable",
    "preference.account_data": "Chosen Disabled NotSet Preference Unconfirmed Unusable",
    "preference.evidence": "Witness",
    "preference.resolution": "Resolution Source",
    "threepid": "ThreePid email msisdn",
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    room = _HOMES.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{room}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
