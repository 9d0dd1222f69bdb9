"""A mail server from which no mail ever leaves."""

from __future__ import annotations

import asyncio
import contextlib
import email
import json
from typing import Any, NamedTuple


class Mail(NamedTuple):
    """One mail, once for each recipient."""

    to: str
    subject: str
    kind: str
    """``verification`` or ``invite``."""
    fields: dict[str, Any]
    """What Sydent filled in: ``token``, ``link``, ``room_id``, ``ephemeral_private_key``, ..."""


class MailSink:
    """Takes every mail, except to recipients that start with ``reject``."""

    def __init__(self) -> None:
        """Start with none."""
        self.mails: list[Mail] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation of RFC 5321, as far as a single sender needs it."""
        with contextlib.closing(writer):
            writer.write(b"220 localhost\r\n")
            await self._converse(reader, writer)
            writer.write(b"221 Bye\r\n")

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        while line := (await reader.readline()).decode(errors="replace").strip():
            command = line.upper()
            if command == "QUIT":
                break
            answer = "250 OK"
            if command.startswith("MAIL FROM:"):
                recipients = []
            elif command.startswith("RCPT TO:"):
                recipient = line.partition(":")[2].split()[0].strip("<>")
                if recipient.startswith("reject"):
                    answer = "550 No such person"
                else:
                    recipients.append(recipient)
            elif command == "DATA":
                writer.write(b"354 Go on\r\n")
                self._keep(recipients, await reader.readuntil(b"\r\n.\r\n"))
            writer.write(f"{answer}\r\n".encode())

    def _keep(self, recipients: list[str], data: bytes) -> None:
        # RFC 5321, 4.5.2: a line that starts with a dot was sent with one more.
        message = email.message_from_bytes(data.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."))
        fields = json.loads(str(message.get_payload()))
        kind, subject = str(message["X-Kind"]), str(message["Subject"])
        self.mails += [Mail(to, subject, kind, fields) for to in recipients]
