"""Accepting an identity server's terms, once for all of the user's clients.

https://spec.matrix.org/v1.16/identity-service-api/#terms-of-service, MSC2140
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextvars import ContextVar

import attrs

from nio_identity_server.endpoints.homeserver import GetAccountData, SetAccountData
from nio_identity_server.endpoints.terms import AgreeToTerms, Policy
from nio_identity_server.errors import (
    HomeserverError,
    TermsNotOffered,
    TermsNotSigned,
)
from nio_identity_server.flows.inspection import offered_policies
from nio_identity_server.flows.line import Line
from nio_identity_server.preference.account_data import (
    ACCEPTED_TERMS,
    read_accepted_terms,
    with_accepted_terms,
)
from nio_identity_server.secret import Secret

Answer = Collection[str] | bool | None
AcceptTerms = Callable[[tuple[Policy, ...]], Answer | Awaitable[Answer]]
"""Told the pending policies, it answers the URLs that the user accepts, True for all, or None."""

ASKING: ContextVar[Line | None] = ContextVar("ASKING", default=None)
"""The line on whose behalf the application is being asked, in the task that asks."""

_TRIES = 3

_log = logging.getLogger("nio_identity_server")


@attrs.frozen
class Agreement:
    """What is to be told to the server.

    Attributes:
        post: Every URL that the user has accepted and that this server offers, new or not: what was
            accepted in another client, or at another server, this server may not know.
        new: Those of them that were accepted just now.
    """

    post: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


async def accepted_urls(line: Line) -> tuple[str, ...]:
    """What the user has accepted in any client, by ``m.accepted_terms``."""
    return read_accepted_terms(await _read(line))


async def _read(line: Line) -> object:
    try:
        return await line.ask_homeserver(GetAccountData(await line.user_id(), ACCEPTED_TERMS))
    except HomeserverError as error:
        if not error.is_absence:
            raise
    return {}


def pending_policies(policies: Iterable[Policy], accepted: Collection[str]) -> tuple[Policy, ...]:
    """The policies of which no language has been accepted."""
    known = frozenset(accepted)
    return tuple(policy for policy in policies if not known & _urls(policy))


async def agree(line: Line, policies: Sequence[Policy], accept: AcceptTerms | None) -> Agreement:
    """Find out what to accept, asking the application about what is pending.

    Raises:
        TermsNotSigned: If something stays pending.
        TermsNotOffered: If the application accepts what was not offered.
    """
    if not policies:
        return Agreement()
    accepted = await accepted_urls(line)
    pending = pending_policies(policies, accepted)
    new = await _ask_application(pending, accept, line) if pending and accept else ()
    agreement = _agreement(policies, accepted, new)
    still_pending = pending_policies(policies, agreement.post)
    if still_pending:
        raise TermsNotSigned(still_pending, line.server)
    return agreement


async def accept_urls(line: Line, urls: Collection[str]) -> Agreement:
    """What to tell the server when the user accepts these URLs, perhaps not all that are pending.

    Raises:
        TermsNotOffered: If one of them is not offered.
    """
    policies = await offered_policies(line.say)
    _check_offered(urls, policies, line)
    return _agreement(policies, await accepted_urls(line), tuple(urls))


async def sign(line: Line, token: Secret, agreement: Agreement) -> None:
    """Tell the server, then all of the user's clients."""
    if agreement.post:
        await line.say(AgreeToTerms(user_accepts=agreement.post), token)
    if agreement.new:
        await _remember(line, agreement.new)


async def _remember(line: Line, urls: Sequence[str]) -> None:
    """Append to ``m.accepted_terms``, read freshly, and look whether another client overwrote it.

    The server knows already, so failing here costs at most a question asked twice.
    """
    try:
        user_id = await line.user_id()
        for _ in range(_TRIES):
            known = await _read(line)
            if set(urls) <= set(read_accepted_terms(known)):
                return
            content = with_accepted_terms(known, urls)
            await line.ask_homeserver(SetAccountData(user_id, ACCEPTED_TERMS, content))
    except HomeserverError as error:
        _log.warning("accepted terms could not be noted in the account data: %s", error)


async def _ask_application(
    pending: tuple[Policy, ...], accept: AcceptTerms, line: Line
) -> tuple[str, ...]:
    asking = ASKING.set(line)
    try:
        answer = accept(pending)
        if inspect.isawaitable(answer):
            answer = await line.within(answer)
    finally:
        ASKING.reset(asking)
    if answer is True:
        return tuple(url for policy in pending for url in _preferred(policy))
    if answer is None or answer is False:
        return ()  # the user says no
    if isinstance(answer, str):
        raise TypeError("accept_terms= answers a list of URLs, not one string")
    urls = tuple(answer)
    _check_offered(urls, pending, line)
    return urls


def _preferred(policy: Policy) -> tuple[str, ...]:
    """The URL of the English document, else of the first; none if no document is usable."""
    first = next(iter(policy.documents.values()), None)
    document = policy.documents.get("en", first)
    return () if document is None else (document.url,)


def _agreement(
    policies: Iterable[Policy], accepted: Collection[str], new: Sequence[str]
) -> Agreement:
    offered = frozenset[str]().union(*map(_urls, policies))
    both = dict.fromkeys([*accepted, *new])
    return Agreement(
        tuple(url for url in both if url in offered),
        tuple(url for url in new if url not in accepted),
    )


def _check_offered(urls: Collection[str], policies: Iterable[Policy], line: Line) -> None:
    offered = frozenset[str]().union(*map(_urls, policies))
    for url in urls:
        if url not in offered:
            raise TermsNotOffered(url, line.server)


def _urls(policy: Policy) -> frozenset[str]:
    return frozenset(document.url for document in policy.documents.values())
