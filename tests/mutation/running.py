"""Runs tests on a mutant, which never touches the disk.

Each mutant has a process of its own, forked from one that has imported everything but the package.
In it the mutated source is imported in the place of the module's own file.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from enum import Enum
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import attrs
import hypothesis
import pytest

from tests.mutation.mutants import Mutant

# What the tests need whatever is broken, so that it is imported once.
_IMPORTED_ONCE = (
    *("aiohttp", "anyio.pytest_plugin", "idna", "jsonschema", "msgspec", "nio", "pytest_asyncio"),
    *("stamina", "trustme", "yarl", "nio_identity_server.testing"),
    *("nio_identity_server.testing.homeserver", "nio_identity_server.testing.identity_server"),
)
# Reading assertions is for people, and costs as much as running them.
_ARGUMENTS = (
    *("-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=0"),
    "--hypothesis-profile=mutants",
)


class Verdict(Enum):
    """What the tests made of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    """It hung, and the tests with it, so they noticed."""


@attrs.frozen
class Subject:
    """A module to be broken.

    Attributes:
        name: As it is imported.
        path: Its file.
        tests: What is run on each of its mutants: files, those that know it best first.
    """

    name: str
    path: Path
    tests: tuple[str, ...]


@attrs.frozen
class _MutatedFinder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds one module, with other source than is in its file."""

    subject: Subject
    source: str

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != self.subject.name:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(self.subject.path))

    def get_source(self, fullname: str) -> str:
        del fullname
        return self.source


def prepare(compiled: str) -> None:
    """Do once what each of the tests' processes would have to do; bytecode goes to that folder."""
    sys.dont_write_bytecode, sys.pycache_prefix = False, compiled
    for name in _IMPORTED_ONCE:
        importlib.import_module(name)
    # The same examples in each run, and no time spent on making a failure pretty.
    generating = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutants", phases=generating, derandomize=True, database=None, deadline=None
    )
    gc.freeze()


def time_without_change(subject: Subject) -> float:
    """Seconds that the tests of a module take when nothing is wrong.

    Raises:
        RuntimeError: They fail, so their failing would say nothing about a mutant.
    """
    started = time.monotonic()
    _, status = os.waitpid(_start(subject, subject.path.read_text(encoding="utf-8"), 600), 0)
    if status:
        raise RuntimeError(f"the tests of {subject.name} fail without a change")
    return time.monotonic() - started


def judge(
    subject: Subject, mutants: Sequence[Mutant], *, seconds: float, workers: int
) -> Iterator[tuple[Mutant, Verdict]]:
    """Run the tests on each mutant, some at once; each verdict as it comes.

    Args:
        subject: The module.
        mutants: Its mutants.
        seconds: How long the tests of one may compute; three times as long they may take in all.
        workers: How many at once.
    """
    waiting, running = list(reversed(mutants)), dict[int, Mutant]()
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop()
            running[_start(subject, mutant.source, seconds)] = mutant
        pid, status = os.wait()
        yield running.pop(pid), _verdict(status)


def _verdict(status: int) -> Verdict:
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGPROF, signal.SIGALRM}:
        return Verdict.TIMED_OUT
    return Verdict.KILLED if status else Verdict.SURVIVED


def _start(subject: Subject, source: str, seconds: float) -> int:
    """Begin the tests in a process of their own, which ends with 0 only if all of them pass."""
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    status = 1
    try:
        # Nobody listens to these signals: they end the process. What loops uses up its time on the
        # processor; what waits for ever is given longer, because others may be using that as well.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, 3 * seconds)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        sys.meta_path.insert(0, _MutatedFinder(subject, source))
        importlib.import_module(subject.name)
        status = int(pytest.main([*_ARGUMENTS, *subject.tests]))
    finally:
        os._exit(status)
