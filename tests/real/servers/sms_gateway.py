"""An SMS gateway from which no message ever leaves, in the shape of the one Sydent knows."""

from __future__ import annotations

from typing import NamedTuple

from aiohttp import web

PATH = "/sms/v4/mt"


class Sms(NamedTuple):
    """One text message."""

    to: str
    """The number in digits, without the plus sign."""
    text: str


class SmsGateway:
    """Takes every message, except to numbers that end in ``0000``."""

    def __init__(self) -> None:
        """Start with none."""
        self.messages: list[Sms] = []

    def application(self) -> web.Application:
        """Build the application that serves it."""
        application = web.Application()
        application.router.add_post(PATH, self._send)
        return application

    async def _send(self, request: web.Request) -> web.Response:
        content = (await request.json())["mobileTerminate"]
        message = Sms(content["destination"]["address"], content["message"]["content"])
        if message.to.endswith("0000"):
            return web.json_response({"error": {"code": "2"}}, status=400)
        self.messages.append(message)
        ticket = f"{PATH}/{len(self.messages)}"
        return web.Response(status=202, headers={"Location": ticket})
