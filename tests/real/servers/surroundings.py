"""What the two servers need around them: a mail server, an SMS gateway, and TLS.

It all runs in a thread with an event loop of its own.  One pair of servers can so serve tests that
each have another loop, or none.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple, Self

from aiohttp import web

from tests.real.servers import sms_gateway
from tests.real.servers.mail_sink import MailSink
from tests.real.servers.process import HOST
from tests.real.servers.tls_proxy import TlsProxy

if TYPE_CHECKING:
    from tests.real.servers.certificates import Certificates

_SECONDS = 10.0


class _Running(NamedTuple):
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    mail_port: int
    sms_port: int
    tls_port: int


class Surroundings:
    """A mail server, an SMS gateway and a TLS proxy, from ``start`` to ``stop``."""

    def __init__(self, certificates: Certificates, behind_tls: int) -> None:
        """Show ``certificates`` to the world, and pass what comes to the port ``behind_tls``."""
        self.mail_sink = MailSink()
        self.sms_gateway = sms_gateway.SmsGateway()
        self._proxy = TlsProxy(behind_tls)
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificates.certificate, certificates.key)
        self._started: Future[_Running] = Future()
        self._thread = threading.Thread(target=self._run, name="surroundings", daemon=True)

    def start(self) -> Self:
        """Open all ports."""
        self._thread.start()
        self._started.result(_SECONDS)
        return self

    def stop(self) -> None:
        """Close all ports and connections."""
        running = self._started.result()
        running.loop.call_soon_threadsafe(running.stop.set)
        self._thread.join(_SECONDS)

    @property
    def mail_port(self) -> int:
        """The port of the mail server."""
        return self._started.result().mail_port

    @property
    def sms_url(self) -> str:
        """The address of the SMS gateway."""
        return f"http://{HOST}:{self._started.result().sms_port}{sms_gateway.PATH}"

    @property
    def tls_port(self) -> int:
        """The port of the TLS proxy."""
        return self._started.result().tls_port

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        mail = await asyncio.start_server(self.mail_sink.handle, HOST, 0)
        proxy = await asyncio.start_server(self._proxy.handle, HOST, 0, ssl=self._tls)
        runner = web.AppRunner(self.sms_gateway.application())
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        stop = asyncio.Event()
        ports = [each.sockets[0].getsockname()[1] for each in (mail, proxy)]
        self._started.set_result(
            _Running(
                loop=asyncio.get_running_loop(),
                stop=stop,
                mail_port=ports[0],
                sms_port=runner.addresses[0][1],
                tls_port=ports[1],
            )
        )
        await stop.wait()
        await runner.cleanup()
        mail.close()
        proxy.close()
