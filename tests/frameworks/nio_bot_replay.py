"""A nio-bot with a store, which asks inside a callback of nio's own; see ``test_nio_bot.py``."""

from __future__ import annotations

import os
import signal

import nio
import niobot

from nio_identity_server import IdentityServerConfig, IdentityServerMixin


class Bot(IdentityServerMixin, niobot.NioBot):  # type: ignore[misc] # it is untyped
    """The bot of the example, with a store."""


bot = Bot(
    os.environ["HOMESERVER"],
    os.environ["USER_ID"],
    command_prefix="!",
    store_path="store",
    identity_server_config=IdentityServerConfig(
        default=os.environ["IDENTITY_SERVER"], trusted=[os.environ["TRUSTED"]], sync_wait=0.5
    ),
)


async def who(room: nio.MatrixRoom, message: nio.RoomMessageText) -> None:
    """Answer before this returns: until then nio takes in nothing else."""
    address = message.body.removeprefix("!who ")
    found = await bot.identity_server.lookup([address])
    content = {"msgtype": "m.notice", "body": found[address]}
    await bot.room_send(room.room_id, "m.room.message", content)


bot.add_event_callback(who, nio.RoomMessageText)
signal.signal(signal.SIGTERM, signal.default_int_handler)  # the store is written at an orderly end
bot.run(password=os.environ["PASSWORD"])
