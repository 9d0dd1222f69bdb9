"""Reading the choice from the homeserver, once for all who need it."""

from __future__ import annotations

import asyncio

import attrs

from nio_identity_server.base_url import BaseUrl
from nio_identity_server.client.account import Account
from nio_identity_server.client.accounts import Accounts
from nio_identity_server.client.homeserver import Homeserver
from nio_identity_server.endpoints.homeserver import GetAccountData, GetTokenOwner
from nio_identity_server.errors import HomeserverError
from nio_identity_server.preference.account_data import EVENT_TYPE, Known, NotSet, read_content
from nio_identity_server.preference.evidence import Witness

_TRIES = 3
_TOO_SLOW = "the homeserver did not answer within {} s"

Failure = str
"""Why the choice could not be read; empty if it was."""


@attrs.define(eq=False)
class Reader:
    """Reads ``m.identity_server`` with ``GET``, whose answer is never stale.

    Attributes:
        accounts: Whose choice it is.
        homeserver: Where it is read.
        trusted: Base URLs named in code.
        answered: Counts the reads that told something, so that a sync that was under way meanwhile
            can be told from one that was not.
    """

    accounts: Accounts
    homeserver: Homeserver
    trusted: frozenset[BaseUrl]
    answered: int = 0
    _owner: tuple[str, str] = attrs.field(default=("", ""), repr=False)  # the token, and whose

    async def read(self, account: Account, seconds: float | None = None) -> Failure:
        """Read the choice and tell the account; join a read that is under way.

        Args:
            account: The user whose choice it is.
            seconds: How long to wait; a read that begins now takes no longer.

        Raises:
            NotConfirmed: If the client is closed meanwhile.
        """
        if not account.reading.is_under_way:
            account.read_limit = seconds
        if account.read_limit == seconds or seconds is None:
            return await account.reading.run(lambda: self._read_within(account, seconds))
        try:  # somebody else's read, which may take longer
            async with asyncio.timeout(seconds):
                return await account.reading.run(lambda: self._read_within(account, seconds))
        except TimeoutError:
            return _TOO_SLOW.format(seconds)

    def read_soon(self, account: Account) -> None:
        """Begin to read, without waiting for it."""
        if not account.reading.is_under_way:
            account.read_limit = None
            account.reading.begin(lambda: self._read(account))

    @property
    def owner(self) -> str:
        """The user's id as far as it is known without asking."""
        client = self.homeserver.client
        token, owner = self._owner
        return client.user_id or (owner if token == client.access_token else "")

    async def user_id(self) -> str:
        """The user's id, asked for if the client was given nothing but an access token.

        Raises:
            HomeserverError: If the homeserver does not say.
        """
        while not self.owner:
            token = self.homeserver.client.access_token
            self._owner = (token, (await self.homeserver.ask(GetTokenOwner())).user_id)
        return self.owner

    async def _read_within(self, account: Account, seconds: float | None) -> Failure:
        try:
            async with asyncio.timeout(seconds):
                return await self._read(account)
        except TimeoutError:
            return _TOO_SLOW.format(seconds)

    async def _read(self, account: Account) -> Failure:
        for _ in range(_TRIES):
            version, token = account.version, self.homeserver.client.access_token
            found = await self._ask()
            if self.accounts.current() is not account:
                return "another user is logged in"
            if token != self.homeserver.client.access_token:
                continue  # somebody logged in again: the answer is not for this login
            if isinstance(found, str):
                return found
            if account.version == version:
                self.answered += 1
                account.saw(Witness.READ, found)
                return ""
            # Overtaken: whatever was learned meanwhile may be newer than this answer, or older.
            if account.is_settled:
                if found == account.choice.known:
                    return ""
                account.saw(Witness.SNAPSHOT, found)  # nobody can tell: doubt it, and read again
        return "it kept changing while it was read"

    async def _ask(self) -> Known | Failure:
        try:
            content = await self.homeserver.ask(GetAccountData(await self.user_id(), EVENT_TYPE))
        except HomeserverError as error:
            if error.is_absence:
                return NotSet()
            return str(error)
        return read_content(content, self.trusted)
