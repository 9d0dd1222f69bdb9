"""What a story needs of the servers that it is played in front of."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol

from tests.scenarios.plain_client import User
from tests.scenarios.wiretap import Wiretap

News = Literal["to-device message", "message", "invitation"]

CROWD = 25_000
"""People with an address; every tenth of them has bound it."""


class Stage(Protocol):
    """A homeserver and an identity server, each with a wiretap in front."""

    @property
    def homeserver(self) -> Wiretap:
        """The wire into the homeserver, plain HTTP."""
        ...

    @property
    def identity_server(self) -> Wiretap:
        """The wire into the identity server, with TLS."""
        ...

    @property
    def tls(self) -> ssl.SSLContext:
        """Trusts the identity server's certificate."""
        ...

    @property
    def home_url(self) -> str:
        """The homeserver itself, for what other clients do."""
        ...

    @property
    def directory_url(self) -> str:
        """The identity server's base URL as homeservers know it, past the wiretap if need be."""
        ...

    async def user(self, name: str) -> User:
        """Register somebody new."""
        ...

    async def send(self, news: News, user: User) -> None:
        """Let something happen to a user that the next sync will tell."""
        ...

    async def bind(self, address: str, user: User) -> None:
        """Let a user bind an email address or, with a plus in front, a phone number."""
        ...

    async def bind_crowd(self) -> None:
        """Let every tenth of the crowd bind their address."""
        ...

    async def rotate_pepper(self) -> None:
        """Hash everything with another pepper."""
        ...

    async def revoke_tokens(self, user: User) -> None:
        """End the identity server's tokens of a user."""
        ...

    async def require_terms(self) -> str:
        """Require a new version of the terms from everybody; gives the version."""
        ...

    async def stop_identity_server(self) -> None:
        """Stop the identity server; whoever comes is hung up on."""
        ...

    async def start_identity_server(self) -> None:
        """Start it again."""
        ...

    async def hang_identity_server(self) -> None:
        """Let the identity server take requests and answer none."""
        ...

    async def wake_identity_server(self) -> None:
        """Let it answer again."""
        ...

    def authority(self, folder: Path) -> Path:
        """A file with the authority that signed the identity server's certificate."""
        ...

    def refuse_mail(self, address: str) -> None:
        """Make sure that an address that begins with ``reject`` gets no mail."""
        ...

    def code(self, address: str) -> str:
        """The token in the last mail, or SMS for a number with a plus in front, to an address."""
        ...

    def posts(self, address: str) -> int:
        """How many mails, or SMS, an address has got."""
        ...

    def invite_link(self, address: str) -> str:
        """The link of the last invitation that an address has got by mail."""
        ...

    def issued_tokens(self) -> Iterable[str]:
        """The tokens of the identity server that work now."""
        ...


def crowd() -> Iterator[str]:
    """The addresses of the crowd."""
    return (f"person{number}@crowd.example" for number in range(CROWD))


def crowd_bindings(server_name: str) -> dict[str, str]:
    """Who of the crowd is on Matrix."""
    return {
        address: f"@person{number}:{server_name}"
        for number, address in enumerate(crowd())
        if number % 10 == 0
    }


def terms_url(document: str, version: str, language: str = "en") -> str:
    """The address of one document of the terms."""
    return f"https://localhost/{document}-{version}-{language}.html"


def terms(version: str) -> Mapping[str, Mapping[str, object]]:
    """The terms of a version, as an identity server shows them."""
    names = {"terms_of_service": "Terms of Service", "privacy_policy": "Privacy Policy"}
    return {
        document: {
            "version": version,
            **{
                language: {
                    "name": f"{name} ({language})",
                    "url": terms_url(document, version, language),
                }
                for language in ("en", "fr")
            },
        }
        for document, name in names.items()
    }
