"""Where tokens may outlive the process, as the application decides."""

from __future__ import annotations

import logging
from typing import Protocol

from nio_identity_server.secret import Secret

_log = logging.getLogger("nio_identity_server")


class TokenStore(Protocol):
    """Keeps identity-server tokens, each under the user and the server that it belongs to."""

    def load(self, user_id: str, base_url: str) -> str | None:
        """The token of this user at this server, or None."""
        ...

    def save(self, user_id: str, base_url: str, token: str | None) -> None:
        """Keep a token in place of an older one; None forgets it."""
        ...


def keep_token(store: TokenStore | None, user_id: str, base_url: str, token: Secret | None) -> None:
    """Keep a token, or forget it; a store that fails does not stop what is going on."""
    if store is None:
        return
    trouble = ""
    try:
        store.save(user_id, base_url, None if token is None else token.reveal())
    except Exception as error:  # noqa: BLE001 - the application's
        trouble = type(error).__name__  # and no more: its frames hold the token
    if trouble:
        _log.warning("the token store failed (%s); tokens live in memory only", trouble)
