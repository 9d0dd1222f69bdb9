"""``nio-identity-server``: the same for people at a terminal, with the extra ``[cli]``.

The settings page that a bot's account does not have. It asks the homeserver by ``GET``, needs no
sync, and does not import nio.
"""

from __future__ import annotations

import sys


def run() -> None:
    """Run the command; without the extra, say how to get it."""
    try:
        from nio_identity_server.cli import program  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.exit('error: the command needs its extra: pip install "nio-identity-server[cli]"')
    program.run()
