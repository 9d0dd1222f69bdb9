"""The mailing list of the examples, run as a program."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import attrs

from nio_identity_server import email
from tests.scenarios.cast import Cast, Role
from tests.scenarios.test_invitations import members
from tests.scenarios.test_own_addresses import bind

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "mailing_list.py"


@attrs.frozen
class List:
    """A list, its room, and whose bot keeps them in step."""

    alice: Role
    room: str
    folder: Path
    authority: Path

    @property
    def state(self) -> dict[str, str | None]:
        """What the program has written down."""
        state: dict[str, str | None] = json.loads((self.folder / "state.json").read_text())
        return state

    async def run(self, *addresses: str) -> tuple[int | None, str, str]:
        """Run the program with this list; gives its exit status, output and errors."""
        path = self.folder / "list.txt"
        path.write_text("".join(f"{address}\n" for address in addresses))
        user = self.alice.user
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-W", "error", str(EXAMPLE), self.room, str(path)),
            str(self.folder / "state.json"),
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "HOMESERVER": self.alice.stage.home_url,
                "IDENTITY_SERVER": self.alice.stage.directory_url,
                "USER_ID": user.user_id,
                "ACCESS_TOKEN": user.access_token,
                "SSL_CERT_FILE": str(self.authority),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            output, errors = await process.communicate()
        return process.returncode, output.decode(), errors.decode()


def test_it_is_short() -> None:
    """At most 60 lines."""
    assert len(EXAMPLE.read_text().splitlines()) <= 60


async def test_a_list_that_changes(cast: Cast, tmp_path: Path) -> None:
    """Who is on Matrix is invited at once and others by mail; who goes is taken out again."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    mailing = List(alice, await alice.room(), tmp_path, cast.stage.authority(tmp_path))
    at_home, away, later = cast.address(), cast.address(), cast.address()
    await bind(bob, email(at_home))

    status, output, errors = await mailing.run(at_home, away.upper())

    assert (status, errors) == (0, "")
    assert output == "1 of 2 done\n2 of 2 done\n"
    assert (await members(alice, mailing.room))[bob.user.user_id] == "invite"
    assert cast.stage.posts(away) == 1
    (pending,) = await alice.server.pending_invites(mailing.room)
    assert mailing.state == {at_home: "", away: pending.token}

    assert await mailing.run(at_home, away) == (0, "", "")
    assert cast.stage.posts(away) == 1

    status, output, errors = await mailing.run(later)
    assert (status, errors) == (0, "")
    assert output == "1 of 3 done\n2 of 3 done\n3 of 3 done\n"
    assert (await members(alice, mailing.room))[bob.user.user_id] == "leave"
    (pending,) = await alice.server.pending_invites(mailing.room)
    assert mailing.state == {later: pending.token}


async def test_who_came_by_mail_and_is_gone(cast: Cast, tmp_path: Path) -> None:
    """They were invited when they bound the address, came in, and are taken out all the same."""
    alice, bob = await cast.role("alice"), await cast.role("bob")
    mailing = List(alice, await alice.room(), tmp_path, cast.stage.authority(tmp_path))
    address = cast.address()
    await mailing.run(address)
    await bind(bob, email(address))
    await bob.is_invited(mailing.room)
    await bob.bot.join(mailing.room)

    assert (await mailing.run())[0] == 0

    assert (await members(alice, mailing.room))[bob.user.user_id] == "leave"
    assert await alice.server.pending_invites(mailing.room) == ()
    assert mailing.state == {}


async def test_whom_it_cannot_invite(cast: Cast, tmp_path: Path) -> None:
    """It says why and goes on; who is in the room already is not tried again."""
    alice = await cast.role("alice")
    mailing = List(alice, await alice.room(), tmp_path, cast.stage.authority(tmp_path))
    own, bad, good = cast.address(), cast.address("reject{}@example.org"), cast.address()
    await bind(alice, email(own))
    cast.stage.refuse_mail(bad)

    status, output, errors = await mailing.run(own, bad, good)

    assert (status, errors) == (0, "")
    first, second, third = output.splitlines()
    assert (first, third) == ("1 of 3 done", "3 of 3 done")
    assert second.startswith("2 of 3 done homeserver http")
    assert bad not in output
    assert (mailing.state[own], mailing.state[bad]) == ("", None)
    assert mailing.state[good]

    assert (await mailing.run(own, bad, good))[1].startswith("1 of 1 done homeserver http")


async def test_a_line_that_stands_twice(cast: Cast, tmp_path: Path) -> None:
    """In whatever spelling: it is one person, who is invited once and stays."""
    alice = await cast.role("alice")
    mailing = List(alice, await alice.room(), tmp_path, cast.stage.authority(tmp_path))
    address = cast.address()

    assert await mailing.run(address, "", address.upper()) == (0, "1 of 1 done\n", "")

    assert cast.stage.posts(address) == 1
    assert len(await alice.server.pending_invites(mailing.room)) == 1


async def test_an_interruption(cast: Cast, tmp_path: Path) -> None:
    """Between the mail and its note: the next run finds the invitation, and sends no other."""
    alice = await cast.role("alice")
    mailing = List(alice, await alice.room(), tmp_path, cast.stage.authority(tmp_path))
    first, second = cast.address(), cast.address()
    await mailing.run(first, second)
    noted = mailing.state
    (tmp_path / "state.json").write_text(json.dumps({**noted, second: None}))

    assert (await mailing.run(first, second))[0] == 0

    assert mailing.state == noted
    assert [cast.stage.posts(each) for each in (first, second)] == [1, 1]


async def test_a_dead_server(cast: Cast, tmp_path: Path) -> None:
    """Nothing that was done is lost; a later run does the rest."""
    alice = await cast.role("alice")
    mailing = List(alice, await alice.room(), tmp_path, cast.stage.authority(tmp_path))
    first, second = cast.address(), cast.address()
    await mailing.run(first)
    await cast.stage.stop_identity_server()
    try:
        status, _, errors = await mailing.run(first, second)
    finally:
        await cast.stage.start_identity_server()
    assert status == 1
    assert "no answer from" in errors
    assert set(mailing.state) == {first}

    assert (await mailing.run(first, second))[0] == 0
    assert set(mailing.state) == {first, second}
    assert cast.stage.posts(first) == 1
