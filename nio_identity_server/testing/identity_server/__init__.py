"""A Matrix identity server for tests: one module per chapter of the API."""

from nio_identity_server.testing.identity_server.binder import StoredInvite
from nio_identity_server.testing.identity_server.post import Mail, Sms
from nio_identity_server.testing.identity_server.server import MatrixIdentityServer

__all__ = ["Mail", "MatrixIdentityServer", "Sms", "StoredInvite"]
