"""Both real servers, and everything around them, as one object."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import aiohttp

from tests.real.servers import environment
from tests.real.servers.certificates import Certificates, make_certificates
from tests.real.servers.process import HOST, ServerFailed, ServerProcess, free_ports
from tests.real.servers.surroundings import Surroundings
from tests.real.servers.sydent import Sydent
from tests.real.servers.synapse import synapse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from tests.real.servers.mail_sink import Mail
    from tests.real.servers.sms_gateway import Sms


class RealUser(NamedTuple):
    """Somebody who has just been registered."""

    user_id: str
    access_token: str
    device_id: str


class RealServers:
    """A homeserver, an identity server or both, from ``async with`` to its end.

    Attributes:
        server_name: The homeserver's name, which ends every user id.
        homeserver_url: Its client API, plain HTTP.
        homeserver_tls_url: The same with TLS, where its ``.well-known`` is too.
        identity_server_url: The identity server's base URL, https; empty without one.
        ca_file: The authority that signed both certificates.
        certificates: That, and the certificate and key for localhost that both servers show.
    """

    server_name: str
    homeserver_url: str
    homeserver_tls_url: str
    identity_server_url: str
    ca_file: Path
    certificates: Certificates

    def __init__(
        self,
        *,
        synapse: bool = True,
        sydent: bool = False,
        terms: str | None = None,
        sync_cache: str = "0s",
        msc3391: bool = False,
        synapse_config: Mapping[str, object] | None = None,
        sydent_config: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Say what to start.

        Args:
            synapse: Whether to start the homeserver.
            sydent: Whether to start the identity server.
            terms: The version of the terms that Sydent requires; ``None`` for no terms.
            sync_cache: How long Synapse answers a repeated initial sync from memory ("2m" is
                what it does by itself).
            msc3391: Whether Synapse lets account data be deleted.
            synapse_config: What replaces or joins our settings in ``homeserver.yaml``.
            sydent_config: What replaces or joins our settings in ``sydent.conf``, by section.
        """
        self._wants_synapse = synapse
        self._wants_sydent = sydent
        self._terms = terms
        self._sync_cache = sync_cache
        self._msc3391 = msc3391
        self._synapse_config = synapse_config or {}
        self._sydent_config = sydent_config or {}
        self._homeserver: ServerProcess | None = None
        self._identity_server: Sydent | None = None
        self._surroundings: Surroundings | None = None
        self._opened = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        if not environment.is_installed():
            raise ServerFailed(
                "the real servers are not installed: python -m tests.real.servers.install"
            )
        async with contextlib.AsyncExitStack() as opened:
            folder = Path(tempfile.mkdtemp(prefix="real-servers-"))
            opened.callback(shutil.rmtree, folder, ignore_errors=True)
            certificates = await make_certificates(folder)
            self.ca_file, self.certificates = certificates.ca_file, certificates
            self._prepare(folder, certificates, opened)
            await self._start(opened)
            self._opened = opened.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._opened.aclose()

    @property
    def id_server(self) -> str:
        """The identity server as homeservers call it: without ``https://``."""
        return self.identity_server_url.removeprefix("https://")

    @property
    def mails(self) -> tuple[Mail, ...]:
        """Every mail that Sydent sent, oldest first; complete once the request was answered."""
        return tuple(self._surroundings.mail_sink.mails) if self._surroundings else ()

    @property
    def sms(self) -> tuple[Sms, ...]:
        """Every text message that Sydent sent, oldest first."""
        return tuple(self._surroundings.sms_gateway.messages) if self._surroundings else ()

    @property
    def sydent_database(self) -> Path:
        """Sydent's SQLite file."""
        return self._sydent().database

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that run at present."""
        return tuple(each.pid for each in self._processes() if each.pid)

    async def register_user(self, name: str, *, password: str = "a long secret") -> RealUser:  # noqa: S107
        """Register somebody at the homeserver; they are logged in."""
        body = {
            "username": name,
            "password": password,
            "auth": {"type": "m.login.dummy"},
        }
        url = f"{self.homeserver_url}/_matrix/client/v3/register"
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
            answer = await response.json()
            if response.status != 200:
                raise ServerFailed(f"Synapse did not register {name!r}: {answer}")
        return RealUser(answer["user_id"], answer["access_token"], answer["device_id"])

    async def restart_synapse(self) -> None:
        """Stop the homeserver and start it again, with the same data on the same ports."""
        if self._homeserver is None:
            raise RuntimeError("there is no Synapse here")
        await self._homeserver.stop()
        await self._homeserver.start()

    async def stop_sydent(self) -> None:
        """Stop the identity server: its port stays, and hangs up on everybody."""
        await self._sydent().process.stop()

    async def start_sydent(self) -> None:
        """Start the identity server again, with the same data on the same port."""
        await self._sydent().process.start()

    def freeze_sydent(self) -> None:
        """Let the identity server take connections and answer nothing."""
        self._sydent().process.signal(signal.SIGSTOP)

    def thaw_sydent(self) -> None:
        """Let it go on."""
        self._sydent().process.signal(signal.SIGCONT)

    async def rotate_pepper(self) -> None:
        """Have the identity server hash everything with a new pepper."""
        await self.stop_sydent()
        self._sydent().forget_pepper()
        await self.start_sydent()

    async def require_terms(self, version: str | None) -> None:
        """Require terms of this version from now on, or none.

        A new version takes effect at once.  From none to some or back needs a restart.
        """
        if self._sydent().set_terms(version):
            await self.stop_sydent()
            await self.start_sydent()

    def _prepare(
        self, folder: Path, certificates: Certificates, opened: contextlib.AsyncExitStack
    ) -> None:
        """Choose the ports and write the configurations."""
        port, tls_port, sydent_port = free_ports(3)
        self.server_name = f"localhost:{tls_port}"
        self.homeserver_url = f"http://{HOST}:{port}"
        self.homeserver_tls_url = f"https://{self.server_name}"
        self.identity_server_url = ""
        if self._wants_sydent:
            self._surroundings = Surroundings(certificates, sydent_port).start()
            opened.callback(self._surroundings.stop)
            self._identity_server = Sydent(
                folder / "sydent",
                certificates,
                self._surroundings,
                port=sydent_port,
                terms=self._terms,
                config=self._sydent_config,
            )
            self.identity_server_url = self._identity_server.url
        if self._wants_synapse:
            self._homeserver = synapse(
                folder / "synapse",
                certificates,
                port=port,
                tls_port=tls_port,
                identity_server_url=self.identity_server_url or None,
                sync_cache=self._sync_cache,
                msc3391=self._msc3391,
                config=self._synapse_config,
            )

    async def _start(self, opened: contextlib.AsyncExitStack) -> None:
        """Start all processes at the same time."""
        opened.push_async_callback(self._stop)
        try:
            async with asyncio.TaskGroup() as group:
                for each in self._processes():
                    group.create_task(each.start())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _stop(self) -> None:
        await asyncio.gather(*(each.stop() for each in self._processes()))

    def _processes(self) -> list[ServerProcess]:
        identity_server = self._identity_server and self._identity_server.process
        return [each for each in (self._homeserver, identity_server) if each]

    def _sydent(self) -> Sydent:
        if self._identity_server is None:
            raise RuntimeError("there is no Sydent here")
        return self._identity_server
