"""Inviting people by their addresses, and accepting such an invitation.

What only some calls need is imported by those, as in ``choosing``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from nio_identity_server import words
from nio_identity_server.base_url import parse_base_url
from nio_identity_server.client.homeserver import is_refusal
from nio_identity_server.client.owning import Owning
from nio_identity_server.client.trouble import describe
from nio_identity_server.errors import (
    HomeserverError,
    InvitesFailed,
    OtherServersInvite,
    OutcomeUnknown,
)

if TYPE_CHECKING:
    from nio_identity_server.endpoints.invitation import StoredInvite
    from nio_identity_server.flows.invitation import InviteReport, OnAttempt, OnResult
    from nio_identity_server.flows.pending_invites import PendingInvite
    from nio_identity_server.invite_link import InviteLink
    from nio_identity_server.threepid import ThreePid


class RoomMaker(Protocol):
    """What else is used of a nio ``AsyncClient``."""

    async def room_create(self, *args: Any, **kwargs: Any) -> Any:
        """Make a room; errors are returned, and 429 is waited out without end."""
        ...


class Inviting(Owning):
    """The part of :class:`IdentityServer` that is about invitations by address."""

    async def invite(self, room_id: str, threepid: ThreePid | str) -> None:
        """Invite whoever has an address into a room.

        Who has bound it is invited at once. Anybody else gets a mail, and the invitation as soon as
        they bind the address; a phone number that nobody has bound cannot be invited.

        Raises:
            InvalidAddress: If it is no address, or a phone number of nobody.
            TermsNotSigned: If the identity server has terms that are not accepted.
            HomeserverError: If the homeserver refused; its 429 has a ``retry_after``.
            OutcomeUnknown: If it may have invited. Synapse says so to whatever the identity server
                refuses, for example to send a mail to this address.
            IdentityServerError: As for :meth:`call`.
        """
        from nio_identity_server.flows.directory import look_up  # noqa: PLC0415
        from nio_identity_server.flows.invitation import invite  # noqa: PLC0415
        from nio_identity_server.threepid import parse_threepid  # noqa: PLC0415

        threepid = parse_threepid(threepid)
        session, user_id = await self._session(), None
        if threepid.medium == "msisdn":  # a homeserver cannot tell that there is nobody
            user_id = (await look_up(session, [threepid])).get(threepid)
        await invite(session, room_id, threepid, user_id)

    async def invite_all(
        self,
        room_id: str,
        addresses: Iterable[ThreePid | str],
        *,
        on_attempt: OnAttempt | None = None,
        on_result: OnResult | None = None,
    ) -> InviteReport:
        """Invite many people into a room, each once.

        All are looked up together. Who is found is invited by user ID, and only the rest by email.
        One who cannot be invited does not keep the others from it. It ends early when the
        homeserver asks for more patience than ``homeserver_timeout``, or when nothing works any
        more, and says who is left.

        Args:
            room_id: The room.
            addresses: Whom to invite.
            on_attempt: Called with the :class:`ThreePid` before each attempt. What it raises ends
                the list, so that a program can write down what it is about to do.
            on_result: Called after each attempt with the :class:`ThreePid`, its user ID or None,
                and the error if it failed. What it raises ends the list.

        Returns:
            An :class:`InviteReport`.

        Raises:
            InvalidAddress: With all positions, before anything is sent.
            IdentityServerError: As for :meth:`lookup`; then nobody was invited.
        """
        from nio_identity_server.flows.directory import look_up  # noqa: PLC0415
        from nio_identity_server.flows.invitation import (  # noqa: PLC0415
            InviteReport,
            invite_all,
        )
        from nio_identity_server.threepid import parse_threepids  # noqa: PLC0415

        threepids = parse_threepids(addresses)
        if not threepids:
            return InviteReport()
        session = await self._session()
        found = await look_up(session, threepids)
        return await invite_all(
            session, room_id, threepids, found, on_attempt=on_attempt, on_result=on_result
        )

    async def room_create(
        self, *, invite_3pid: Iterable[ThreePid | str] = (), **keywords: Any
    ) -> Any:
        """Make a room with nio's ``room_create``, and invite people by their addresses into it.

        The list is not handed to the homeserver: one address that cannot be mailed would lose the
        rest of it, and the room's ID. The addresses, the terms and the lookup come first, so that
        no room is made in vain.

        Args:
            invite_3pid: Addresses.
            **keywords: As for nio's ``AsyncClient.room_create``.

        Returns:
            nio's ``RoomCreateResponse``.

        Raises:
            InvitesFailed: If not everybody could be invited; it has the room's ID and the rest.
            HomeserverError: If no room was made.
            OutcomeUnknown: If there was no answer in time: a room may be there.
            IdentityServerError: As for :meth:`invite_all`; then no room was made.
        """
        from nio_identity_server.flows.directory import look_up  # noqa: PLC0415
        from nio_identity_server.flows.invitation import invite_all  # noqa: PLC0415
        from nio_identity_server.threepid import parse_threepids  # noqa: PLC0415

        threepids = parse_threepids(invite_3pid)
        if not threepids:
            return await self._make_room(keywords)
        session = await self._session()
        found = await look_up(session, threepids)
        response = await self._make_room(keywords)
        # In the same session: if that is over by now, the report says so of everybody.
        report = await invite_all(session, response.room_id, threepids, found)
        if report.missing:
            raise InvitesFailed(response.room_id, report.missing, response)
        return response

    async def store_invite(self, room_id: str, threepid: ThreePid | str) -> StoredInvite:
        """Have the identity server keep an invitation and send a mail, without telling the room.

        For programs that write the room's ``m.room.third_party_invite`` themselves.

        Raises:
            ThreePidInUse: If somebody has bound the address.
            InvalidAddress: If it is no email address.
            IdentityServerError: As for :meth:`call`.
        """
        from nio_identity_server.flows.invitation import store_invite  # noqa: PLC0415
        from nio_identity_server.threepid import parse_threepid  # noqa: PLC0415

        threepid = parse_threepid(threepid)
        session = await self._session()
        return await store_invite(session, room_id, threepid, await session.line.user_id())

    # -- the invitations of a room; only the homeserver is asked

    async def pending_invites(self, room_id: str) -> tuple[PendingInvite, ...]:
        """The invitations by email into a room that were neither accepted nor revoked.

        The room's state forgets who has accepted one as soon as they enter the room; then it is
        listed again until it is revoked, which does not put them out.

        Raises:
            HomeserverError: If the homeserver does not tell.
        """
        from nio_identity_server.flows.pending_invites import pending_invites  # noqa: PLC0415

        return await pending_invites(self._ask_homeserver, room_id)

    async def revoke_invite(self, room_id: str, token: str) -> None:
        """Take an invitation by email back, by the ``token`` of :meth:`pending_invites`.

        Raises:
            HomeserverError: If the homeserver refused.
            OutcomeUnknown: If it may have been taken back.
        """
        from nio_identity_server.flows.pending_invites import revoke_invite  # noqa: PLC0415

        await revoke_invite(self._ask_homeserver, room_id, token)

    # -- accepting one

    async def join_invited(
        self,
        room_id: str | InviteLink,
        *,
        token: str | None = None,
        private_key: str | None = None,
        sender: str | None = None,
        via: Sequence[str] = (),
    ) -> str:
        """Enter a room by an invitation that came by mail, without binding the address.

        Args:
            room_id: The room; or the whole link, from ``InviteLink.parse``, which has the next two.
            token: The invitation's name.
            private_key: Its key.
            sender: The user ID of who invited. If it is known the acceptance is signed here, and no
                identity server is asked. Else the user's identity server signs, if the invitation
                is one of its own.
            via: Names of servers that are in the room, for a homeserver that is not.

        Returns:
            The ID of the room.

        Raises:
            OtherServersInvite: If the link is another identity server's, and no ``sender`` given.
            BadResponse: If the identity server signed something else.
            HomeserverError: If the homeserver refused; 403 if the invitation was revoked or used.
            ValueError: If ``private_key`` is no key.
            IdentityServerError: As for :meth:`call`, if no ``sender`` is given.
        """
        from nio_identity_server.flows.joining import have_invite_signed, join_signed  # noqa: PLC0415
        from nio_identity_server.invite_link import InviteLink  # noqa: PLC0415

        link = room_id if isinstance(room_id, InviteLink) else None
        if link is not None:
            room_id, token, private_key = link.room_id, link.token, link.private_key
        if token is None or private_key is None:
            raise TypeError("join_invited() needs token= and private_key=, or an InviteLink")
        if sender is not None:
            signed = await self.sign_invite(token=token, private_key=private_key, sender=sender)
        else:
            session = await self._session()
            _refuse_other(link, session.line.server)
            user_id = await session.line.user_id()
            signed = await have_invite_signed(session, token, private_key, user_id)
        return await join_signed(self._ask_homeserver, str(room_id), signed, via)

    async def sign_invite(self, *, token: str, private_key: str, sender: str) -> dict[str, Any]:
        """Sign the acceptance of an invitation here: its private key stays on this machine.

        Args:
            token: The invitation's name.
            private_key: Its key.
            sender: The user ID of who invited; the homeserver insists on exactly that.

        Returns:
            What ``third_party_signed`` of a join has to be.

        Raises:
            ValueError: If ``private_key`` is no key.
        """
        from nio_identity_server.flows.joining import sign_invite  # noqa: PLC0415

        user_id = await self._reader.user_id()
        return sign_invite(token, private_key, user_id=user_id, sender=sender)

    async def _make_room(self, keywords: dict[str, Any]) -> Any:
        """Make the room; nio itself would wait for ever, and returns its errors.

        What is raised is raised from here: the frames of nio, and its responses, hold secrets.
        """
        response, trouble = await self._try_to_make_room(keywords)
        if trouble is not None:
            raise trouble
        return response

    async def _try_to_make_room(self, keywords: dict[str, Any]) -> tuple[Any, BaseException | None]:
        homeserver = self._reader.homeserver
        url = homeserver.client.homeserver
        try:
            async with asyncio.timeout(self.config.homeserver_timeout):
                client = cast("RoomMaker", homeserver.client)
                response = await client.room_create(**keywords)
        except TimeoutError:
            reason = f"no answer within {self.config.homeserver_timeout:g} seconds"
        except TypeError:
            raise  # the caller's keywords
        except asyncio.CancelledError as error:
            return None, asyncio.CancelledError(*error.args)
        except Exception as error:  # noqa: BLE001 - promise: only our exceptions come out
            reason = describe(error, self.config.homeserver_timeout)
        else:
            if hasattr(response, "room_id"):
                return response, None
            status = getattr(response.transport_response, "status", None)
            message = homeserver.redact(words.message(response.message))
            refused = status is not None and is_refusal(status)
            kind = HomeserverError if refused else OutcomeUnknown
            return None, kind(status, words.errcode(response.status_code), message, url)
        return None, OutcomeUnknown(None, "M_UNKNOWN", f"room_create: {reason}", url)


def _refuse_other(link: InviteLink | None, server: str) -> None:
    if link is not None and link.base_url != parse_base_url(server):
        raise OtherServersInvite(str(link.base_url), server)
