"""Asking: the terms of the user's server, lookups, and any other call."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterable
from typing import TYPE_CHECKING, Literal

from nio_identity_server.client.choosing import Choosing
from nio_identity_server.endpoint import Endpoint, Receiver, Reply

if TYPE_CHECKING:
    from nio_identity_server.endpoints.terms import Policy
    from nio_identity_server.flows.directory import Directory, Found
    from nio_identity_server.flows.keys import Signed
    from nio_identity_server.threepid import ThreePid


class Asking(Choosing):
    """The part of :class:`IdentityServer` that asks the user's server."""

    async def call(self, endpoint: Endpoint[Reply]) -> Reply:
        """Send one request of :mod:`nio_identity_server.endpoints` to the user's server.

        If it needs a token, the terms are looked at first and the user is registered.

        Raises:
            NotConfirmed: If the user's choice cannot be learned.
            IdentityDisabled: If the user wants no identity server.
            NoIdentityServer: If the user chose none and there is no default.
            IdentityServerChanged: If the choice changes before the answer is here.
            TermsNotSigned: If the server has terms that are not accepted.
            CannotConnect, MatrixError, BadResponse, ForbiddenAddress: See there.
            TypeError: If the endpoint is one of the homeserver's.
        """
        if not isinstance(endpoint, Endpoint):
            raise TypeError("call() takes an endpoint with its fields, such as GetVersions()")
        if endpoint.receiver is not Receiver.IDENTITY_SERVER:
            raise TypeError(f"{type(endpoint).__name__} is not for the identity server")
        return await (await self._session()).ask(endpoint)

    async def pending_terms(self) -> tuple[Policy, ...]:
        """The server's policies that the user has accepted in no client; empty if there are none.

        Raises:
            IdentityServerError: As for :meth:`call`.
        """
        return await (await self._session()).pending_terms()

    async def accept_terms(self, urls: Collection[str]) -> None:
        """Accept policies, each by the URL of the document that the user was shown.

        The server is told, then ``m.accepted_terms``, so that no client asks again. Some policies
        may stay pending.

        Args:
            urls: URLs of documents of :meth:`pending_terms`.

        Raises:
            TermsNotOffered: If the server does not offer one of them; nothing was accepted.
            IdentityServerError: As for :meth:`call`.
        """
        if isinstance(urls, str):
            raise TypeError("accept_terms() takes a list of URLs, not one string")
        await (await self._session()).accept_terms(tuple(urls))

    async def lookup(
        self,
        addresses: Iterable[ThreePid | str],
        *,
        allow_plaintext: bool = False,
        invalid: Literal["raise", "skip"] = "raise",
    ) -> Found:
        """Find out who of these addresses is on Matrix.

        Any number of addresses: they are sent hashed, 5,000 in a request. Hashing keeps addresses
        from a casual eye only; whoever runs the server can find out every phone number.

        Args:
            addresses: :class:`ThreePid` or plain texts: an ``@`` makes an email address, a ``+`` in
                front a phone number.
            allow_plaintext: Send addresses in the clear if the server takes no hashes.
            invalid: What to do about texts that are no addresses.

        Returns:
            A mapping from :class:`ThreePid` to user ID that can be asked by any spelling. What the
            server says is its claim: anyone may bind any user. Its ``duplicates`` are the addresses
            that were given more than once: they are asked about once, and their number is logged
            before anything is sent.

        Raises:
            InvalidAddress: With all positions, before anything is sent.
            HashingNotSupported: If the server takes no hashes.
            IdentityServerError: As for :meth:`call`.
        """
        return await self._directory(allow_plaintext, invalid).find(addresses)

    def lookup_stream(
        self,
        addresses: Iterable[ThreePid | str] | AsyncIterable[ThreePid | str],
        *,
        allow_plaintext: bool = False,
        invalid: Literal["raise", "skip"] = "raise",
    ) -> AsyncIterator[tuple[ThreePid, str]]:
        """Like :meth:`lookup`, for more addresses than one wants to hold in memory.

        Args:
            addresses: A sync or async iterable; it is read as answers arrive.
            allow_plaintext: As for :meth:`lookup`.
            invalid: As for :meth:`lookup`; a bad address raises when it is reached.

        Yields:
            Each address that is on Matrix, with its user ID.
        """
        return self._directory(allow_plaintext, invalid).stream(addresses)

    # -- keys

    async def verify(self, signed: Signed) -> None:
        """Make sure that the user's server has signed something with a key that is valid now.

        Args:
            signed: An ``Association``, a ``SignedInvite``, or a JSON object with ``signatures``.

        Raises:
            BadSignature: If it has not.
            IdentityServerError: As for :meth:`call`.
        """
        from nio_identity_server.flows.keys import verify  # noqa: PLC0415

        await verify((await self._session()).ask, signed)

    async def is_valid_key(self, public_key: str) -> bool:
        """Tell whether the user's server knows a key, its own or an invitation's, as valid.

        Args:
            public_key: The exact string that the server or the room told, in whichever alphabet of
                base64.
        """
        from nio_identity_server.flows.keys import is_valid_key  # noqa: PLC0415

        return await is_valid_key((await self._session()).ask, public_key)

    def _directory(self, allow_plaintext: bool, invalid: str) -> Directory:  # noqa: FBT001
        from nio_identity_server.flows.directory import Directory  # noqa: PLC0415 - as in choosing

        return Directory(self._session, allow_plaintext, invalid)
