"""The directory check of the examples, run as a program."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import sys
from pathlib import Path

import attrs

from nio_identity_server import email, msisdn
from tests.scenarios.cast import Cast, Role
from tests.scenarios.stage import CROWD, Stage, crowd, crowd_bindings, terms_url
from tests.scenarios.test_own_addresses import bind

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "directory_check.py"
LOOKUP = "POST /_matrix/identity/v2/lookup"
BLOCK = 10_000


@attrs.frozen
class Check:
    """A folder with IN.csv and OUT.csv, and whose account checks.

    Attributes:
        role: The account.
        folder: Where the files are.
    """

    role: Role
    folder: Path

    @property
    def source(self) -> Path:
        """What is checked."""
        return self.folder / "IN.csv"

    @property
    def written(self) -> list[list[str]]:
        """The rows that were written."""
        text = (self.folder / "OUT.csv").read_text()
        return [*csv.reader(io.StringIO(text))]

    async def start(self, *column: str, **variables: str) -> asyncio.subprocess.Process:
        """Start the program."""
        stage, user = self.role.stage, self.role.user
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-W", "error", str(EXAMPLE), str(self.source), str(self.folder / "OUT.csv")),
            *column,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "HOMESERVER": stage.home_url,
                "IDENTITY_SERVER": stage.identity_server.url,
                "USER_ID": user.user_id,
                "ACCESS_TOKEN": user.access_token,
                "SSL_CERT_FILE": str(stage.authority(self.folder)),
                **variables,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *column: str, **variables: str) -> tuple[int | None, str, str]:
        """Run the program; gives its exit status, output and errors."""
        process = await self.start(*column, **variables)
        async with asyncio.timeout(60):
            output, errors = await process.communicate()
        return process.returncode, output.decode(), errors.decode()


async def checking(role: Role, folder: Path) -> Check:
    """Let an account choose the wiretap, so that what is sent is seen."""
    await role.other_client.write({"base_url": role.stage.identity_server.url})
    return Check(role, folder)


def test_it_is_short() -> None:
    """A program that one reads before one trusts it."""
    assert len(EXAMPLE.read_text().splitlines()) <= 105


async def test_a_small_file(cast: Cast, tmp_path: Path) -> None:
    """User IDs stand behind the addresses; the rest of the file is as it was, odd rows too."""
    alice = await cast.role("alice")
    address = cast.address()
    await bind(alice, email(address))
    check = await checking(alice, tmp_path)
    lines = [
        "\ufeffname,email,city",
        f'"Alice, the\nfirst",{address.upper()},Zürich',
        f"Bob,{cast.address()},Rome",
        "Carol,not an address,Oslo",
        "Dave",
        f"Eve,{address},Paris,and more",
        "",
    ]
    check.source.write_text("\n".join(lines))

    status, output, errors = await check.run()

    assert (status, errors) == (0, "5 rows ...\n")
    assert output == "2 of 5 are on Matrix, 2 have no address: lines 5, 6\n"
    user_id = alice.user.user_id
    assert check.written == [
        ["name", "email", "user_id", "city"],
        ["Alice, the\nfirst", address.upper(), user_id, "Zürich"],
        ["Bob", lines[2].split(",")[1], "", "Rome"],
        ["Carol", "not an address", "", "Oslo"],
        ["Dave", "", ""],
        ["Eve", address, user_id, "Paris", "and more"],
    ]
    assert not (tmp_path / "OUT.csv.part").exists()


async def test_phone_numbers_and_named_columns(cast: Cast, tmp_path: Path) -> None:
    """Without an email column the phone numbers are looked up, and any column that is named."""
    alice = await cast.role("alice")
    number = cast.number()
    await bind(alice, msisdn(number))
    check = await checking(alice, tmp_path)
    check.source.write_text(f"phone,work\n{number},\n{number[1:]},{number}\n")

    default, named = await check.run(), await check.run("work")
    unknown = await check.run("home")

    assert default[:2] == (0, "1 of 2 are on Matrix, 1 have no address: lines 3\n")
    assert named[:2] == (0, "1 of 2 are on Matrix, 1 have no address: lines 2\n")
    assert unknown == (1, "", "Stopped: no column is named home\n")


async def test_ten_thousand_rows(cast: Cast, tmp_path: Path) -> None:
    """And as many again: each person is found once, in the order of the file."""
    alice = await cast.role("alice")
    await cast.stage.bind_crowd()
    bound = crowd_bindings(alice.user.user_id.partition(":")[2])
    check = await checking(alice, tmp_path)
    people = [*crowd()]
    check.source.write_text("".join(f"{line}\n" for line in ("email", *people)))
    cast.stage.identity_server.clear()

    status, output, _ = await check.run()

    assert (status, output) == (0, f"{len(bound)} of {CROWD} are on Matrix, 0 have no address\n")
    assert check.written[1:] == [[address, bound.get(address, "")] for address in people]
    assert cast.stage.identity_server.seen(LOOKUP) == CROWD // 5_000


async def test_many_bad_rows(cast: Cast, tmp_path: Path) -> None:
    """The first are named, all are counted, and none is shown; nothing is asked for them."""
    check = await checking(await cast.role("alice"), tmp_path)
    check.source.write_text("email\n" + "Canary Street 5\n" * 12_000)
    cast.stage.identity_server.clear()

    status, output, errors = await check.run()

    first = ", ".join(map(str, range(2, 12)))
    told = f"0 of 12000 are on Matrix, 12000 have no address: lines {first}, ...\n"
    assert (status, output) == (0, told)
    assert "Canary" not in errors
    assert len(check.written) == 12_001
    assert cast.stage.identity_server.seen(LOOKUP) == 0


async def test_rows_are_not_collected(cast: Cast, tmp_path: Path) -> None:
    """A block is looked up before the rest of the file is even there."""
    check = await checking(await cast.role("alice"), tmp_path)
    os.mkfifo(check.source)
    cast.stage.identity_server.clear()
    process = await check.start()
    pipe = await asyncio.to_thread(check.source.open, "w")
    with pipe:
        rows = "".join(f"nobody{number}@example.org\n" for number in range(BLOCK + 1_000))
        await asyncio.to_thread(pipe.write, f"email\n{rows}")
        await asyncio.to_thread(pipe.flush)

        await cast.stage.identity_server.wait_for(LOOKUP, 2)

    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    assert output == b"0 of 11000 are on Matrix, 0 have no address\n"


async def test_terms(any_stage: Stage, cast_with_terms: Cast, tmp_path: Path) -> None:
    """They are shown, and accepted only by whoever names them; without, nothing is written."""
    alice = await cast_with_terms.role("alice")
    version = await any_stage.require_terms()
    urls = [terms_url(each, version) for each in ("privacy_policy", "terms_of_service")]
    check = await checking(alice, tmp_path)
    check.source.write_text("email\nsomebody@example.org\n")

    status, output, errors = await check.run()

    assert (status, output) == (1, "")
    assert all(url in errors for url in urls)
    assert not (tmp_path / "OUT.csv").exists()
    half = await check.run(ACCEPT_TERMS=urls[0])
    assert (half[0], urls[0] in half[2], urls[1] in half[2]) == (1, False, True)
    assert (await check.run(ACCEPT_TERMS=" ".join(urls)))[0] == 0
    assert (await check.run())[0] == 0
    assert check.written == [["email", "user_id"], ["somebody@example.org", ""]]


async def test_switched_off(cast: Cast, tmp_path: Path) -> None:
    """A user who said null gets no answer, and the server no question."""
    alice = await cast.role("alice")
    await alice.other_client.write({"base_url": None})
    check = Check(alice, tmp_path)
    check.source.write_text("email\nsomebody@example.org\n")
    cast.stage.identity_server.clear()

    status, output, errors = await check.run()

    assert (status, output) == (1, "")
    assert errors.startswith("Stopped: identity servers are switched off for this user")
    assert cast.stage.identity_server.requests == []
    assert not (tmp_path / "OUT.csv").exists()
