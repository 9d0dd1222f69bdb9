"""Whose state it is: compared with the client at every use."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from nio_identity_server.client.account import Account
from nio_identity_server.client.change import Change
from nio_identity_server.client.homeserver import NioClient


@attrs.define(eq=False)
class Accounts:
    """Keeps the state of the user who is logged in, and of nobody else.

    Frameworks assign ``client.user_id`` directly and never call ``login()``, so nothing here waits
    to be told.

    Attributes:
        client: The nio client.
        report: Called with each change.
    """

    client: NioClient
    report: Callable[[Change], None]
    _account: Account | None = None
    _token: str = attrs.field(default="", repr=False)

    def current(self) -> Account:
        """The state of the user who is logged in now; another user's is ended."""
        account = self._account
        if account is None:
            return self._begin()
        if account.user_id == self.client.user_id and (account.user_id or self._same_token()):
            return account
        if not account.user_id and self._same_token():
            # A client that was given nothing but an access token has learned whose it is.
            account.user_id = self.client.user_id
            return account
        account.end("another user is logged in")
        return self._begin()

    def _begin(self) -> Account:
        self._token = self.client.access_token
        self._account = Account(self.client.user_id, self.report)
        return self._account

    def _same_token(self) -> bool:
        """Whether this is still the login in which nobody knew the user's id."""
        if not self._token:
            self._token = self.client.access_token
        return self._token == self.client.access_token
