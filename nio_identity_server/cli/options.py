"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


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
