"""The stage of the embedded servers."""

from __future__ import annotations

import itertools
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import attrs

from nio_identity_server.testing import Hold, Mail, MatrixHomeserver, MatrixIdentityServer
from tests.raw_server import Certificates
from tests.scenarios.plain_client import PASSWORD, User
from tests.scenarios.stage import News, Stage, crowd_bindings, terms
from tests.scenarios.wiretap import Wiretap

_ROOM = "!room:example.test"


@attrs.frozen
class EmbeddedStage:
    """A :class:`Stage` in this process."""

    homeserver: Wiretap
    identity_server: Wiretap
    tls: ssl.SSLContext
    certificates: Certificates
    home: MatrixHomeserver
    directory: MatrixIdentityServer
    _holds: list[Hold] = attrs.field(factory=list)
    _versions: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))

    @property
    def home_url(self) -> str:
        """The homeserver itself."""
        return self.home.url

    @property
    def directory_url(self) -> str:
        """The wiretap, which the homeserver knows."""
        return self.identity_server.url

    async def user(self, name: str) -> User:
        """Register somebody new."""
        account = self.home.register(name, PASSWORD)
        return User(account.user_id, account.access_token, account.device_id)

    async def send(self, news: News, user: User) -> None:
        """Let something happen."""
        if news == "to-device message":
            self.home.send_to_device(user.user_id, "test.news", {"n": 1})
        elif news == "message":
            self.home.add_message(user.user_id, _ROOM, "news")
        else:
            self.home.invite(user.user_id, _ROOM)

    async def bind(self, address: str, user: User) -> None:
        """Bind without any validation."""
        medium = "msisdn" if address.startswith("+") else "email"
        self.directory.bind(medium, address.removeprefix("+"), user.user_id)

    async def bind_crowd(self) -> None:
        """Bind every tenth."""
        for address, user_id in crowd_bindings(self.home.server_name).items():
            self.directory.bind("email", address, user_id)

    async def rotate_pepper(self) -> None:
        """Take another pepper."""
        self.directory.rotate_pepper()

    async def revoke_tokens(self, user: User) -> None:
        """End the tokens of a user."""
        tokens = self.directory.tokens
        self.directory.live_tokens.difference_update(
            [token for token, owner in tokens.items() if owner == user.user_id]
        )

    async def require_terms(self) -> str:
        """Require the next version."""
        version = str(next(self._versions))
        self.directory.require_terms(terms(version))
        return version

    async def stop_identity_server(self) -> None:
        """Stop listening."""
        await self.directory.stop()

    async def start_identity_server(self) -> None:
        """Listen again."""
        await self.directory.start()

    async def hang_identity_server(self) -> None:
        """Hold every answer."""
        self._holds.append(self.directory.hold())

    async def wake_identity_server(self) -> None:
        """Let them go."""
        self._holds.pop().release()

    def authority(self, folder: Path) -> Path:
        """Write it."""
        return self.certificates.write(folder / "authority.pem")

    def refuse_mail(self, address: str) -> None:
        """Refuse it."""
        self.directory.refuse_mail(address)

    def code(self, address: str) -> str:
        """Read the post."""
        if address.startswith("+"):
            return next(e.token for e in reversed(self.directory.sms) if e.number == address[1:])
        return self._mail(address, "validation").token

    def posts(self, address: str) -> int:
        """Count it."""
        if address.startswith("+"):
            return sum(sms.number == address[1:] for sms in self.directory.sms)
        return sum(mail.address == address for mail in self.directory.mails)

    def invite_link(self, address: str) -> str:
        """Read the mail."""
        link = self._mail(address, "invitation").link
        return link.replace(quote(self.directory.url, safe=""), quote(self.directory_url, safe=""))

    def _mail(self, address: str, kind: str) -> Mail:
        mails = [each for each in self.directory.mails if each.address == address]
        return next(each for each in reversed(mails) if each.kind == kind)

    def issued_tokens(self) -> Iterable[str]:
        """The tokens that work."""
        return tuple(self.directory.live_tokens)


@asynccontextmanager
async def embedded_stage(certificates: Certificates) -> AsyncIterator[Stage]:
    """Start everything."""
    async with AsyncExitStack() as opened:
        home = await opened.enter_async_context(MatrixHomeserver())
        directory = await opened.enter_async_context(MatrixIdentityServer(home))
        outside = certificates.server("localhost")
        wiretap = await opened.enter_async_context(
            Wiretap(urlsplit(directory.url).port, outside=outside)
        )
        home.add_identity_server(directory, wiretap.url.removeprefix("https://"))
        yield EmbeddedStage(
            homeserver=await opened.enter_async_context(Wiretap(urlsplit(home.url).port)),
            identity_server=wiretap,
            tls=certificates.client,
            certificates=certificates,
            home=home,
            directory=directory,
        )
