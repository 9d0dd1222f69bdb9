"""The same lookup by matrix-js-sdk, in node, where node is there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from tests.bench.bare_server import found_of
from tests.bench.directory import addresses_of, known_server, seconds_of
from tests.bench.figures import Figure, Skipped

CHECKOUT = Path(__file__).resolve().parents[2]
PINS = CHECKOUT / "constraints" / "node.txt"
FOLDER = CHECKOUT / ".node"
DRIVER = Path(__file__).with_name("js") / "lookup.mjs"

SHARE = 0.1
"""Of the time of matrix-js-sdk, at most."""


class NotThere(Exception):
    """There is no matrix-js-sdk to compare with; its text says why."""


@attrs.frozen
class JsSdk:
    """A process of node that looks addresses up, one list after the other.

    Attributes:
        process: The process.
    """

    process: subprocess.Popen[str]

    def seconds(self, server: str, addresses: list[str]) -> float:
        """Time one lookup at a server, by node's clock."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"server": server, "addresses": addresses}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if answer["found"] != found_of(len(addresses)):
            raise AssertionError("matrix-js-sdk did not find what the server says")
        return float(answer["seconds"])


def version() -> str:
    """What is compared with."""
    (pin,) = [pin for pin in PINS.read_text().split() if pin.startswith("matrix-js-sdk@")]
    return pin.replace("@", " ")


def install(folder: Path = FOLDER) -> Path:
    """Install matrix-js-sdk, if it is not there in the present pins; gives its main file.

    Raises:
        NotThere: There is no node, or npm could not install.
    """
    node, npm = map(shutil.which, ("node", "npm"))
    if node is None or npm is None:
        raise NotThere("node and npm are not there")
    stamp = folder / "installed.txt"
    if not stamp.is_file() or stamp.read_text() != PINS.read_text():
        _install(npm, folder)
        stamp.write_text(PINS.read_text())
    return folder / "node_modules" / "matrix-js-sdk" / "lib" / "index.js"


def _install(npm: str, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    quiet = ("--no-audit", "--no-fund", "--no-save", "--no-package-lock", "--loglevel=error")
    pins = PINS.read_text().split()
    ended = subprocess.run(  # noqa: S603 -- our own words
        [npm, "install", "--prefix", folder, "--ignore-scripts", *quiet, *pins],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        raise NotThere("npm could not install matrix-js-sdk")


@contextmanager
def running() -> Iterator[JsSdk]:
    """Start node, on any processor.

    Raises:
        NotThere: There is nothing to start.
    """
    command: list[str | Path] = ["node", DRIVER, install()]
    process = subprocess.Popen(  # noqa: S603 -- our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield JsSdk(process)
    finally:
        process.communicate()  # the end of its input is its end


async def share(rounds: int, addresses: int) -> Figure | Skipped:
    """Compare a lookup with the same by matrix-js-sdk, at the same server."""
    name = f"lookup of {addresses:,} / matrix-js-sdk's"
    try:
        with running() as js_sdk:
            return Figure(name, SHARE, "x", await _shares(js_sdk, rounds, addresses))
    except NotThere as reason:
        return Skipped(name, str(reason))


async def _shares(js_sdk: JsSdk, rounds: int, addresses: int) -> list[float]:
    given = list(addresses_of(addresses))
    samples = []
    async with known_server() as (server, url):
        for _ in range(rounds + 1):
            ours = await seconds_of(lambda: server.lookup(given))
            samples.append(ours / js_sdk.seconds(url, given))
    return samples[1:]  # the first warms up
