"""``python -m nio_identity_server.cli`` is the command ``nio-identity-server``."""

from nio_identity_server.cli import run

run()
