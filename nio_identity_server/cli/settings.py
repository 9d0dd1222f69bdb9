"""What holds for every command: who asks, and how."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    import ssl

    from nio_identity_server.cli.credentials import Credentials


@attrs.frozen(kw_only=True)
class Settings:
    """The options of the program itself.

    Attributes:
        credentials_file: The file with the login, or None to look elsewhere.
        default: The base URL of the server to use while the user has chosen none, or None for what
            the user's server name publishes.
        trust: Base URLs that may be ``http`` or private.
        ca: A file of certificates to trust instead of the system's, or None.
        proxy: The URL of a proxy, or None.
        verbose: Whether to say more.
    """

    credentials_file: Path | None = None
    default: str | None = None
    trust: tuple[str, ...] = ()
    ca: Path | None = None
    proxy: str | None = attrs.field(default=None, repr=False)  # it may hold a password
    verbose: bool = False

    @cached_property
    def credentials(self) -> Credentials:
        """The login; whoever sits there is asked for it at most once.

        Raises:
            Failure: If there is none.
        """
        from nio_identity_server.cli.credentials import find_credentials  # noqa: PLC0415

        return find_credentials(self.credentials_file, os.environ)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """How to verify certificates.

        Raises:
            OSError: If ``ca`` is no file of certificates.
        """
        import ssl  # noqa: PLC0415 - as in program

        context = ssl.create_default_context(cafile=self.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
