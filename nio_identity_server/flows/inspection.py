"""Looking at an identity server without becoming its user."""

from __future__ import annotations

import attrs

from nio_identity_server.base_url import BaseUrl
from nio_identity_server.endpoints.discovery import GetVersions, Ping
from nio_identity_server.endpoints.terms import GetTerms, Policy
from nio_identity_server.errors import MatrixError
from nio_identity_server.flows.line import Ask


@attrs.frozen
class ServerInfo:
    """What an identity server says of itself.

    Attributes:
        base_url: Its base URL.
        versions: The versions of the specification that it supports; empty if it does not say
            (the request is younger than many servers).
        policies: Its terms; empty if it has none.
    """

    base_url: BaseUrl
    versions: tuple[str, ...]
    policies: tuple[Policy, ...]


async def inspect(base_url: BaseUrl, ask: Ask) -> ServerInfo:
    """Make sure that a server answers as an identity server, and ask what it offers.

    No token and nothing of the user is sent.
    """
    await ask(Ping())
    try:
        versions = (await ask(GetVersions())).versions
    except MatrixError as error:
        if not _is_missing(error):
            raise
        versions = ()
    return ServerInfo(base_url, versions, await offered_policies(ask))


async def offered_policies(ask: Ask) -> tuple[Policy, ...]:
    """The policies of the server; none if it answers 404 or 405 (ma1sd#39)."""
    try:
        return (await ask(GetTerms())).offered
    except MatrixError as error:
        if not _is_missing(error):
            raise
    return ()


def _is_missing(error: MatrixError) -> bool:
    return error.status in {404, 405}
