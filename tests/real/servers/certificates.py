"""A throw-away certificate authority, and one certificate of it for localhost."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.real.servers import environment
from tests.real.servers.process import HOST, ServerFailed


class Certificates(NamedTuple):
    """Three PEM files."""

    ca_file: Path
    certificate: Path
    key: Path


async def make_certificates(folder: Path) -> Certificates:
    """Have them made by trustme, which lives beside the servers."""
    process = await asyncio.create_subprocess_exec(
        environment.PYTHON,
        *("-I", "-m", "trustme", "--quiet", "--dir", folder, "--identities", "localhost", HOST),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise ServerFailed(f"trustme made no certificates:\n{output.decode(errors='replace')}")
    return Certificates(folder / "client.pem", folder / "server.pem", folder / "server.key")
