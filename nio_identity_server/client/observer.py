"""What the mixin tells: each sync response, before anybody else sees it."""

from __future__ import annotations

import attrs

from nio_identity_server.base_url import BaseUrl
from nio_identity_server.client.accounts import Accounts
from nio_identity_server.client.reader import Reader
from nio_identity_server.preference.account_data import Known, NotSet, read_content
from nio_identity_server.preference.choice import IN_DOUBT
from nio_identity_server.preference.evidence import ABSENT, Sighting, SyncRequest, judge


@attrs.frozen(eq=False)
class Observer:
    """Takes in sync responses; the nets of the mixin lead here.

    Attributes:
        accounts: Whose choice it is.
        reader: Settles what they put in doubt.
        trusted: Base URLs named in code.
    """

    accounts: Accounts
    reader: Reader
    trusted: frozenset[BaseUrl]

    def note_sync(self) -> None:
        """Note that the client has synced before anybody could look."""
        self.accounts.current().answered()

    def note_unreadable_sync(self) -> None:
        """Note a sync response that could not be looked at: it may have held a change."""
        account = self.accounts.current()
        account.expire()
        account.answered()

    def observe(
        self, contents: list[object], request: SyncRequest | None, token: str | None
    ) -> None:
        """Take in one sync response, before anybody else sees it.

        Args:
            contents: The content of each ``m.identity_server`` event in it, in order.
            request: The request that it answers, if known.
            token: The access token of that request, if known. An answer to another login than the
                current one is not looked at.
        """
        if token is not None and token != self.reader.homeserver.client.access_token:
            # Not for this login; but nio goes on behind it, and it may have held a change.
            self.accounts.current().expire()
            return
        account = self.accounts.current()
        if request is not None and request.whole:
            account.watched(everything=request.shows_changes)
        sighting = judge(contents, request)
        if sighting is not None:
            account.saw(sighting.witness, self._value(sighting))
        account.answered()
        if account.choice.standing in IN_DOUBT:
            self.reader.read_soon(account)  # whoever looks, or listens, should not have to call

    @property
    def reads(self) -> int:
        """How many reads of the choice have been answered: compared at both ends of a sync."""
        return self.reader.answered

    def forget_other_users(self) -> None:
        """End the operations of a user who is no longer logged in."""
        self.accounts.current()

    def _value(self, sighting: Sighting) -> Known:
        if sighting.content is ABSENT:
            return NotSet()
        return read_content(sighting.content, self.trusted)
