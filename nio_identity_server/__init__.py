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
    from nio_identity_server.endpoint import Endpoint
    from nio_identity_server.endpoints.terms import Document, Policy
    from nio_identity_server.errors import (
        BadResponse,
        CannotConnect,
        ForbiddenAddress,
        HomeserverError,
        IdentityDisabled,
        IdentityServerChanged,
        IdentityServerError,
        InvalidBaseUrl,
        MatrixError,
        NoIdentityServer,
        NotConfirmed,
        OutcomeUnknown,
        RateLimited,
    )
    from nio_identity_server.flows.inspection import ServerInfo
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
    "ForbiddenAddress",
    "HomeserverError",
    "IdentityDisabled",
    "IdentityServer",
    "IdentityServerChanged",
    "IdentityServerConfig",
    "IdentityServerError",
    "IdentityServerEvent",
    "IdentityServerMixin",
    "InvalidBaseUrl",
    "MatrixError",
    "NoIdentityServer",
    "NotConfirmed",
    "NotSet",
    "OutcomeUnknown",
    "Policy",
    "Preference",
    "RateLimited",
    "Resolution",
    "ServerInfo",
    "Source",
    "Unconfirmed",
    "Unusable",
    "Witness",
    "enable",
    "parse_base_url",
]

_ROOMS = {
    "base_url": "BaseUrl parse_base_url",
    "client.account": "Change",
    "client.config": "IdentityServerConfig WELL_KNOWN",
    "client.identity_server": "IdentityServer",
    "endpoint": "Endpoint",
    "endpoints.terms": "Document Policy",
    "errors": (
        "BadResponse CannotConnect ForbiddenAddress HomeserverError IdentityDisabled "
        "IdentityServerChanged IdentityServerError InvalidBaseUrl MatrixError NoIdentityServer "
        "NotConfirmed OutcomeUnknown RateLimited"
    ),
    "flows.inspection": "ServerInfo",
    "mixin": "IdentityServerEvent IdentityServerMixin enable",
    "preference.account_data": "Chosen Disabled NotSet Preference Unconfirmed Unusable",
    "preference.evidence": "Witness",
    "preference.resolution": "Resolution Source",
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    room = _HOMES.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{room}"), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
