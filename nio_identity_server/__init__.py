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
    from nio_identity_server.client.change import Change, Dropped
    from nio_identity_server.client.config import WELL_KNOWN, IdentityServerConfig
    from nio_identity_server.client.identity_server import IdentityServer
    from nio_identity_server.client.owning import ALL
    from nio_identity_server.client.tokens import FileTokenStore, MemoryTokenStore
    from nio_identity_server.endpoint import Endpoint
    from nio_identity_server.endpoints.invitation import StoredInvite
    from nio_identity_server.endpoints.terms import Document, Policy
    from nio_identity_server.errors import (
        AddressRefused,
        BadResponse,
        BadSignature,
        CannotConnect,
        ForbiddenAddress,
        HashingNotSupported,
        HomeserverError,
        IdentityDisabled,
        IdentityServerChanged,
        IdentityServerError,
        InvalidAddress,
        InvalidBaseUrl,
        InvitesFailed,
        MatrixError,
        NoIdentityServer,
        NotConfirmed,
        NotValidated,
        OtherServersInvite,
        OutcomeUnknown,
        RateLimited,
        RegistrationRefused,
        SendingFailed,
        TermsNotOffered,
        TermsNotSigned,
        ThreePidInUse,
        UnbindNotSupported,
        ValidationExpired,
        WrongToken,
    )
    from nio_identity_server.flows.association import ShareStatus
    from nio_identity_server.flows.directory import Found
    from nio_identity_server.flows.inspection import ServerInfo
    from nio_identity_server.flows.invitation import InviteReport
    from nio_identity_server.flows.leaving import LeaveReport, Step
    from nio_identity_server.flows.pending_invites import PendingInvite
    from nio_identity_server.flows.store import TokenStore
    from nio_identity_server.invite_link import InviteLink
    from nio_identity_server.mixin import IdentityServerEvent, IdentityServerMixin, enable
    from nio_identity_server.pending_validation import PendingValidation
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
    "ALL",
    "WELL_KNOWN",
    "AddressRefused",
    "BadResponse",
    "BadSignature",
    "BaseUrl",
    "CannotConnect",
    "Change",
    "Chosen",
    "Disabled",
    "Document",
    "Dropped",
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
    "InviteLink",
    "InviteReport",
    "InvitesFailed",
    "LeaveReport",
    "MatrixError",
    "MemoryTokenStore",
    "NoIdentityServer",
    "NotConfirmed",
    "NotSet",
    "NotValidated",
    "OtherServersInvite",
    "OutcomeUnknown",
    "PendingInvite",
    "PendingValidation",
    "Policy",
    "Preference",
    "RateLimited",
    "RegistrationRefused",
    "Resolution",
    "SendingFailed",
    "ServerInfo",
    "ShareStatus",
    "Source",
    "Step",
    "StoredInvite",
    "TermsNotOffered",
    "TermsNotSigned",
    "ThreePid",
    "ThreePidInUse",
    "TokenStore",
    "UnbindNotSupported",
    "Unconfirmed",
    "Unusable",
    "ValidationExpired",
    "Witness",
    "WrongToken",
    "email",
    "enable",
    "msisdn",
    "parse_base_url",
]

_ROOMS = {
    "base_url": "BaseUrl parse_base_url",
    "client.config": "IdentityServerConfig WELL_KNOWN",
    "client.identity_server": "IdentityServer",
    "client.tokens": "FileTokenStore MemoryTokenStore",
    "endpoint": "Endpoint",
    "endpoints.terms": "Document Policy",
    "errors": (
        "AddressRefused BadResponse BadSignature CannotConnect ForbiddenAddress "
        "HashingNotSupported HomeserverError IdentityDisabled IdentityServerChanged "
        "IdentityServerError InvalidAddress InvalidBaseUrl InvitesFailed MatrixError "
        "NoIdentityServer NotConfirmed NotValidated OtherServersInvite OutcomeUnknown "
        "RateLimited RegistrationRefused SendingFailed TermsNotOffered TermsNotSigned "
        "ThreePidInUse UnbindNotSupported ValidationExpired WrongToken"
    ),
    "client.change": "Change Dropped",
    "client.owning": "ALL",
    "endpoints.invitation": "StoredInvite",
    "flows.association": "ShareStatus",
    "flows.invitation": "InviteReport",
    "flows.leaving": "LeaveReport Step",
    "flows.pending_invites": "PendingInvite",
    "invite_link": "InviteLink",
    "pending_validation": "PendingValidation",
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
