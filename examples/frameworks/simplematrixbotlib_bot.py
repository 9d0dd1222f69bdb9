"""A simplematrixbotlib bot that answers "!who alice@example.org" with who that is on Matrix."""

import os

import simplematrixbotlib as botlib
from nio import MatrixRoom, RoomMessageText

from nio_identity_server import IdentityServerConfig, IdentityServerError, enable

CONFIG = IdentityServerConfig(
    default=os.environ["IDENTITY_SERVER"],  # if the user chose none
    trusted=os.environ.get("TRUSTED", "").split(),  # these may be on a private network
    accept_terms=bool,  # whatever they are
)


class Api(botlib.Api):
    """Its client is made by ``login()``, and the bot syncs right after that."""

    async def login(self) -> None:
        """Log in, and let the client know its user's identity server before it syncs."""
        await super().login()
        enable(self.async_client, CONFIG)


creds = botlib.Creds(os.environ["HOMESERVER"], os.environ["USER_ID"], os.environ["PASSWORD"])
bot = botlib.Bot(creds)
bot.api = Api(creds, bot.config)


@bot.listener.on_message_event
async def who(room: MatrixRoom, message: RoomMessageText) -> None:
    """Look the address up at the server that the user chose."""
    match = botlib.MessageMatch(room, message, bot, "!")
    if match.is_not_from_this_bot() and match.prefix() and match.command("who"):
        address = match.args()[0]
        try:
            found = await enable(bot.async_client).lookup([address])
            answer = found.get(address, "nobody that can be found")
        except IdentityServerError as refusal:
            answer = str(refusal)
        await bot.api.send_text_message(room.room_id, answer)


bot.run()
