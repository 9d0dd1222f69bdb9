"""The client's default server: configured, or looked up when it is first needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import attrs

from nio_identity_server.base_url import BaseUrl
from nio_identity_server.client.config import WELL_KNOWN, DefaultSetting
from nio_identity_server.flows.well_known import Fetch, find_default
from nio_identity_server.preference.resolution import Default, Source
from nio_identity_server.single_flight import SingleFlight

TIME_LIMIT = 30.0
"""Seconds for the whole look-up, all redirects included."""

RETRY_AFTER = 300.0
"""Seconds before a default that was not found is looked for again."""


@attrs.define(eq=False)
class DefaultServer:
    """Knows the default, or finds it out.

    A default that was found holds until ``refresh`` or until another user logs in, so that it does
    not flip under running operations. One that was not found is looked for again after 5 minutes.

    Attributes:
        setting: ``IdentityServerConfig.default``.
        fetch: How to GET a URL.
        clock: Seconds that never go back.
    """

    setting: DefaultSetting
    fetch: Fetch
    clock: Callable[[], float] = time.monotonic
    _found: Default | None = None
    _user_id: str = ""
    _found_at: float = 0.0
    _flight: SingleFlight[Default] = attrs.field(factory=SingleFlight, init=False)

    def known(self, user_id: str) -> Default | None:
        """The default of this user, or None if it must be looked up (again)."""
        if self.setting is not WELL_KNOWN:
            base_url = self.setting if isinstance(self.setting, BaseUrl) else None
            return Default(Source.DEFAULT, base_url)
        found = self._found
        if found is None or self._user_id != user_id:
            return None
        if found.base_url is None and self.clock() - self._found_at >= RETRY_AFTER:
            return None
        return found

    async def learn(self, user_id: str) -> None:
        """Look it up, or join a look-up that is under way.

        Raises:
            NotConfirmed: If the client is closed meanwhile.
        """
        if user_id != self._user_id:
            self.forget()
            self._user_id = user_id
        flight = self._flight
        found = await flight.run(lambda: self._look_up(user_id))
        if flight is self._flight:  # nobody has asked to forget it meanwhile
            self._found, self._found_at = found, self.clock()

    def forget(self) -> None:
        """Look it up again when it is next needed."""
        self._found = None
        self._flight = SingleFlight()

    def cancel(self) -> None:
        """Stop looking."""
        self._flight.cancel()

    async def _look_up(self, user_id: str) -> Default:
        try:
            async with asyncio.timeout(TIME_LIMIT):
                return await find_default(user_id, self.fetch)
        except TimeoutError:
            reason = f".well-known/matrix/client was not answered within {TIME_LIMIT:g} s"
            return Default(Source.WELL_KNOWN, reason=reason)
