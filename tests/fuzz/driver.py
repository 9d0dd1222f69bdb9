"""One target under atheris, in the environment ``.fuzz``; ``__main__`` starts it."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["nio_identity_server"]):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()
