"""One server as a child process: started, answering, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.real.servers import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOST = "127.0.0.1"

_CHILD = Path(__file__).with_name("child.py")
_START_SECONDS = 90.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.03
_TAIL_LINES = 40


class ServerFailed(Exception):
    """A server ended or stayed silent while it should have started; the text ends with its log."""


def free_ports(count: int) -> list[int]:
    """Find ports on loopback that nobody uses.

    All are taken at once, so that they differ.  Linux hands out odd ports here and even ones to
    outgoing connections, so the chance that another program takes one in between is small.
    """
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


class ServerProcess:
    """A child that runs the ``main`` of one module of the environment ``.real``."""

    def __init__(
        self,
        folder: Path,
        command: Sequence[str],
        *,
        port: int,
        variables: Mapping[str, str],
    ) -> None:
        """Prepare to run ``command`` (a module, then its arguments), which will serve ``port``."""
        self._folder = folder
        self._command = command
        self._port = port
        self._variables = variables
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id, or ``None`` when it does not run."""
        return self._child.pid if self._child else None

    @property
    def log_file(self) -> Path:
        """Where everything goes that the server prints."""
        return self._folder / "log.txt"

    async def start(self) -> None:
        """Start the child and return when it accepts connections."""
        if self._child is not None:
            raise RuntimeError(f"{self._folder.name} runs already")
        with self.log_file.open("ab") as log:
            # -I: nothing of the caller's Python settings, and not this folder, whose synapse.py
            # would hide the real one, may be found by the child.
            self._child = subprocess.Popen(  # noqa: ASYNC220, S603  # our own words, and quick
                [environment.PYTHON, "-I", "-u", _CHILD, *self._command],
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            await self._accepts_connections(self._child)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the child, kindly first, and wait until it is gone."""
        child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        # In a thread, which finishes its work even when whoever waits here is cancelled.
        await asyncio.to_thread(_wait_or_kill, child)

    def signal(self, number: int) -> None:
        """Send a signal to the child."""
        if self._child is None:
            raise RuntimeError(f"{self._folder.name} does not run")
        self._child.send_signal(number)

    def _environment(self) -> dict[str, str]:
        """Build the child's environment: no proxies, nothing else of the caller's either."""
        return {
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "PATH": os.environ.get("PATH", os.defpath),
            **self._variables,
        }

    async def _accepts_connections(self, child: subprocess.Popen[bytes]) -> None:
        """Wait for the port.

        The child cannot tell us by itself in a way common to both servers, so this asks its port
        every few milliseconds, for a limited time, and notices when the child has ended.
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if child.poll() is not None:
                raise self._failure(f"ended with status {child.returncode}")
            try:
                _, writer = await asyncio.open_connection(HOST, self._port)
            except OSError:
                await asyncio.sleep(_POLL_SECONDS)
            else:
                writer.close()
                return
        raise self._failure(f"did not answer within {_START_SECONDS:.0f} s")

    def _failure(self, what: str) -> ServerFailed:
        lines = self.log_file.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return ServerFailed("\n".join([f"{self._folder.name} {what}. The end of its log:", *lines]))


def _wait_or_kill(child: subprocess.Popen[bytes]) -> None:
    with child:  # closes the pipe and waits
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
