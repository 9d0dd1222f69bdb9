from __future__ import annotations

import subprocess
import sys

import pytest

import nio_identity_server
from nio_identity_server import errors


def _in_isort_style(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as ruff's RUF022 wants them."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def _run(program: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(  # noqa: S603 - our own text, run by the same Python
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout.strip()


def test_all_is_sorted() -> None:
    """The names of the front door are sorted, and each is there once."""
    names = nio_identity_server.__all__

    assert sorted(set(names), key=_in_isort_style) == list(names)


@pytest.mark.parametrize("name", nio_identity_server.__all__)
def test_every_name_can_be_used(name: str) -> None:
    """Each name of the front door can be imported, the first time and every time after."""
    first = getattr(nio_identity_server, name)

    assert first is getattr(nio_identity_server, name)
    assert first is vars(nio_identity_server)[name]


def test_every_error_is_exported() -> None:
    """Whatever is raised can be caught by a name of the front door."""
    raised = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.IdentityServerError)
    }

    assert raised <= set(nio_identity_server.__all__)


@pytest.mark.docstrings
def test_every_exported_class_is_documented() -> None:
    """``help()`` has something to say about each class and function of the front door."""
    values = [getattr(nio_identity_server, name) for name in nio_identity_server.__all__]

    assert [value for value in values if callable(value) and not value.__doc__] == []


def test_dir() -> None:
    """``dir()`` shows the names of the front door before they are used."""
    program = "import nio_identity_server as n; print(set(n.__all__) <= set(dir(n)))"

    assert _run(program) == "True"
    assert set(nio_identity_server.__all__) <= set(dir(nio_identity_server))


def test_star_import() -> None:
    """``import *`` brings the whole front door."""
    program = (
        "from nio_identity_server import *; import nio_identity_server as n; "
        "print([name for name in n.__all__ if name not in globals()])"
    )

    assert _run(program) == "[]"


def test_a_name_that_is_not_there() -> None:
    """An unknown name is an AttributeError that says so, as in any module."""
    with pytest.raises(
        AttributeError, match=r"^module 'nio_identity_server' has no attribute 'Lookup'$"
    ):
        _ = nio_identity_server.Lookup


def test_a_name_that_cannot_be_imported() -> None:
    """``from ... import`` of an unknown name is an ImportError."""
    with pytest.raises(ImportError, match="cannot import name 'Lookup'"):
        from nio_identity_server import Lookup  # noqa: F401, PLC0415 - that is the test


HEAVY = ("nio", "aiohttp", "msgspec", "attrs", "yarl", "idna", "asyncio")


def test_the_import_costs_next_to_nothing() -> None:
    """Importing the package imports nothing heavy."""
    program = (
        "import sys, nio_identity_server; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )

    assert _run(program) == "[]"


@pytest.mark.parametrize(
    "name",
    sorted(
        set(nio_identity_server.__all__) - {"IdentityServerEvent", "IdentityServerMixin", "enable"}
    ),
)
def test_only_the_mixin_needs_nio(name: str) -> None:
    """Every other name finds its home without an import of nio."""
    home = getattr(nio_identity_server, name)

    assert getattr(home, "__module__", "") != "nio_identity_server.mixin"


def test_nio_is_imported_with_the_mixin_only() -> None:
    """Using every other name of the front door does not import nio; the mixin does."""
    program = (
        "import sys, nio_identity_server as n; "
        "names = set(n.__all__) - {'IdentityServerEvent', 'IdentityServerMixin', 'enable'}; "
        "[getattr(n, name) for name in names]; before = 'nio' in sys.modules; "
        "n.IdentityServerMixin; print(before, 'nio' in sys.modules)"
    )

    assert _run(program) == "False True"
