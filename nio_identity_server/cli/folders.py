"""Where this program keeps things, as the system wants it."""

from __future__ import annotations

from pathlib import Path

import platformdirs

_NAME = "nio-identity-server"


def settings_folder() -> Path:
    """The folder of what the user has written; it need not exist."""
    return platformdirs.user_config_path(_NAME)


def state_folder() -> Path:
    """The folder of what the program remembers: tokens, and validations that have begun.

    Raises:
        OSError: If it cannot be made.
    """
    folder = platformdirs.user_state_path(_NAME)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
