"""What a server's process runs first: ``python -I child.py MODULE [ARGUMENT ...]``.

It runs the module's ``main`` with these arguments, and ends the process as soon as its standard
input is closed, which the system does for us when the parent is gone, however it went.
This file runs in the environment of the real servers, with none of our own modules in reach.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading

SYDENT = "sydent.sydent"


def main() -> None:
    """Run the module that the command line names."""
    module, *arguments = sys.argv[1:]
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    if module == SYDENT:
        _prepare_sydent()
    sys.argv = [module, *arguments]
    importlib.import_module(module).main()


def _end_with_the_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


def _prepare_sydent() -> None:
    """Make up for two things that Sydent 2.6.1 has no setting for."""
    # It signs a dictionary with bytes in it, which canonicaljson 1 took for text and 2 refuses;
    # Synapse, in the same environment, needs 2. Without this every unbind is a 500.
    importlib.import_module("canonicaljson").register_preserialisation_callback(bytes, bytes.decode)
    # The address of the only SMS gateway that it knows is a constant.
    gateway = importlib.import_module("sydent.sms.openmarket")
    gateway.API_BASE_URL = os.environ["SMS_GATEWAY_URL"]  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
