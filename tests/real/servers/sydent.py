"""Sydent: the identity server and its configuration."""

from __future__ import annotations

import base64
import configparser
import contextlib
import json
import secrets
import sqlite3
from typing import TYPE_CHECKING

from tests.real.servers.child import SYDENT
from tests.real.servers.process import HOST, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.real.servers.certificates import Certificates
    from tests.real.servers.surroundings import Surroundings

_BRAND = "real"
_NEVER_LIMITED = {"burst": "100000", "rate_hz": "1000"}

# The wheel contains no templates. Ours carry everything as JSON, for the mail sink to read.
_MAIL = """\
From: {{{{ from|safe }}}}
To: {{{{ to|safe }}}}
Date: {{{{ date|safe }}}}
Message-ID: {{{{ messageid|safe }}}}
Subject: {{{{ subject_header_value|default("Your address")|safe }}}}
X-Kind: {kind}
Content-Type: application/json; charset=UTF-8

{{{{ {{{fields}}} | tojson }}}}
"""
_FIELDS = {
    "verification": ("token", "link"),
    "invite": (
        *("token", "ephemeral_private_key", "room_id", "room_name", "room_type"),
        *("sender", "sender_display_name"),
    ),
}


class Sydent:
    """An identity server, its terms of service and its pepper."""

    def __init__(
        self,
        folder: Path,
        certificates: Certificates,
        surroundings: Surroundings,
        *,
        port: int,
        terms: str | None,
        config: Mapping[str, Mapping[str, str]],
    ) -> None:
        """Write its configuration into ``folder``; nothing starts yet."""
        folder.mkdir()
        self._folder = folder
        self._config = _config(folder, surroundings, port)
        self._config.read_dict(config)
        self._terms_file = folder / "terms.yaml"
        _write_templates(folder / "templates" / _BRAND)
        self.set_terms(terms)
        self.database = folder / "sydent.db"
        self.url = f"https://localhost:{surroundings.tls_port}"
        self.process = ServerProcess(
            folder,
            [SYDENT],
            port=port,
            variables={
                "SYDENT_CONF": str(folder / "sydent.conf"),
                "SMS_GATEWAY_URL": surroundings.sms_url,
                "SSL_CERT_FILE": str(certificates.ca_file),
            },
        )

    def set_terms(self, version: str | None) -> bool:
        """Require terms of this version, or none; tell whether that needs a restart.

        It reads the terms again for every request, but where they are only once.
        """
        path = str(self._terms_file) if version else ""
        needs_restart = self._config["general"].get("terms.path") != path
        self._config["general"]["terms.path"] = path
        if version:
            self._terms_file.write_text(json.dumps(_terms(version)))
        with (self._folder / "sydent.conf").open("w") as file:
            self._config.write(file)
        return needs_restart

    def forget_pepper(self) -> None:
        """Make the next start choose a new pepper and hash everything with it; stop it first."""
        with contextlib.closing(sqlite3.connect(self.database)) as database, database:
            database.execute("DELETE FROM hashing_metadata")


def _config(folder: Path, surroundings: Surroundings, port: int) -> configparser.RawConfigParser:
    seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    name = f"localhost:{surroundings.tls_port}"
    config = configparser.RawConfigParser()
    config.read_dict(
        {
            "general": {
                # Homeservers sign what they ask for with the name under which they know it.
                "server.name": name,
                "ip.whitelist": "127.0.0.0/8, ::1/128",
                "templates.path": str(folder / "templates"),
                "brand.default": _BRAND,
                "pidfile.path": str(folder / "pid"),
                "log.level": "INFO",
            },
            "db": {"db.file": str(folder / "sydent.db")},
            "http": {
                "clientapi.http.bind_address": HOST,
                "clientapi.http.port": str(port),
                "client_http_base": f"https://{name}",
                "federation.verifycerts": "True",
            },
            # Kept over restarts; Sydent would write one of its own into this file.
            "crypto": {"ed25519.signingkey": f"ed25519 0 {seed}"},
            "email": {
                "email.from": "Sydent <sydent@localhost>",
                "email.hostname": "localhost",
                "email.smtphost": HOST,
                "email.smtpport": str(surroundings.mail_port),
                "email.invite.subject": "%(sender_display_name)s invites you",
                "email.invite.subject_space": "%(sender_display_name)s invites you to a space",
                **{f"email.ratelimit_sender.{key}": value for key, value in _NEVER_LIMITED.items()},
            },
            "sms": {
                "bodyTemplate": "{token}",
                "username": "user",
                "password": "password",
                **{f"msisdn.ratelimit.{key}": value for key, value in _NEVER_LIMITED.items()},
                **{f"country.ratelimit.{key}": value for key, value in _NEVER_LIMITED.items()},
            },
        }
    )
    return config


def _write_templates(folder: Path) -> None:
    folder.mkdir(parents=True)
    for kind, names in _FIELDS.items():
        fields = ", ".join(f'"{name}": {name}|default(none)' for name in names)
        text = _MAIL.format(kind=kind, fields=fields)
        (folder / f"{kind}_template.eml.j2").write_text(text)
    (folder / "verify_response_template.html").write_text("<p>%(message)s</p>\n")


def _terms(version: str) -> dict[str, object]:
    documents = {"terms_of_service": "Terms of Service", "privacy_policy": "Privacy Policy"}
    return {
        "master_version": version,
        "docs": {
            document: {
                "version": version,
                "langs": {
                    language: {
                        "name": f"{name} ({language})",
                        "url": f"https://localhost/{document}-{version}-{language}.html",
                    }
                    for language in ("en", "fr")
                },
            }
            for document, name in documents.items()
        },
    }
