"""A Matrix homeserver for tests: one module per chapter of the API."""

from nio_identity_server.testing.homeserver.account_data import Write
from nio_identity_server.testing.homeserver.accounts import Account
from nio_identity_server.testing.homeserver.rooms import Sent
from nio_identity_server.testing.homeserver.server import MatrixHomeserver

__all__ = ["Account", "MatrixHomeserver", "Sent", "Write"]
