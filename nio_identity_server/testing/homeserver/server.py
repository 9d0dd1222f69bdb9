"""A Matrix homeserver for tests, answering as Synapse 1.163 does."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import attrs

from nio_identity_server.testing.homeserver.account_data import Write
from nio_identity_server.testing.homeserver.accounts import Account
from nio_identity_server.testing.homeserver.chapters import Chapters
from nio_identity_server.testing.homeserver.rooms import Sent
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.routes import Routes
from nio_identity_server.testing.server import LoopbackServer


class MatrixHomeserver(LoopbackServer):
    """A homeserver: users, account data, sync, rooms, OpenID tokens, identity servers.

    What a test does to it by method is what another client of the same user would do over HTTP: it
    advances the stream and wakes the long polls. Users are named by user id or by localpart.

    Args:
        server_name: The name that user ids end in; `None` names it after host and port, which can
            be asked for once the server has been started.
        host: As for `LoopbackServer`.
        port: As for `LoopbackServer`.
        ssl_context: As for `LoopbackServer`.
    """

    # Synapse 1.163 never says how long an answer is.
    chunked = True

    def __init__(
        self,
        server_name: str | None = "example.test",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(host=host, port=port, ssl_context=ssl_context)
        self._server_name = server_name
        chapters = Chapters(lambda: self.server_name)
        self._accounts = chapters.accounts
        self._account_data = chapters.account_data
        self._sync = chapters.sync
        self._inbox = chapters.inbox
        self._rooms = chapters.rooms
        self._openid = chapters.openid
        self._identity_servers = chapters.identity_servers
        self._threepids = chapters.threepids
        self._invites = chapters.invites
        self._creation = chapters.creation
        self._table = chapters.routes

    @property
    def server_name(self) -> str:
        """The name that user ids end in.

        Raises:
            RuntimeError: It follows the port, and the server has not been started yet.
        """
        return self.netloc if self._server_name is None else self._server_name

    @property
    def well_known(self) -> dict[str, Any] | None:
        """What `/.well-known/matrix/client` says; `None` (at first) for 404 `M_NOT_FOUND`."""
        return self._accounts.well_known

    @well_known.setter
    def well_known(self, document: dict[str, Any] | None) -> None:
        self._accounts.well_known = document

    @property
    def cache_initial_sync(self) -> bool:
        """Whether an identical sync request is answered with the same bytes again.

        Synapse does so for two minutes, for incremental requests too; off at first.
        """
        return self._sync.cached

    @cache_initial_sync.setter
    def cache_initial_sync(self, cached: bool) -> None:
        self._sync.cached = cached

    @property
    def writes(self) -> list[Write]:
        """The account data that clients have written over HTTP, in order."""
        return self._account_data.writes

    @property
    def sent(self) -> list[Sent]:
        """The events that clients have sent to rooms over HTTP, in order."""
        return self._rooms.sent

    @property
    def invite_3pid_requests(self) -> list[Request]:
        """The requests to create a room that would have invited addresses; all were refused."""
        return self._creation.with_addresses

    @property
    def openid_tokens(self) -> dict[str, str]:
        """All OpenID tokens that were issued, with the user that each proves."""
        return self._openid.tokens

    def clear(self) -> None:
        """Forget what was seen, `writes`, `sent` and `invite_3pid_requests` too.

        Users, account data, rooms and tokens stay.
        """
        super().clear()
        for seen in (self.writes, self.sent, self.invite_3pid_requests):
            seen.clear()

    def register(
        self,
        name: str,
        password: str = "secret",  # noqa: S107 -- made up
        device_id: str | None = None,
    ) -> Account:
        """Create a user and log in a first device.

        Raises:
            ValueError: The user exists.
        """
        return self._accounts.register(name, password, device_id)

    def login(self, name: str, device_id: str | None = None) -> Account:
        """Log in one more device of a user, or an old one with a new token.

        Raises:
            LookupError: There is no such user.
        """
        return self._accounts.login(name, device_id)

    def revoke(self, access_token: str, *, soft_logout: bool = False) -> None:
        """End an access token: it is answered with 401 `M_UNKNOWN_TOKEN` from now on."""
        self._accounts.revoke(access_token, soft=soft_logout)

    def set_account_data(
        self, user_id: str, event_type: str, content: Any, *, event: Any = attrs.NOTHING
    ) -> None:
        """Set account data as another client of the user would, but unchecked.

        Args:
            user_id: Whose.
            event_type: The type.
            content: Any JSON value, also one that a PUT would refuse.
            event: What a sync delivers; by default an object of `type` and `content`.

        Raises:
            LookupError: There is no such user.
        """
        true = {"type": event_type, "content": content}
        told = true if event is attrs.NOTHING else event
        self._account_data.store(self._accounts.known(user_id), event_type, content, told)

    def delete_account_data(self, user_id: str, event_type: str) -> None:
        """Remove account data: GET says 404, the next incremental sync says `{}` (MSC3391).

        Raises:
            LookupError: There is no such user, or nothing to remove.
        """
        self._account_data.delete(self._accounts.known(user_id), event_type)

    def account_data(self, user_id: str, event_type: str) -> Any:
        """Read account data back.

        Raises:
            LookupError: There is no such user, or it is absent.
        """
        return self._account_data.content(self._accounts.known(user_id), event_type)

    def replay_sync(
        self, user_id: str, account_data_events: list[Any], *, instead: bool = False
    ) -> None:
        """Let the user's next sync response carry these account-data events, unfiltered.

        They come before the true changes, or instead of them, which are then lost. The events may
        be stale or malformed. The stream advances, so that a long poll is answered at once.

        Raises:
            LookupError: There is no such user.
        """
        user = self._accounts.known(user_id)
        self._account_data.replay(user, account_data_events, instead=instead)

    def send_to_device(
        self, user_id: str, event_type: str, content: dict[str, Any], sender: str = "friend"
    ) -> None:
        """Send a to-device message to every device of a user.

        Raises:
            LookupError: There is no such user.
        """
        event = {"type": event_type, "content": content, "sender": self._accounts.user_id(sender)}
        self._inbox.add(self._accounts.known(user_id), event)

    def add_message(self, user_id: str, room_id: str, body: str, sender: str = "friend") -> str:
        """Put a text message into a room; gives the event id.

        The user joins the room if need be, and everybody who is in it gets the message.

        Raises:
            LookupError: There is no such user.
        """
        user = self._accounts.known(user_id)
        return self._rooms.message(user, room_id, body, self._accounts.user_id(sender))

    def invite(self, user_id: str, room_id: str, sender: str = "friend") -> None:
        """Invite a user into a room.

        Raises:
            LookupError: There is no such user.
        """
        user = self._accounts.known(user_id)
        self._rooms.invite_from_elsewhere(user, room_id, self._accounts.user_id(sender))

    def add_identity_server(self, server: LoopbackServer, *id_servers: str) -> None:
        """Let the homeserver reach an identity server, inside the process.

        What it asks is recorded, held and struck by faults there like any other request.

        Args:
            server: The identity server.
            id_servers: What clients call it, host and port without a scheme; by default its
                `netloc`.
        """
        self._identity_servers.add(server, id_servers)

    def add_threepid(self, user_id: str, medium: str, address: str) -> None:
        """Add an address to an account of this homeserver, as if the user had validated it.

        Raises:
            LookupError: There is no such user.
        """
        self._threepids.add(self._accounts.known(user_id), medium, address)

    def limit_invites(self, number: int | None) -> None:
        """Refuse invites over HTTP, after so many more, with 429; `None` for no limit."""
        self._invites.left = number

    def heard_of_binding(self, association: Mapping[str, Any]) -> bool:
        """Turn the invitations of an address into invites of the user who has bound it.

        Args:
            association: What an identity server signs, with its `invites`.

        Returns:
            Whether all of them were good.
        """
        return self._invites.hear(association)

    def openid_owner(self, token: str) -> str | None:
        """Give the user that an OpenID token proves, or `None`."""
        return self._openid.owner(token)

    def expire_openid_tokens(self) -> None:
        """End all OpenID tokens that were issued so far."""
        self._openid.expire()

    def _routes(self) -> Routes:
        return self._table

    def _unknown_path(self, request: Request) -> Reply:  # noqa: ARG002 -- all are alike
        return Refusal(404, "M_UNRECOGNIZED", "Unrecognized request").reply

    def _unknown_method(self, request: Request) -> Reply:  # noqa: ARG002
        return Refusal(405, "M_UNRECOGNIZED", "Unrecognized request").reply
