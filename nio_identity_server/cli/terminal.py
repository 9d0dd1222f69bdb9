"""What is shown: results on standard output, everything about them on standard error.

Colour is for terminals only, and for nobody who has set ``NO_COLOR``.
"""

from __future__ import annotations

import os
from typing import IO, Any

import click


def say(text: str = "") -> None:
    """Show a line of the result."""
    click.echo(text, color=_color())


def say_raw(text: str) -> None:
    """Show a part of the result that has its own line breaks."""
    click.echo(text, nl=False, color=_color())


def note(text: str, file: IO[Any] | None = None) -> None:
    """Show a line about the result, to whoever sits there."""
    click.echo(text, file=file, err=file is None, color=_color())


def red(text: str) -> str:
    """What went wrong."""
    return click.style(text, fg="red", bold=True)


def green(text: str) -> str:
    """What is well."""
    return click.style(text, fg="green")


def dim(text: str) -> str:
    """What stands beside."""
    return click.style(text, dim=True)


def row(label: str, value: str) -> None:
    """Show one thing that has a name."""
    say(f"{dim(f'{label:<13}')}{value}")


def _color() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None
