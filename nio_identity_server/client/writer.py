"""Writing the choice: one at a time, and adopted only when the homeserver has stored it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

from nio_identity_server.client.account import Account, Outcome
from nio_identity_server.client.reader import Reader
from nio_identity_server.endpoints.homeserver import SetAccountData
from nio_identity_server.errors import HomeserverError, OutcomeUnknown
from nio_identity_server.preference.account_data import (
    EVENT_TYPE,
    Chosen,
    Disabled,
    NotSet,
    write_content,
)


@attrs.frozen(eq=False)
class Writer:
    """Writes ``m.identity_server``; nothing else in this package does.

    Attributes:
        reader: Knows the homeserver and the user's id.
    """

    reader: Reader

    async def write(
        self,
        account: Account,
        value: Chosen | Disabled | NotSet,
        before: Callable[[], Awaitable[None]],
    ) -> None:
        """Store a choice, and adopt it.

        Args:
            account: Whose choice it is.
            value: What to store.
            before: Done when it is this write's turn and calls are held back, before the request.

        Raises:
            HomeserverError: If the homeserver refused; nothing has changed.
            OutcomeUnknown: If it may have been stored; the choice is unconfirmed.
            IdentityServerChanged: If another user logged in meanwhile.
        """
        homeserver = self.reader.homeserver
        user_id = await self.reader.user_id()
        self._check(account)
        while account.is_writing:
            await account.news()
            self._check(account)
        write = account.begin_write(value)
        outcome = Outcome.REFUSED
        try:
            await before()
            self._check(account)
            outcome = Outcome.UNKNOWN  # also when this is cancelled: the request may have arrived
            await homeserver.ask(SetAccountData(user_id, EVENT_TYPE, write_content(value)))
            outcome = Outcome.STORED
        except OutcomeUnknown:
            raise
        except HomeserverError:
            outcome = Outcome.REFUSED
            raise
        finally:
            self.reader.accounts.current()  # nobody is told of the write of a user who has left
            account.end_write(write, outcome)
            if outcome is Outcome.REFUSED:
                # It may have been stored all the same: nio follows redirects, and aiohttp sends a
                # PUT again if the connection breaks before the answer.
                account.expire()
        self._check(account)

    def _check(self, account: Account) -> None:
        self.reader.accounts.current()  # notices that another user has logged in
        account.check_not_ended()
