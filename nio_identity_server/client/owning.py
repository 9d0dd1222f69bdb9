"""The user's own addresses: showing that they are theirs, letting them be found, and leaving.

What only some calls need is imported by those, as in ``choosing``.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal

from nio_identity_server.base_url import BaseUrl, parse_base_url
from nio_identity_server.client.asking import Asking
from nio_identity_server.client.config import IdentityServerConfig
from nio_identity_server.client.homeserver import NioClient
from nio_identity_server.client.ledger import Ledger

if TYPE_CHECKING:
    from nio_identity_server.client.generation import Generation
    from nio_identity_server.endpoint import Endpoint, Reply
    from nio_identity_server.flows.association import ShareStatus
    from nio_identity_server.flows.leaving import LeaveReport
    from nio_identity_server.flows.line import Ask
    from nio_identity_server.flows.session import Session
    from nio_identity_server.pending_validation import PendingValidation
    from nio_identity_server.threepid import ThreePid


class _All(Enum):
    ALL = "all"

    def __repr__(self) -> str:
        return "ALL"


ALL: Final = _All.ALL
"""As ``server`` of ``unbind()``: every server at which the homeserver remembers to have bound."""


class Owning(Asking):
    """The part of :class:`IdentityServer` that is about the user's own addresses."""

    def __init__(self, client: NioClient, config: IdentityServerConfig | None = None) -> None:
        super().__init__(client, config)
        self._ledger = Ledger()

    # -- showing that an address is the user's

    async def request_token(
        self,
        threepid: ThreePid | str,
        *,
        country: str | None = None,
        next_link: str | None = None,
    ) -> PendingValidation:
        """Have a mail or SMS sent, so that the user can show that an address is theirs.

        One call sends one mail or SMS; nothing is ever sent again by itself.

        Args:
            threepid: The address.
            country: Two capital letters (ISO 3166-1), needed for a phone number. Found out from the
                number if the package is installed with ``[phone]``.
            next_link: An ``https`` URL where the link in the mail leads in the end.

        Returns:
            What to go on with. It can be kept over a restart by its ``to_json()``.

        Raises:
            InvalidAddress: If it is no address.
            AddressRefused: If the server sends nothing to this address or country.
            SendingFailed: If it could not be sent.
            ValueError: If ``country`` is missing or ``next_link`` is not ``https``.
            IdentityServerError: As for :meth:`call`.
        """
        from nio_identity_server.flows.validation import request_token  # noqa: PLC0415
        from nio_identity_server.phone import country_of  # noqa: PLC0415
        from nio_identity_server.threepid import parse_threepid  # noqa: PLC0415

        threepid = parse_threepid(threepid)
        if country is None and threepid.medium == "msisdn":
            country = country_of(threepid)
        generation, session = await self._enter()
        validation = await request_token(session, threepid, country, next_link)
        generation.validations[threepid] = validation
        return validation

    async def resend(self, validation: PendingValidation) -> PendingValidation:
        """Have another mail or SMS sent for a validation; go on with what is returned.

        Raises:
            IdentityServerChanged: If the validation belongs to another server.
            IdentityServerError: As for :meth:`request_token`.
        """
        from nio_identity_server.flows.validation import resend  # noqa: PLC0415

        generation, session = await self._enter()
        validation = await resend(session, validation)
        generation.validations[validation.threepid] = validation
        return validation

    async def submit_token(self, validation: PendingValidation, token: str) -> None:
        """Show that the mail or SMS was read, by the token in it.

        Raises:
            WrongToken: If it is not the token that was sent; try again.
            ValidationExpired: If it is too late.
            IdentityServerChanged: If the validation belongs to another server.
            IdentityServerError: As for :meth:`call`.
        """
        from nio_identity_server.flows.validation import submit_token  # noqa: PLC0415

        generation, session = await self._enter()
        await submit_token(session, validation, token)
        generation.validations.setdefault(validation.threepid, validation)

    async def wait_until_validated(
        self,
        validation: PendingValidation,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - of the validation, not of this call alone
        interval: float = 5.0,
    ) -> None:
        """Wait until the user has opened the link in the mail.

        The server is asked again and again; trouble with it does not end the waiting.

        Args:
            validation: What was begun, perhaps before a restart.
            timeout: Seconds to wait; None for as long as the validation lasts, 24 hours.
            interval: Seconds between two questions.

        Raises:
            NotValidated: If the user has not done it in time.
            ValidationExpired: If it is too late for this validation.
            IdentityServerChanged: If the validation belongs to another server.
            IdentityServerError: As for :meth:`call`.
        """
        from nio_identity_server.flows.validation import wait_until_validated  # noqa: PLC0415

        session = await self._session()
        await wait_until_validated(
            session, validation, timeout=timeout, interval=interval, clock=time.time
        )

    # -- letting it be found

    async def bind(self, validation: PendingValidation) -> None:
        """Bind a validated address: whoever looks it up finds the user from now on.

        It goes through the homeserver, which needs the user's token of the identity server for it.

        Raises:
            NotValidated: If the user has not shown that it is theirs.
            ValidationExpired: If they did, but too long ago.
            IdentityServerChanged: If the validation belongs to another server.
            OutcomeUnknown: If it may have been bound: Synapse tells so of a server it cannot reach.
            HomeserverError: If the homeserver refused.
            IdentityServerError: As for :meth:`call`.
        """
        from nio_identity_server.flows.association import bind  # noqa: PLC0415
        from nio_identity_server.flows.validation import check_ours  # noqa: PLC0415

        generation, session = await self._enter()
        user_id = await check_ours(session, validation)
        # Before it is sent: nobody may ever know how it ended.
        self._ledger.note_bound(user_id, session.line.server, validation.threepid)
        await bind(session, validation)
        generation.validations.pop(validation.threepid, None)

    async def unbind(
        self,
        threepid: ThreePid | str,
        *,
        server: str | BaseUrl | Literal[_All.ALL] | None = None,
    ) -> None:
        """Take an address back, so that it is not found any more.

        The homeserver does it; neither token nor signed terms are needed.

        Args:
            threepid: The address.
            server: The base URL of a server that was used earlier; :data:`ALL` for every server at
                which the homeserver remembers to have bound it; None for the user's current one.

        Raises:
            UnbindNotSupported: If the address may still be found.
            OutcomeUnknown: If the homeserver could not reach the server, or did not tell.
            IdentityServerError: As for :meth:`call` if no server is named.
        """
        from nio_identity_server.flows.association import unbind  # noqa: PLC0415
        from nio_identity_server.threepid import parse_threepid  # noqa: PLC0415

        threepid = parse_threepid(threepid)
        ask: Ask
        base_url: BaseUrl | None
        if server is None:
            generation, session = await self._enter()
            ask, base_url = session.line.ask_homeserver, generation.base_url
        else:
            # Whoever names a server does not ask for the one that is chosen: to unbind at an old
            # one may be wanted most after identity servers were switched off.
            ask, base_url = self._ask_homeserver, None if server is ALL else parse_base_url(server)
        user_id = await self._reader.user_id()
        await unbind(ask, threepid, base_url)
        where = None if base_url is None else str(base_url)
        self._ledger.note_unbound(user_id, where, threepid)

    async def share_status(
        self, threepids: Iterable[ThreePid | str]
    ) -> dict[ThreePid, ShareStatus]:
        """Tell whom addresses lead to at the user's server: by user ID, not by their being bound.

        Returns:
            A :class:`ShareStatus` for each address.

        Raises:
            InvalidAddress: With all positions, before anything is sent.
            IdentityServerError: As for :meth:`lookup`.
        """
        from nio_identity_server.flows.association import share_statuses  # noqa: PLC0415
        from nio_identity_server.flows.directory import look_up  # noqa: PLC0415
        from nio_identity_server.threepid import parse_threepids  # noqa: PLC0415

        addresses = parse_threepids(threepids)
        generation, session = await self._enter()
        found = await look_up(session, addresses)
        now = time.time()
        pending = {
            each.threepid for each in generation.validations.values() if each.expires_at > now
        }
        return share_statuses(addresses, found, await session.line.user_id(), pending)

    async def leave(self, *, unbind: bool | Iterable[ThreePid | str] = False) -> LeaveReport:
        """Leave the identity server carefully, and use none from now on.

        What is bound there is listed (and unbound, if asked), the token is given back, and the
        choice is written as ``null``. Each step is tried whatever became of those before it, and
        none takes long: nobody is kept by a dead server.

        No server lists what is bound. It is what the homeserver lists, what was bound by this
        client, and what the caller names, as far as a lookup finds the user there; all of it, if
        the lookup fails.

        Args:
            unbind: Whether to unbind what is found; or more addresses that may be bound, which
                means True as well.

        Returns:
            What became of each step. ``has_left`` tells whether the choice was written.

        Raises:
            InvalidAddress: If ``unbind`` holds something that is no address.
        """
        from nio_identity_server.client.leaving import Leaving  # noqa: PLC0415
        from nio_identity_server.threepid import parse_threepids  # noqa: PLC0415

        more = () if isinstance(unbind, bool) else tuple(parse_threepids(unbind))
        leaving = Leaving(
            self._accounts.current(),
            self._reader.homeserver.client.homeserver,
            self._ledger,
            self._enter,
            self._leave_for_good,
            more,
            unbind=unbind is not False,
        )
        return await leaving.leave()

    async def _enter(self) -> tuple[Generation, Session]:
        generation = await self._gate.enter()
        return generation, self._session_of(generation)

    async def _ask_homeserver(self, endpoint: Endpoint[Reply]) -> Reply:
        """Ask what concerns no identity server of now; not for another user who logs in."""
        account = self._accounts.current()

        async def look() -> None:
            self._accounts.current()  # notices that another user has logged in
            account.check_not_ended()

        reply = await self._reader.homeserver.ask(endpoint, look)
        await look()
        return reply
