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
from nio_identity_server.errors import HomeserverError, NotConfirmed
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
        generation = account.open_generation
        if generation is not None and account.clock() < account.fresh_until:
            return generation
        await self.know(account)
        if account.open_generation is not None:
            return account.open_generation  # somebody who waited as well was first
        return account.enter(await self.settle(account))

    async def enter_again(self, generation: Generation) -> None:
        """Pass once more, with the next request of an operation that runs in this generation.

        Raises:
            IdentityServerChanged: If another generation has begun.
            IdentityServerError: As for :meth:`enter`; ``generation.run`` knows whether it is over.
        """
        if await self.enter() is not generation:
            raise generation.changed()

    async def settle(self, account: Account) -> Resolution:
        """Wait until the choice is known, and the default if it is needed.

        Raises:
            NotConfirmed: If it cannot be learned.
            IdentityServerChanged: If another user logs in meanwhile.
        """
        while True:
            await self.know(account)
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
        clock = asyncio.get_running_loop().time
        until, waiting = clock() + self.config.sync_wait, True
        while True:
            self._look(account)
            if account.is_writing:
                await account.news()
            elif account.is_settled:
                return
            elif account.choice.standing is Standing.PROVISIONAL:
                await self._read_again(account)
            elif waiting and _may_wait(account):
                # After long enough: look first whether somebody has read meanwhile, then read.
                waiting = await account.news(until - clock())
            else:
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
        failure = await self._ask(account)
        # While it failed, a sync may have told, or a write may have begun: then look again.
        if failure and account.choice.preference == Unconfirmed() and not account.is_writing:
            raise NotConfirmed(failure)

    async def _read_again(self, account: Account) -> None:
        failure = await self._ask(account, PROVISIONAL_READ)
        if failure and account.choice.standing is Standing.PROVISIONAL:  # the first who waited
            _log.warning(
                "the identity server in use could not be confirmed and is used as it was: %s",
                failure,
            )
            account.unread()

    async def _ask(self, account: Account, seconds: float | None = None) -> str:
        try:
            failure = await self.reader.read(account, seconds)
        except NotConfirmed:
            account.check_not_ended()  # another user has ended the read: say so
            raise
        account.check_not_ended()
        return failure

    async def read_now(self, account: Account) -> str:
        """Read the choice with a request that begins after this call; say why not, if not.

        Raises:
            IdentityServerChanged: If another user logs in meanwhile.
            NotConfirmed: If the client is closed meanwhile.
        """
        while account.is_writing:
            await account.news()
        await account.reading.rest()
        return await self._ask(account)

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


def _may_wait(account: Account) -> bool:
    """Whether a sync may come that tells, and the caller cannot be standing in its way."""
    return account.choice.standing is Standing.UNKNOWN and not account.sync_answered
