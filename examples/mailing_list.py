"""Keep a room in step with a list of email addresses: mailing_list.py ROOM_ID LIST STATE.

LIST has one address in a line. STATE remembers what was done: interrupt and run it as you like.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from nio import AsyncClient

from nio_identity_server import IdentityServerConfig, IdentityServerMixin, email


class Bot(IdentityServerMixin, AsyncClient):
    """A nio client that knows its user's identity server."""


async def keep_in_step(bot: Bot, room_id: str, wanted: list[str], state: Path) -> None:
    """Invite who is new, take out who is gone, and note each; one who got a mail has a token."""
    server = bot.identity_server
    await server.refresh()  # this bot never syncs: ask at once what its user has chosen
    done = json.loads(state.read_text()) if state.exists() else {}
    new, gone = [each for each in wanted if each not in done], [*(done.keys() - wanted)]
    found = await server.lookup([*new, *gone])
    tokens = {invite.token for invite in await server.pending_invites(room_id)}
    for number, address in enumerate([*gone, *new], 1):
        if address in done:
            if (token := done.pop(address)) in tokens:
                await server.revoke_invite(room_id, token)
            if address in found:
                await bot.room_kick(room_id, found[address], "no longer on the list")
        else:
            report = await server.invite_all(room_id, [address])
            if report.stopped:
                sys.exit(f"Stopped, run it again later: {report.stopped}")
            before, tokens = tokens, {each.token for each in await server.pending_invites(room_id)}
            if address in found or not report.failed:  # found and failed: is in the room already
                done[address] = min(tokens - before, default="")
            print(*report.failed.values(), sep="\n", end="")
        state.with_suffix(".new").write_text(json.dumps(done))
        state.with_suffix(".new").replace(state)  # all of it or nothing
        print(f"{number} of {len(gone) + len(new)} done")


async def main(room_id: str, wanted: str, state: str) -> None:
    """Read the list, log in and begin; whatever terms there are, they are accepted."""
    addresses = [email(line.strip()).address for line in Path(wanted).read_text().splitlines()]
    config = IdentityServerConfig(default=os.environ["IDENTITY_SERVER"], accept_terms=bool)
    bot = Bot(os.environ["HOMESERVER"], identity_server_config=config)
    bot.restore_login(os.environ["USER_ID"], "MAILINGLIST", os.environ["ACCESS_TOKEN"])
    try:
        await keep_in_step(bot, room_id, addresses, Path(state))
    finally:
        await bot.close()


asyncio.run(main(*sys.argv[1:4]))
