"""The login: from a file, from the environment, or from whoever sits there.

Never from the command line, which everybody on the machine can read.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import click
import msgspec
from yarl import URL

from nio_identity_server.cli.endings import ExitCode, Failure
from nio_identity_server.cli.folders import settings_folder
from nio_identity_server.cli.terminal import note

HOMESERVER = "MATRIX_HOMESERVER"
ACCESS_TOKEN = "MATRIX_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
USER_ID = "MATRIX_USER_ID"


@attrs.frozen
class Credentials:
    """A login that exists.

    The names are those of matrix-commander's ``credentials.json``; what else stands there is left
    alone.

    Attributes:
        homeserver: The URL of the homeserver.
        access_token: Proves to it who asks.
        user_id: Whose it is; the homeserver is asked if it is empty.
    """

    homeserver: str
    access_token: str = attrs.field(repr=False)
    user_id: str = ""


def find_credentials(file: Path | None, environ: Mapping[str, str]) -> Credentials:
    """Find the login.

    Args:
        file: A file that was named, or None.
        environ: The variables of the environment.

    Raises:
        Failure: If there is none, or it cannot be one.
    """
    kept = settings_folder() / "credentials.json"
    if file is not None:
        found = _read(file)
    elif environ.get(HOMESERVER) and environ.get(ACCESS_TOKEN):
        found = Credentials(environ[HOMESERVER], environ[ACCESS_TOKEN], environ.get(USER_ID, ""))
    elif environ.get(HOMESERVER) or environ.get(ACCESS_TOKEN):
        # Whose login the other half would be taken from is anybody's guess.
        raise _no_login(f"set both {HOMESERVER} and {ACCESS_TOKEN}, or neither")
    elif kept.exists():
        found = _read(kept)
    elif sys.stdin.isatty():
        found = _ask()
    else:
        raise _no_login(f"set {HOMESERVER} and {ACCESS_TOKEN}, or name a file with --credentials")
    return _checked(found)


def _ask() -> Credentials:
    return Credentials(
        click.prompt("Homeserver URL", err=True),
        click.prompt("Access token", hide_input=True, err=True),
    )


def _read(file: Path) -> Credentials:
    try:
        with file.open("rb") as opened:
            if stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o077:
                note(f"warning: {file} can be read by others: chmod 600 {file}")
            return msgspec.json.decode(opened.read(), type=Credentials)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass  # its message could repeat the token
    raise _no_login(f"{file} is no JSON with homeserver and access_token, as matrix-commander has")


def _checked(found: Credentials) -> Credentials:
    """Make sure that it can be sent: what cannot be a header shows itself in the error."""
    token = found.access_token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise _no_login("the access token is empty, or no token")
    if not _is_url(found.homeserver):
        raise _no_login("the homeserver is no URL like https://matrix.example.org")
    return attrs.evolve(found, access_token=token, homeserver=found.homeserver.rstrip("/"))


def _is_url(text: Any) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in {"https", "http"} and bool(url.host) and not url.user and not url.query


def _no_login(reason: str) -> Failure:
    return Failure(f"no login: {reason}", ExitCode.HOMESERVER)
