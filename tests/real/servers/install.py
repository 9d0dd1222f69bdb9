"""Make the environment of the real servers: ``python -m tests.real.servers.install``.

Synapse and Sydent share one environment, ``.real`` at the top of the checkout.  When that is
complete and made of the present pins, this does nothing.  Nothing but the standard library is
needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from tests.real.servers import environment
from tests.real.servers.certificates import make_certificates
from tests.real.servers.process import ServerFailed, free_ports
from tests.real.servers.synapse import synapse

_TAIL_LINES = 30


def main() -> None:
    """Install what is missing, and say so."""
    if environment.is_installed():
        return
    _say("Installing Synapse and Sydent into .real (once, about a minute) ...")
    started = time.monotonic()
    try:
        install()
    except ServerFailed as failure:
        sys.exit(f"The real servers could not be installed: {failure}")
    _say(f"... done in {time.monotonic() - started:.0f} s.")


def install() -> None:
    """Make the environment anew, whatever was there before."""
    shutil.rmtree(environment.FOLDER, ignore_errors=True)
    venv.create(environment.FOLDER, symlinks=True)
    _run("-m", "ensurepip", "--default-pip")
    # The pins name every package, so none is searched for. That is quicker, and it is the only
    # way to have both in one environment: each asks for another release of signedjson, although
    # Synapse's suits Sydent.
    _run("-m", "pip", "install", "--quiet", "--no-deps", "--requirement", str(environment.PINS))
    asyncio.run(_make_database())
    environment.mark_installed()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a command for people


def _run(*arguments: str) -> None:
    command = [str(environment.PYTHON), *arguments]
    ended = subprocess.run(  # noqa: S603  # our own words
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if ended.returncode:
        tail = ended.stdout.splitlines()[-_TAIL_LINES:]
        raise ServerFailed("\n".join([f"{' '.join(arguments[:3])} failed. It said last:", *tail]))


async def _make_database() -> None:
    """Start Synapse once and keep the database that it made, for quicker starts."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        port, tls_port = free_ports(2)
        server = synapse(
            folder / "synapse",
            await make_certificates(folder),
            port=port,
            tls_port=tls_port,
            identity_server_url=None,
            sync_cache="0s",
            msc3391=False,
            config={},
        )
        await server.start()
        await server.stop()
        with (
            contextlib.closing(sqlite3.connect(folder / "synapse" / "homeserver.db")) as made,
            contextlib.closing(sqlite3.connect(environment.DATABASE)) as kept,
        ):
            made.backup(kept)


if __name__ == "__main__":
    main()
