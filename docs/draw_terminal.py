"""Draws the pictures of the terminal: plays each scene in a real one, and keeps what it shows.

Needs tmux; run by ``make pictures``.
"""

from __future__ import annotations

import asyncio
import io
import re
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.terminal.scenes import SCENES, scene
from tests.terminal.tmux import WIDTH

FOLDER = Path(__file__).parent / "pictures"
PORTS = (8008, 8090, 8091)


def drawing(screen: str, name: str) -> str:
    """The picture of a screen."""
    console = Console(width=WIDTH, record=True, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(screen), soft_wrap=True)
    svg = console.export_svg(title="nio-identity-server", theme=MONOKAI, unique_id=name)
    # Whoever looks at it fetches no font from anywhere.
    svg = re.sub(r"@font-face {.*?}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code, monospace", "monospace").rstrip() + "\n"


async def main() -> None:
    """Play all scenes."""
    FOLDER.mkdir(exist_ok=True)
    for name, play in SCENES.items():
        with tempfile.TemporaryDirectory() as folder:
            async with scene(Path(folder), ports=PORTS) as it:
                await play(it)
                screen = await it.terminal.screen(colours=True)
        (FOLDER / f"{name}.svg").write_text(drawing(screen, name), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
