"""The stage of a real Synapse and a real Sydent, which run through all stories."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import attrs

from tests.real.servers.mail_sink import Mail
from tests.real.servers.stack import RealServers
from tests.scenarios.plain_client import PASSWORD, User, demand
from tests.scenarios.stage import News, Stage, crowd_bindings
from tests.scenarios.validation import bind_by_validation
from tests.scenarios.wiretap import Wiretap

_INSERT = """\
INSERT INTO global_threepid_associations
(medium, address, mxid, ts, notBefore, notAfter, originServer, originId, sgAssoc)
VALUES ('email', ?, ?, ?, 0, ?, 'test', ?, '')
"""


@contextlib.contextmanager
def running(servers: RealServers) -> Iterator[RealServers]:
    """Run servers for tests of any event loop; a thread starts and stops them in its own."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, servers.__aenter__()).result()
        try:
            yield servers
        finally:
            thread.submit(asyncio.run, servers.__aexit__(None, None, None)).result()


@attrs.define
class Backstage:
    """The servers, and what earlier stories have left there.

    Attributes:
        servers: They run.
        has_terms: Whether Sydent has terms.
        has_crowd: Whether the crowd is bound.
        numbers: Makes names and versions that were never used before.
    """

    servers: RealServers
    has_terms: bool = False
    has_crowd: bool = False
    numbers: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))

    @property
    def tls(self) -> ssl.SSLContext:
        """Trusts the servers' certificates."""
        return ssl.create_default_context(cafile=self.servers.ca_file)

    def outside(self) -> ssl.SSLContext:
        """Shows the servers' certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificates = self.servers.certificates
        context.load_cert_chain(certificates.certificate, certificates.key)
        return context

    async def no_terms(self) -> None:
        """Take the terms away; that needs a restart, so it is done only if somebody minds."""
        if self.has_terms:
            await self.servers.require_terms(None)
            self.has_terms = False


@attrs.frozen
class RealStage:
    """A :class:`Stage` of real servers; users are new in each story."""

    homeserver: Wiretap
    identity_server: Wiretap
    tls: ssl.SSLContext
    backstage: Backstage

    @property
    def home_url(self) -> str:
        """Synapse itself."""
        return self.backstage.servers.homeserver_url

    @property
    def directory_url(self) -> str:
        """Sydent's own proxy: Sydent compares its name, port included, with what Synapse signs."""
        return self.backstage.servers.identity_server_url

    async def user(self, name: str) -> User:
        """Register somebody new."""
        name = f"{name}{next(self.backstage.numbers)}"
        return User(*await self.backstage.servers.register_user(name, password=PASSWORD))

    async def send(self, news: News, user: User) -> None:
        """Have a friend send something."""
        friend = await self.user("friend")
        api, token = f"{self.home_url}/_matrix/client/v3", friend.access_token
        if news == "to-device message":
            messages = {"messages": {user.user_id: {"*": {"n": 1}}}}
            await demand("PUT", f"{api}/sendToDevice/test.news/1", token=token, body=messages)
            return
        body = {"invite": [user.user_id], "preset": "private_chat"}
        room = (await demand("POST", f"{api}/createRoom", token=token, body=body))["room_id"]
        if news == "message":
            await demand("POST", f"{api}/rooms/{room}/join", token=user.access_token, body={})
            text = {"msgtype": "m.text", "body": "news"}
            url = f"{api}/rooms/{room}/send/m.room.message/1"
            await demand("PUT", url, token=token, body=text)

    async def bind(self, address: str, user: User) -> None:
        """Validate the address, by mail or SMS, and bind it."""
        await bind_by_validation(self.backstage.servers, self.tls, address, user)

    async def bind_crowd(self) -> None:
        """Put them into Sydent's database; it computes their hashes when it starts."""
        if self.backstage.has_crowd:
            return
        servers, now = self.backstage.servers, int(time.time() * 1000)
        await servers.stop_sydent()
        with self._database() as database:
            database.executemany(
                _INSERT,
                [
                    (address, user_id, now, now * 2, number)
                    for number, (address, user_id) in enumerate(
                        crowd_bindings(servers.server_name).items()
                    )
                ],
            )
        await servers.rotate_pepper()
        self.backstage.has_crowd = True

    async def rotate_pepper(self) -> None:
        """Restart Sydent without its pepper."""
        await self.backstage.servers.rotate_pepper()

    async def revoke_tokens(self, user: User) -> None:
        """Log out each token: Sydent's database may be locked, from a lookup until a next write."""
        url = f"{self.backstage.servers.identity_server_url}/_matrix/identity/v2/account/logout"
        with self._database() as database:
            query = "SELECT token FROM tokens WHERE user_id = ?"
            tokens = [token for (token,) in database.execute(query, (user.user_id,))]
        for token in tokens:
            await demand("POST", url, token=token, body={}, tls=self.tls)

    async def require_terms(self) -> str:
        """Require a version that nobody has accepted."""
        version = str(next(self.backstage.numbers))
        await self.backstage.servers.require_terms(version)
        self.backstage.has_terms = True
        return version

    async def stop_identity_server(self) -> None:
        """Stop Sydent."""
        await self.backstage.servers.stop_sydent()

    async def start_identity_server(self) -> None:
        """Start it again."""
        await self.backstage.servers.start_sydent()

    async def hang_identity_server(self) -> None:
        """Stop Sydent where it stands."""
        self.backstage.servers.freeze_sydent()

    async def wake_identity_server(self) -> None:
        """Let it go on."""
        self.backstage.servers.thaw_sydent()

    def authority(self, folder: Path) -> Path:  # noqa: ARG002 - it is there already
        """The servers' own."""
        return self.backstage.servers.ca_file

    def refuse_mail(self, address: str) -> None:
        """The mail sink refuses such an address."""
        assert address.startswith("reject")

    def code(self, address: str) -> str:
        """Read the post."""
        servers = self.backstage.servers
        if address.startswith("+"):
            return next(sms.text for sms in reversed(servers.sms) if sms.to == address[1:])
        return str(self._mail(address, "verification").fields["token"])

    def posts(self, address: str) -> int:
        """Count it."""
        servers = self.backstage.servers
        if address.startswith("+"):
            return sum(sms.to == address[1:] for sms in servers.sms)
        return sum(mail.to == address for mail in servers.mails)

    def invite_link(self, address: str) -> str:
        """Make the link as Sydent's own templates do, which the wheel does not contain."""
        fields = self._mail(address, "invite").fields
        sign = f"{self.directory_url}/_matrix/identity/api/v1/sign-ed25519"
        secrets = f"token%3D{fields['token']}%26private_key%3D{fields['ephemeral_private_key']}"
        return (
            f"https://app.element.io/#/room/{quote(fields['room_id'], safe='')}"
            f"?email={quote(address, safe='')}&signurl={quote(sign, safe='')}%3F{secrets}"
            f"&room_name=&room_avatar_url=&inviter_name=Alice&guest_access_token=&guest_user_id="
        )

    def _mail(self, address: str, kind: str) -> Mail:
        mails = [mail for mail in self.backstage.servers.mails if mail.to == address]
        found: Mail = next(mail for mail in reversed(mails) if mail.kind == kind)
        return found

    def issued_tokens(self) -> Iterable[str]:
        """The tokens that work."""
        with self._database() as database:
            return [token for (token,) in database.execute("SELECT token FROM tokens")]

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        path = self.backstage.servers.sydent_database
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            yield database


@asynccontextmanager
async def real_stage(backstage: Backstage) -> AsyncIterator[Stage]:
    """Lay the wires for one story."""
    servers, tls = backstage.servers, backstage.tls
    home, directory = urlsplit(servers.homeserver_url), urlsplit(servers.identity_server_url)
    async with AsyncExitStack() as opened:
        yield RealStage(
            homeserver=await opened.enter_async_context(Wiretap(home.port)),
            identity_server=await opened.enter_async_context(
                Wiretap(directory.port, outside=backstage.outside(), inside=tls)
            ),
            tls=tls,
            backstage=backstage,
        )
