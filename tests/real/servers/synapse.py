"""Synapse: the homeserver and its configuration."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
from typing import TYPE_CHECKING

from tests.real.servers import environment
from tests.real.servers.process import HOST, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.real.servers.certificates import Certificates

_UNLIMITED = {"per_second": 10_000, "burst_count": 10_000}


def synapse(
    folder: Path,
    certificates: Certificates,
    *,
    port: int,
    tls_port: int,
    identity_server_url: str | None,
    sync_cache: str,
    msc3391: bool,
    config: Mapping[str, object],
) -> ServerProcess:
    """Write the configuration of a homeserver named ``localhost:<tls_port>`` into ``folder``."""
    folder.mkdir()
    seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    (folder / "signing.key").write_text(f"ed25519 a_0 {seed}\n")
    if environment.DATABASE.exists():
        shutil.copy(environment.DATABASE, folder / "homeserver.db")
    complete: dict[str, object] = {
        # With a port in its name Sydent finds it without .well-known and without DNS.
        "server_name": f"localhost:{tls_port}",
        "public_baseurl": f"https://localhost:{tls_port}/",
        "listeners": [
            _listener(port, "client", tls=False),
            _listener(tls_port, "client", "federation", tls=True),
        ],
        "tls_certificate_path": str(certificates.certificate),
        "tls_private_key_path": str(certificates.key),
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "log_config": _write_log_config(folder),
        "media_store_path": str(folder / "media"),
        "pid_file": str(folder / "pid"),
        "signing_key_path": str(folder / "signing.key"),
        "macaroon_secret_key": secrets.token_hex(),
        "form_secret": secrets.token_hex(),
        "enable_registration": True,
        "enable_registration_without_verification": True,
        "bcrypt_rounds": 4,
        "report_stats": False,
        "presence": {"enabled": False},
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        # Without this it never speaks to an identity server on loopback.
        "ip_range_whitelist": ["127.0.0.0/8", "::1/128"],
        "caches": {"sync_response_cache_duration": sync_cache},
        "experimental_features": {"msc3391_enabled": msc3391},
        **_no_rate_limits(),
        **({"default_identity_server": identity_server_url} if identity_server_url else {}),
        **config,
    }
    file = folder / "homeserver.yaml"
    file.write_text(json.dumps(complete, indent=2))  # JSON is YAML too
    return ServerProcess(
        folder,
        ["synapse.app.homeserver", "--config-path", str(file)],
        port=port,
        variables={"SSL_CERT_FILE": str(certificates.ca_file)},
    )


def _listener(port: int, *resources: str, tls: bool) -> dict[str, object]:
    return {
        "port": port,
        "bind_addresses": [HOST],
        "type": "http",
        "tls": tls,
        "resources": [{"names": resources, "compress": False}],
    }


def _write_log_config(folder: Path) -> str:
    file = folder / "log.yaml"
    file.write_text(
        json.dumps(
            {
                "version": 1,
                "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
                "handlers": {"stream": {"class": "logging.StreamHandler", "formatter": "line"}},
                "root": {"level": "INFO", "handlers": ["stream"]},
                "disable_existing_loggers": False,
            }
        )
    )
    return str(file)


def _no_rate_limits() -> dict[str, object]:
    return {
        **dict.fromkeys(
            ("rc_message", "rc_registration", "rc_3pid_validation", "rc_third_party_invite"),
            _UNLIMITED,
        ),
        "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), _UNLIMITED),
        "rc_joins": dict.fromkeys(("local", "remote"), _UNLIMITED),
        "rc_invites": dict.fromkeys(("per_room", "per_user", "per_issuer"), _UNLIMITED),
    }
