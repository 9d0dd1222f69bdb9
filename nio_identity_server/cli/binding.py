"""Binding an address, in two runs of the program if need be."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import attrs

from nio_identity_server.cli.connection import Connection
from nio_identity_server.cli.endings import ExitCode, Failure
from nio_identity_server.cli.folders import state_folder
from nio_identity_server.client.private_file import replace_private_file
from nio_identity_server.errors import IdentityServerChanged, ValidationExpired
from nio_identity_server.pending_validation import PendingValidation
from nio_identity_server.phone import country_of
from nio_identity_server.threepid import ThreePid, parse_threepid


@attrs.frozen
class Begun:
    """A validation that has begun.

    Attributes:
        validation: What to go on with.
        is_new: Whether a mail or SMS was sent just now.
    """

    validation: PendingValidation
    is_new: bool

    @property
    def is_email(self) -> bool:
        """Whether it was a mail."""
        return self.validation.threepid.medium == "email"


async def begin(
    connection: Connection, address: str, country: str | None, *, resend: bool
) -> Begun:
    """Have a mail or SMS sent, unless one was sent by an earlier run.

    Args:
        connection: Whose address it is.
        address: The address.
        country: The country of a phone number.
        resend: Whether to send again.
    """
    threepid, server = parse_threepid(address), connection.server
    kept = _kept(connection, threepid)
    resolution = await server.resolve()
    if kept is not None and kept.base_url == resolution.base_url:
        if not resend:
            return Begun(kept, is_new=False)
        validation = await server.resend(kept)
    else:
        validation = await server.request_token(threepid, country=country or _country(threepid))
    _keep(connection, validation)
    return Begun(validation, is_new=True)


async def end(
    connection: Connection, validation: PendingValidation, token: str | None, patience: float
) -> None:
    """Show that the mail or SMS was read, and bind the address.

    Args:
        connection: Whose address it is.
        validation: What was begun.
        token: The token of the SMS; None to wait for the link of a mail.
        patience: Seconds to wait.
    """
    server = connection.server
    try:
        if token is None:
            await server.wait_until_validated(validation, timeout=patience)
        else:
            await server.submit_token(validation, token)
        await server.bind(validation)
    except (IdentityServerChanged, ValidationExpired):
        _file(connection, validation.threepid).unlink(missing_ok=True)
        raise
    _file(connection, validation.threepid).unlink(missing_ok=True)


def _country(threepid: ThreePid) -> str | None:
    if threepid.medium == "email":
        return None
    country = country_of(threepid)
    if country is None:
        raise Failure("name the country of the number with --country", ExitCode.USAGE)
    return country


def _file(connection: Connection, threepid: ThreePid) -> Path:
    """Where a validation is kept; the name of the file does not tell the address."""
    whose = f"{connection.client.user_id} {threepid.medium} {threepid.address}"
    digest = hashlib.sha256(whose.encode()).hexdigest()
    return state_folder() / f"validation-{digest[:32]}.json"


def _keep(connection: Connection, validation: PendingValidation) -> None:
    replace_private_file(_file(connection, validation.threepid), validation.to_json())


def _kept(connection: Connection, threepid: ThreePid) -> PendingValidation | None:
    try:
        validation = PendingValidation.from_json(_file(connection, threepid).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return validation if validation.expires_at > time.time() else None
