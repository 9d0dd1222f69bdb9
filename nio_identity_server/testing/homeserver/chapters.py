"""All the chapters of a homeserver's API, put together."""

from __future__ import annotations

from collections.abc import Callable

from nio_identity_server.testing.homeserver.account_data import AccountData
from nio_identity_server.testing.homeserver.accounts import Accounts
from nio_identity_server.testing.homeserver.discovery import Discovery
from nio_identity_server.testing.homeserver.filters import Filters
from nio_identity_server.testing.homeserver.identity_servers import IdentityServers
from nio_identity_server.testing.homeserver.inbox import Inbox
from nio_identity_server.testing.homeserver.invites import Invites
from nio_identity_server.testing.homeserver.openid import OpenId
from nio_identity_server.testing.homeserver.room_creation import RoomCreation
from nio_identity_server.testing.homeserver.room_state import RoomState
from nio_identity_server.testing.homeserver.rooms import Rooms
from nio_identity_server.testing.homeserver.stream import Stream
from nio_identity_server.testing.homeserver.sync import Sync
from nio_identity_server.testing.homeserver.threepids import ThreePids
from nio_identity_server.testing.routes import Routes


class Chapters:
    """The chapters that a homeserver shows to its tests, and the routes of all of them."""

    def __init__(self, server_name: Callable[[], str]) -> None:
        stream = Stream()
        self.accounts = Accounts(server_name)
        self.account_data = AccountData(self.accounts, stream)
        self.inbox = Inbox(stream)
        self.rooms = Rooms(self.accounts, stream)
        self.openid = OpenId(self.accounts, server_name)
        self.identity_servers = IdentityServers(server_name)
        self.threepids = ThreePids(self.accounts, self.identity_servers)
        self.invites = Invites(self.accounts, self.rooms, self.identity_servers)
        self.creation = RoomCreation(self.accounts, self.rooms)
        filters = Filters(self.accounts)
        self.sync = Sync(
            accounts=self.accounts,
            stream=stream,
            account_data=self.account_data,
            inbox=self.inbox,
            rooms=self.rooms,
            filters=filters,
        )
        chapters = (
            self.accounts,
            self.account_data,
            self.sync,
            filters,
            self.rooms,
            self.openid,
            self.threepids,
            self.invites,
            self.creation,
            RoomState(self.accounts, self.rooms),
            Discovery(self.accounts),
        )
        self.routes = Routes(route for chapter in chapters for route in chapter.routes())
