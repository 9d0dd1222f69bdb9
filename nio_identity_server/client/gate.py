"""Holds calls until the user's choice is confirmed, and hands out the generation they run in."""

from __future__ import annotations

import asyncio
import logging

import attrs

from nio_identity_server.client.account import Account
from nio_identity_server.client.accounts import Accounts
from nio_identity_server.client.config import IdentityServerConfig
from nio_identity_server.client.default import DefaultServer
from nio_identity_server.client.generation import Generation
from nio_identity_server.client.reader import Reader
from nio_identity_server.errors import HomeserverError, IdentityServerError, NotConfirmed
from nio_identity_server.preference.account_data import Unconfirmed
from nio_identity_server.preference.choice import Standing
from nio_identity_server.preference.resolution import Resolution, resolve

PROVISIONAL_READ = 5.0
"""Seconds for reading again what may be old; after that its word stands."""

_log = logging.getLogger("nio_identity_server")


@attrs.frozen(eq=False)
class Gate:
    """Every single request of every operation passes here.

    Attributes:
        accounts: Whose choice it is.
        reader: Reads the choice when waiting does not help.
        default: Knows the default server.
        config: How long to wait, and whom to trust.
    """

    accounts: Accounts
    reader: Reader
    default: DefaultServer
    config: IdentityServerConfig

    async def enter(self) -> Generation:
        """Wait until it is known which server to use.

        Raises:
            NotConfirmed: If it cannot be learned.
            IdentityServerChanged: If another user logs in meanwhile.
            IdentityServerError: The refusal that the choice amounts to.
        """
        account = self.accounts.current()
        generation = account.generation
        if account.is_open and generation is not None and account.clock() < account.fresh_until:
            return generation
        return account.enter(await self.settle(account))

    async def enter_again(self, generation: Generation) -> None:
        """Pass once more, with the next request of an operation that began in this generation.

        Raises:
            IdentityServerChanged: If the generation is over.
            NotConfirmed: If the choice is in doubt and cannot be learned.
        """
        if generation.ended is None:
            try:
                if await self.enter() is generation:
                    return
            except IdentityServerError:
                if generation.ended is None:
                    raise
        raise generation.changed()

    async def settle(self, account: Account) -> Resolution:
        """Wait until the choice is known, and the default if it is needed.

        Raises:
            NotConfirmed: If it cannot be learned.
            IdentityServerChanged: If another user logs in meanwhile.
        """
        while True:
            await self.know(account)
            if account.is_open and account.generation is not None:
                return account.generation.resolution  # somebody who waited as well was first
            resolution = self.resolution(account)
            if not isinstance(resolution.refusal, NotConfirmed):
                account.follow(resolution)
                return resolution
            await self._learn_default()

    async def know(self, account: Account) -> None:
        """Wait until the choice is known, whatever it is.

        Raises:
            NotConfirmed: If it cannot be learned.
            IdentityServerChanged: If another user logs in meanwhile.
        """
        give_up_waiting = asyncio.get_running_loop().time() + self.config.sync_wait
        while True:
            self._look(account)
            if account.is_writing:
                await account.news()
            elif account.is_settled:
                return
            elif account.choice.standing is Standing.PROVISIONAL:
                await self._read_again(account)
            elif not await _something_happened(account, give_up_waiting):
                await self._read(account)

    def resolution(self, account: Account) -> Resolution:
        """What the choice amounts to, as far as it is known now."""
        return resolve(
            account.choice.preference,
            self.default.known(account.user_id or self.reader.owner),
            trusted=self.config.named_in_code,
            only_trusted=self.config.only_trusted,
        )

    def _look(self, account: Account) -> None:
        self.accounts.current()  # notices that another user has logged in
        account.check_not_ended()
        account.check_freshness()

    async def _read(self, account: Account) -> None:
        failure = await self.reader.read(account)
        account.check_not_ended()
        # While it failed, a sync may have told, or a write may have begun: then look again.
        if failure and account.choice.preference == Unconfirmed() and not account.is_writing:
            raise NotConfirmed(failure)

    async def _read_again(self, account: Account) -> None:
        failure = await self.reader.read(account, PROVISIONAL_READ)
        if failure:
            _log.warning(
                "the identity server in use could not be confirmed and is used as it was: %s",
                failure,
            )
            account.unread()

    async def _learn_default(self) -> None:
        failure = ""
        try:
            user_id = await self.reader.user_id()
        except HomeserverError as error:
            failure = str(error)
        else:
            await self.default.learn(user_id)
            return
        raise NotConfirmed(failure)


async def _something_happened(account: Account, until: float) -> bool:
    """Wait for a sync, if waiting can help; tell whether there is anything new to look at."""
    if account.sync_answered or account.choice.standing is not Standing.UNKNOWN:
        return False
    remaining = until - asyncio.get_running_loop().time()
    return remaining > 0 and await account.news(remaining)
