"""A nio-bot that answers "!who alice@example.org" with who that is on Matrix."""

import os

import niobot

from nio_identity_server import IdentityServerConfig, IdentityServerError, IdentityServerMixin


class Bot(IdentityServerMixin, niobot.NioBot):
    """A nio-bot that knows its user's identity server."""


bot = Bot(
    os.environ["HOMESERVER"],
    os.environ["USER_ID"],
    command_prefix="!",
    ignore_old_events=False,  # answer what was asked while the bot was away
    identity_server_config=IdentityServerConfig(
        default=os.environ["IDENTITY_SERVER"],  # if the user chose none
        trusted=os.environ.get("TRUSTED", "").split(),  # these may be on a private network
        accept_terms=bool,  # whatever they are
    ),
)


@bot.command("who")
async def who(context: niobot.Context, address: str) -> None:
    """Look the address up at the server that the user chose."""
    try:
        found = await bot.identity_server.lookup([address])
        await context.respond(found.get(address, "nobody that can be found"))
    except IdentityServerError as refusal:
        await context.respond(str(refusal))


bot.run(password=os.environ["PASSWORD"])
