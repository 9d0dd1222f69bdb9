"""Where identity-server tokens outlive the process."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from nio_identity_server.client.private_file import replace_private_file


@attrs.define(eq=False)
class MemoryTokenStore:
    """Keeps tokens for as long as the process lives, to be shared by several clients."""

    _tokens: dict[tuple[str, str], str] = attrs.field(factory=dict, init=False, repr=False)

    def load(self, user_id: str, base_url: str) -> str | None:
        """The token of this user at this server, or None."""
        return self._tokens.get((user_id, base_url))

    def save(self, user_id: str, base_url: str, token: str | None) -> None:
        """Keep a token in place of an older one; None forgets it."""
        if token is None:
            self._tokens.pop((user_id, base_url), None)
        else:
            self._tokens[user_id, base_url] = token


@attrs.frozen(eq=False)
class FileTokenStore:
    """Keeps tokens in a file that only its owner can read.

    The file is replaced as a whole: it holds the old tokens or the new ones, never half of them.
    One that somebody else could read or write, or that is a link, is refused.

    Attributes:
        path: The file; its folder must exist.
    """

    path: Path = attrs.field(converter=Path)

    def load(self, user_id: str, base_url: str) -> str | None:
        """The token of this user at this server, or None.

        Raises:
            PermissionError: If others can read or write the file, or it is not ours.
            ValueError: If it is no token file.
        """
        return self._read().get(user_id, {}).get(base_url)

    def save(self, user_id: str, base_url: str, token: str | None) -> None:
        """Keep a token in place of an older one; None forgets it.

        Raises:
            PermissionError: As for :meth:`load`.
            OSError: If the file cannot be written; it is as it was.
        """
        with self._locked():
            self._save(user_id, base_url, token)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes out between reading the file and replacing it."""
        lock = self.path.with_name(f".{self.path.name}.lock")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(lock, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _save(self, user_id: str, base_url: str, token: str | None) -> None:
        tokens = self._read()
        if tokens.get(user_id, {}).get(base_url) == token:
            return
        of_user = tokens.setdefault(user_id, {})
        if token is None:
            of_user.pop(base_url)
        else:
            of_user[base_url] = token
        kept = {user: servers for user, servers in tokens.items() if servers}
        replace_private_file(self.path, json.dumps(kept))

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            # O_NOFOLLOW: a link that somebody laid there would lead to a file of theirs.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return {}
        with os.fdopen(descriptor, "rb") as file:
            _check_private(os.fstat(file.fileno()), self.path)
            return _decode(file.read(), self.path)


def _check_private(status: os.stat_result, path: Path) -> None:
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise PermissionError(
            f"{path} holds tokens and must be readable by its owner only: chmod 600 {path}"
        )


def _decode(data: bytes, path: Path) -> dict[str, dict[str, str]]:
    try:
        tokens = json.loads(data)
    except (ValueError, RecursionError):
        tokens = None
    if not isinstance(tokens, dict) or not all(map(_is_text_map, tokens.values())):
        raise ValueError(f"{path} is no token file")
    return tokens


def _is_text_map(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
