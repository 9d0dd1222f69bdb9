"""The ten-line bot of the README: which identity server may this bot talk to?"""

import asyncio
import os

from nio import AsyncClient

from nio_identity_server import IdentityServerConfig, IdentityServerError, IdentityServerMixin
from nio_identity_server.endpoints.discovery import GetVersions


class Bot(IdentityServerMixin, AsyncClient):
    """A nio client that knows its user's identity server."""


async def main() -> None:
    """Log in, sync, and ask the identity server that the user chose for its versions."""
    config = IdentityServerConfig(default=os.environ["IDENTITY_SERVER"])  # if the user chose none
    bot = Bot(os.environ["HOMESERVER"], os.environ["USER_ID"], identity_server_config=config)
    await bot.login(os.environ["PASSWORD"])
    await bot.sync()
    print("The user's choice:", bot.identity_server.preference)
    try:
        print("Its server speaks:", await bot.identity_server.call(GetVersions()))
    except IdentityServerError as refusal:
        print("No answer:", refusal)
    await bot.close()


asyncio.run(main())
