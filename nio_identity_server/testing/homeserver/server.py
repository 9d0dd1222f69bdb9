"""A Matrix homeserver for tests, answering as Synapse 1.163 does."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from nio_identity_server.testing.homeserver.account_data import Write
from nio_identity_server.testing.homeserver.accounts import Account
from nio_identity_server.testing.homeserver.chapters import Chapters
from nio_identity_server.testing.homeserver.other_clients import OtherClients
from nio_identity_server.testing.homeserver.rooms import Sent
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.routes import Routes
from nio_identity_server.testing.server import LoopbackServer


class MatrixHomeserver(LoopbackServer, OtherClients):
    """A homeserver: users, account data, sync, rooms, OpenID tokens, identity servers.

    Users are named by user id or by localpart.

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
        OtherClients.__init__(self, chapters)
        self._sync = chapters.sync
        self._openid = chapters.openid
        self._identity_servers = chapters.identity_servers
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

    def add_identity_server(self, server: LoopbackServer, *id_servers: str) -> None:
        """Let the homeserver reach an identity server, inside the process.

        What it asks is recorded, held and struck by faults there like any other request.

        Args:
            server: The identity server.
            id_servers: What clients call it, host and port without a scheme; by default its
                `netloc`.
        """
        self._identity_servers.add(server, id_servers)

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
