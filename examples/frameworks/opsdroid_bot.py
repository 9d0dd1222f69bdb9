"""An opsdroid that answers "!who alice@example.org" with who that is on Matrix.

``python -m opsdroid start -f opsdroid_bot.yaml`` finds the connector and the skill in here.
"""

import json
import os

from opsdroid.connector import matrix  # not the class: opsdroid starts each that it finds in here
from opsdroid.events import Message
from opsdroid.matchers import match_regex

from nio_identity_server import IdentityServerConfig, IdentityServerError, enable

CONFIG = IdentityServerConfig(
    default=os.environ["IDENTITY_SERVER"],  # if the user chose none
    trusted=os.environ.get("TRUSTED", "").split(),  # these may be on a private network
    accept_terms=bool,  # whatever they are
)


class ConnectorMatrix(matrix.ConnectorMatrix):
    """Its client is made by ``connect()``."""

    @property
    def filter_json(self) -> str:
        """The filter of all syncs: opsdroid's own hides account data, and so each change."""
        wanted = json.loads(super().filter_json)
        return json.dumps(wanted | {"account_data": {"types": ["m.identity_server"]}})

    async def connect(self) -> None:
        """Let the client know its user's identity server before the first skill runs."""
        await super().connect()
        enable(self.connection, CONFIG)


@match_regex(r"!who (?P<address>\S+)")
async def who(message: Message) -> None:
    """Look the address up at the server that the user chose."""
    address = message.regex.group("address")
    try:
        found = await enable(message.connector.connection).lookup([address])
        await message.respond(found.get(address, "nobody that can be found"))
    except IdentityServerError as refusal:
        await message.respond(str(refusal))
