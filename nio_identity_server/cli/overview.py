"""What ``status`` and ``check`` find out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import msgspec

from nio_identity_server.cli.connection import Connection
from nio_identity_server.cli.endings import ExitCode
from nio_identity_server.cli.explanations import code_of, explain
from nio_identity_server.cli.terminal import green, red
from nio_identity_server.endpoints.terms import Policy
from nio_identity_server.errors import IdentityServerError
from nio_identity_server.flows.inspection import ServerInfo
from nio_identity_server.preference.account_data import (
    Chosen,
    Disabled,
    NotSet,
    Preference,
    Unusable,
)
from nio_identity_server.preference.resolution import Resolution, Source
from nio_identity_server.words import printable

_SOURCES = {
    Source.ACCOUNT_DATA: "the user's choice",
    Source.DEFAULT: "the default of --default",
    Source.WELL_KNOWN: "the default that the user's server name publishes",
}


@attrs.frozen
class Overview:
    """The user's choice, and the server that it leads to.

    Attributes:
        user_id: Whose choice it is.
        homeserver: The homeserver's URL.
        choice: What the user chose.
        resolution: Which server that means.
        info: What the server says of itself; None if there is none, or it does not answer.
        pending: Its policies that the user has not accepted.
        trouble: Why it does not answer, or None.
    """

    user_id: str
    homeserver: str
    choice: Preference
    resolution: Resolution
    info: ServerInfo | None = None
    pending: tuple[Policy, ...] = ()
    trouble: IdentityServerError | None = None

    @property
    def code(self) -> ExitCode:
        """It is no failure of this command that a user has no server; that it is silent is."""
        return ExitCode.DONE if self.trouble is None else code_of(self.trouble)


async def look(connection: Connection) -> Overview:
    """Find out everything, as far as it can be found out."""
    server, client = connection.server, connection.client
    resolution = await server.refresh()
    overview = Overview(client.user_id, client.homeserver, server.preference, resolution)
    if resolution.base_url is None:
        return overview
    try:
        info = await server.check(resolution.base_url)
        pending = await server.pending_terms()
    except IdentityServerError as error:
        return attrs.evolve(overview, trouble=error)
    return attrs.evolve(overview, info=info, pending=pending)


def lines_of(overview: Overview) -> Iterator[tuple[str, str]]:
    """The overview for people: a label and a text for each line."""
    yield "User", printable(overview.user_id)
    yield "Homeserver", overview.homeserver
    yield "Choice", name_of(overview.choice)
    resolution = overview.resolution
    if resolution.refusal is not None:
        yield "In use", f"none: {explain(resolution.refusal)}"
        return
    yield "In use", f"{resolution.base_url} ({_SOURCES[resolution.source]})"
    if overview.trouble is not None:
        yield "Answers", red("no") + f": {explain(overview.trouble)}"
    if overview.info is not None:
        yield "Answers", green("yes") + _versions(overview.info)
        yield "Terms", _terms(overview)


def info_lines(info: ServerInfo) -> Iterator[tuple[str, str]]:
    """What a server says of itself, for people."""
    yield "Base URL", str(info.base_url)
    yield "Answers", green("yes") + _versions(info)
    if not info.policies:
        yield "Terms", "none"
    for policy in info.policies:
        for language, document in policy.documents.items():
            name = f"{printable(document.name)} ({printable(language)})"
            yield "Terms", f"{name}: {document.url}"


def to_json(overview: Overview) -> str:
    """The overview for programs."""
    resolution, info = overview.resolution, overview.info
    refusal = overview.trouble or resolution.refusal
    return _encode(
        {
            "user_id": overview.user_id,
            "homeserver": overview.homeserver,
            "choice": kind_of(overview.choice),
            "base_url": None if resolution.base_url is None else str(resolution.base_url),
            "source": resolution.source.value,
            "trouble": None if refusal is None else explain(refusal),
            "versions": None if info is None else info.versions,
            "pending_terms": None if info is None else [each.name for each in overview.pending],
        }
    )


def info_to_json(info: ServerInfo) -> str:
    """What a server says of itself, for programs."""
    policies = _policies(info.policies)
    return _encode(
        {"base_url": str(info.base_url), "versions": info.versions, "policies": policies}
    )


def policies_to_json(policies: Iterable[Policy]) -> str:
    """Terms, for programs."""
    return _encode({"policies": _policies(policies)})


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _policies(policies: Iterable[Policy]) -> dict[str, Any]:
    return {
        policy.name: {"version": policy.version, "documents": dict(policy.documents)}
        for policy in policies
    }


def kind_of(choice: Preference) -> str:
    """What kind of choice it is, for programs."""
    names = {Chosen: "chosen", NotSet: "not set", Disabled: "disabled", Unusable: "unusable"}
    return names[type(choice)]


def name_of(choice: Preference) -> str:
    """The choice for people."""
    match choice:
        case Chosen():
            return str(choice.base_url)
        case Disabled():
            return "switched off"
        case Unusable():
            return f"cannot be used, so it counts as switched off: {choice.reason}"
        case _:
            return "none"


def _versions(info: ServerInfo) -> str:
    return f" ({', '.join(map(printable, info.versions[-1:]))})" if info.versions else ""


def _terms(overview: Overview) -> str:
    if not overview.pending:
        return "accepted" if overview.info and overview.info.policies else "none"
    names = ", ".join(printable(policy.name) for policy in overview.pending)
    return f'{red("not accepted")}: {names}; "terms" shows and accepts them'
