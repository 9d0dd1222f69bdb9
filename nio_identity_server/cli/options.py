"""Options that several commands have."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


class Seconds(click.FloatRange):
    """A number of seconds: more than none, and not more than a day."""

    def __init__(self) -> None:
        super().__init__(0, 86_400, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it; what is no number compares with nothing, and would pass."""
        seconds = super().convert(value, param, ctx)
        return self.fail("it is no number", param, ctx) if math.isnan(seconds) else seconds


def addresses(command: Any) -> Any:
    """The addresses that a command is about, on the command line or elsewhere."""
    source = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
    for option in (
        click.option("--column", metavar="NAME", help="The column of a CSV with the addresses."),
        click.option("--file", type=source, help="One address a line, or a CSV; - is your input."),
        click.argument("addresses", nargs=-1),
    ):
        command = option(command)
    return command
