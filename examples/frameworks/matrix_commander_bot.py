"""matrix-commander that answers "!who alice@example.org" with who that is on Matrix.

It takes the arguments of matrix-commander: ``python matrix_commander_bot.py --listen forever``.
"""

import os
import sys
from typing import Any

from matrix_commander import matrix_commander
from nio import AsyncClient, MatrixRoom, RoomMessageText

from nio_identity_server import IdentityServerConfig, IdentityServerError, IdentityServerMixin


class Client(IdentityServerMixin, AsyncClient):
    """A client that knows its user's identity server, and answers."""

    identity_server_config = IdentityServerConfig(
        default=os.environ["IDENTITY_SERVER"],  # if the user chose none
        trusted=os.environ.get("TRUSTED", "").split(),  # these may be on a private network
        accept_terms=bool,  # whatever they are
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_event_callback(self.who, RoomMessageText)

    async def who(self, room: MatrixRoom, message: RoomMessageText) -> None:
        """Look the address up at the server that the user chose."""
        command, _, address = message.body.partition(" ")
        if command == "!who":
            try:
                found = await self.identity_server.lookup([address])
                answer = found.get(address, "nobody that can be found")
            except IdentityServerError as refusal:
                answer = str(refusal)
            content = {"msgtype": "m.notice", "body": answer}
            await self.room_send(room.room_id, "m.room.message", content)


matrix_commander.AsyncClient = Client  # it makes all of its clients by this name
sys.exit(matrix_commander.main())
