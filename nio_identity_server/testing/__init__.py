"""A Matrix homeserver and an identity server in one process, for tests and demonstrations.

Both are real HTTP servers on a loopback port that answer as Synapse 1.163 and Sydent 2.6.1 do,
record all that reaches them, and fail in any way on request. They share no code with the client
side of this package, so that a mistake there cannot agree with itself here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nio_identity_server.testing.holds import Hold as Hold
    from nio_identity_server.testing.homeserver import (
        Account as Account,
        MatrixHomeserver as MatrixHomeserver,
        Sent as Sent,
        Write as Write,
    )
    from nio_identity_server.testing.identity_server import (
        Mail as Mail,
        MatrixIdentityServer as MatrixIdentityServer,
        Sms as Sms,
        StoredInvite as StoredInvite,
    )
    from nio_identity_server.testing.requests import Request as Request
    from nio_identity_server.testing.server import LoopbackServer as LoopbackServer

_HOMES = {
    "Account": "homeserver",
    "Hold": "holds",
    "LoopbackServer": "server",
    "Mail": "identity_server",
    "MatrixHomeserver": "homeserver",
    "MatrixIdentityServer": "identity_server",
    "Request": "requests",
    "Sent": "homeserver",
    "Sms": "identity_server",
    "StoredInvite": "identity_server",
    "Write": "homeserver",
}

__all__ = [  # noqa: PLE0604 -- the names are strings, whatever the linter sees
    *_HOMES
]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: the pytest plugin must not cost every run a server."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
