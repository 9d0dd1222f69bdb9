"""Keep a room in step with a list of email addresses: mailing_list.py ROOM_ID LIST STATE."""

import asyncio
import json
import os
import sys
from pathlib import Path

from nio import AsyncClient, ErrorResponse

from nio_identity_server import IdentityServer, IdentityServerConfig, email, enable


async def step(bot: AsyncClient, server: IdentityServer, wanted: list[str]) -> None:
    """Invite who is new, take out who is gone. STATE has the token of each mail, None before it."""
    room_id, state, new_state = sys.argv[1], Path(sys.argv[3]), Path(f"{sys.argv[3]}.new")
    done = json.loads(state.read_text()) if state.exists() else {}
    gone, new = [*(done.keys() - wanted)], [each for each in wanted if done.get(each) is None]
    found = await server.lookup([*gone, *new])
    members = {each.user_id for each in (await bot.joined_members(room_id)).members}
    for number, address in enumerate([*gone, *new], 1):
        failed, user_id = [], found.get(address)
        mine = {e.token for e in await server.pending_invites(room_id) if e.sender == bot.user_id}
        if address in gone:
            if token := done.pop(address):
                await server.revoke_invite(room_id, token)
            if user_id:
                failed = [await bot.room_kick(room_id, user_id, "no longer on the list")]
        elif user_id in members:
            done[address] = ""
        elif address in done and (lost := mine - {*done.values()}):  # interrupted after this mail
            done[address] = lost.pop()
        else:
            done[address] = None
            new_state.write_text(json.dumps(done))
            new_state.replace(state)
            report = await server.invite_all(room_id, [address])
            if report.stopped:
                sys.exit(f"Stopped, run it again later: {report.stopped}")
            failed, pending = [*report.failed.values()], await server.pending_invites(room_id)
            token = min({each.token for each in pending} - mine, default="")
            done[address] = None if failed else token
        new_state.write_text(json.dumps(done))
        new_state.replace(state)  # all of it or nothing
        reasons = [each for each in failed if isinstance(each, Exception | ErrorResponse)]
        print(f"{number} of {len(gone) + len(new)} done", *reasons)


async def main() -> None:
    """Log in and begin; whatever terms there are, they are accepted."""
    wanted = [*{email(each).address: 0 for each in Path(sys.argv[2]).read_text().split()}]
    config = IdentityServerConfig(default=os.environ["IDENTITY_SERVER"], accept_terms=bool)
    bot = AsyncClient(os.environ["HOMESERVER"])
    bot.restore_login(os.environ["USER_ID"], "MAILINGLIST", os.environ["ACCESS_TOKEN"])
    await enable(bot, config).refresh()  # it never syncs: ask at once what its user has chosen
    await step(bot, enable(bot), wanted)
    await bot.close()


asyncio.run(main())
