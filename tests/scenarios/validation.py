"""Binding an address at Sydent as a person would: with the code from a mail or an SMS."""

from __future__ import annotations

import secrets
import ssl
from typing import Any
from urllib.parse import quote

import attrs

from tests.real.servers.stack import RealServers
from tests.scenarios.plain_client import User, demand, send


@attrs.frozen
class _Desk:
    """A user at Sydent."""

    url: str
    token: str
    tls: ssl.SSLContext

    async def ask(self, path: str, **body: Any) -> Any:
        return await demand("POST", self.url + path, token=self.token, body=body, tls=self.tls)


async def bind_by_validation(
    servers: RealServers, tls: ssl.SSLContext, address: str, user: User
) -> None:
    """Prove that an address is one's own, and bind it."""
    url = f"{servers.identity_server_url}/_matrix/identity/v2"
    desk = _Desk(url, await identity_token(servers, tls, user), tls)
    await _accept_terms(desk)
    medium = "msisdn" if address.startswith("+") else "email"
    client_secret = secrets.token_hex(8)
    asked = {"phone_number": address, "country": "GB"} if medium == "msisdn" else {"email": address}
    path = f"/validate/{medium}"
    answer = await desk.ask(
        f"{path}/requestToken", client_secret=client_secret, send_attempt=1, **asked
    )
    code = servers.sms[-1].text if medium == "msisdn" else servers.mails[-1].fields["token"]
    session = {"sid": answer["sid"], "client_secret": client_secret}
    submitted = await desk.ask(f"{path}/submitToken", token=code, **session)
    assert submitted["success"] is True
    await desk.ask("/3pid/bind", mxid=user.user_id, **session)


async def identity_token(servers: RealServers, tls: ssl.SSLContext, user: User) -> str:
    """Register a user at Sydent; every registration gives another token."""
    path = f"/_matrix/client/v3/user/{quote(user.user_id, safe='')}/openid/request_token"
    proof = await demand("POST", servers.homeserver_url + path, token=user.access_token, body={})
    url = f"{servers.identity_server_url}/_matrix/identity/v2/account/register"
    return str((await demand("POST", url, body=proof, tls=tls))["token"])


async def _accept_terms(desk: _Desk) -> None:
    """Accept whatever there is: the validation is about something else."""
    _, offered = await send("GET", f"{desk.url}/terms", tls=desk.tls)
    urls = [policy["en"]["url"] for policy in offered["policies"].values()]
    if urls:
        await desk.ask("/terms", user_accepts=urls)
