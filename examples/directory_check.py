"""Who of a CSV is on Matrix? directory_check.py IN.csv OUT.csv [COLUMN] writes the user IDs too."""

import asyncio
import csv
import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from nio import AsyncClient

from nio_identity_server import (
    Found,
    IdentityServer,
    IdentityServerConfig,
    IdentityServerError,
    InvalidAddress,
    Policy,
    TermsNotSigned,
    enable,
)

BLOCK = 10_000  # rows that are held at a time; the server gets them in two requests
SHOWN = 10  # bad lines that are named
COLUMNS = ("email", "phone")  # which are looked for; a phone number begins with a plus
ACCEPTED = os.environ.get("ACCEPT_TERMS", "").split()


async def look_up(server: IdentityServer, texts: list[str]) -> tuple[Found, set[int]]:
    """Look up what are addresses; gives the positions of what are none too."""
    try:
        return await server.lookup(texts), set()
    except InvalidAddress as refusal:  # so nothing was sent
        bad = set(refusal.positions)
    good = [text for position, text in enumerate(texts) if position not in bad]
    return (await server.lookup(good) if good else Found({})), bad


def numbered(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Read the rows, each with the number of the line that it ends on."""
    # Whatever the encoding of its names, the file is copied byte for byte.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file)
        yield from ((reader.line_num, row) for row in reader)


async def check(server: IdentityServer, source: Path, target: Path, wanted: list[str]) -> str:
    """Write the target, with a user ID behind each address; gives the figures."""
    lines = numbered(source)
    _, header = next(lines, (0, list[str]()))
    column = next((header.index(name) for name in wanted if name in header), -1)
    if column < 0:
        raise ValueError(f"no column is named {' or '.join(wanted)}")
    rows, found, bad, named = 0, 0, 0, list[int]()
    unfinished = target.with_name(f"{target.name}.part")
    with unfinished.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header[: column + 1], "user_id", *header[column + 1 :]])
        while block := list(islice(lines, BLOCK)):
            texts = ["".join(row[column : column + 1]) for _, row in block]
            users, invalid = await look_up(server, texts)
            for (_, row), text in zip(block, texts, strict=True):
                user_id = users.get(text, "")
                writer.writerow([*row[:column], text, user_id, *row[column + 1 :]])
                found += bool(user_id)
            rows, bad = rows + len(block), bad + len(invalid)
            named += [block[each][0] for each in sorted(invalid)][: SHOWN - len(named)]
            print(f"{rows} rows ...", file=sys.stderr)
    unfinished.replace(target)  # half a file never looks like a whole one
    shown = ", ".join(map(str, named)) + ", ..." * (bad > len(named))
    return f"{found} of {rows} are on Matrix, {bad} have no address" + f": lines {shown}" * bool(
        bad
    )


def accept(policies: tuple[Policy, ...]) -> list[str]:
    """Accept what the person who runs this has read."""
    offered = [text.url for policy in policies for text in policy.documents.values()]
    return [url for url in offered if url in ACCEPTED]


async def main() -> None:
    """Use what the account has chosen, or else IDENTITY_SERVER; it never syncs, so it asks."""
    config = IdentityServerConfig(
        default=os.environ.get("IDENTITY_SERVER"), accept_terms=accept if ACCEPTED else None
    )
    bot = AsyncClient(os.environ["HOMESERVER"])
    bot.restore_login(os.environ["USER_ID"], "DIRECTORY", os.environ["ACCESS_TOKEN"])
    server = enable(bot, config)
    try:
        await server.refresh()
        print(await check(server, Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or [*COLUMNS]))
    except TermsNotSigned as refusal:
        urls = [text.url for each in refusal.policies for text in each.documents.values()]
        sys.exit(f"Read the terms, and set ACCEPT_TERMS to what you accept of: {' '.join(urls)}")
    except (IdentityServerError, ValueError) as error:
        sys.exit(f"Stopped: {error}")
    finally:
        await bot.close()


asyncio.run(main())
