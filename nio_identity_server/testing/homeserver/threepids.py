"""The addresses of users, at the homeserver and at identity servers."""

from __future__ import annotations

import time
from typing import Any

import attrs

from nio_identity_server.testing.homeserver.accounts import Accounts
from nio_identity_server.testing.homeserver.bodies import json_object
from nio_identity_server.testing.homeserver.identity_servers import (
    IdentityServers,
    Refused,
    internal,
)
from nio_identity_server.testing.homeserver.paths import client_routes
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.routes import Call, Route

_UNAUTHORIZED = 401
_MEDIA = ("email", "msisdn")
# Statuses by which an identity server says, for Synapse 1.163, that it cannot unbind.
_NO_SUPPORT = (400, 404, 501)


@attrs.frozen
class _Bound:
    user_id: str
    medium: str
    address: str = attrs.field(repr=False)
    id_server: str


class ThreePids:
    """The chapter of the API about the addresses of an account."""

    def __init__(self, accounts: Accounts, identity_servers: IdentityServers) -> None:
        self._accounts = accounts
        self._identity_servers = identity_servers
        self._own: dict[str, list[dict[str, Any]]] = {}
        self._bound: list[_Bound] = []

    def routes(self) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            *client_routes("GET", "/account/3pid", self._list),
            *client_routes("POST", "/account/3pid/bind", self._bind),
            *client_routes("POST", "/account/3pid/unbind", self._unbind),
        ]

    def add(self, user_id: str, medium: str, address: str) -> None:
        """Note that an address is a user's, as far as this homeserver is concerned."""
        now = int(time.time() * 1000)
        times = {"validated_at": now, "added_at": now}
        entry = {"medium": medium, "address": address, **times}
        self._own.setdefault(user_id, []).append(entry)

    async def _list(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request).user_id
        return Reply.of_json({"threepids": self._own.get(user_id, [])})

    async def _bind(self, call: Call) -> Reply:
        # Synapse 1.163 reads the body before it asks who sends it.
        names = ("client_secret", "id_access_token", "id_server", "sid")
        body = _strings(json_object(call.request), *names)
        user_id = self._accounts.authenticate(call.request).user_id
        id_server = body["id_server"]
        self._identity_servers.check(id_server)
        content = {"sid": body["sid"], "client_secret": body["client_secret"], "mxid": user_id}
        try:
            association = await self._identity_servers.bind(
                id_server, body["id_access_token"], content
            )
        except Refused as refused:
            raise _passed_on(refused.reply) from None
        try:
            bound = _Bound(user_id, association["medium"], association["address"], id_server)
        except (KeyError, TypeError):
            raise internal() from None
        if bound not in self._bound:
            self._bound.append(bound)
        return Reply.of_json({})

    async def _unbind(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request).user_id
        content = json_object(call.request)
        body = _strings(content, "address", "medium")
        if body["medium"] not in _MEDIA:
            raise _bad("medium")
        given = content.get("id_server")
        if given is not None and not isinstance(given, str):
            raise _bad("id_server")
        where = [
            each.id_server
            for each in self._bound
            if (each.user_id, each.medium, each.address)
            == (user_id, body["medium"], body["address"])
        ]
        servers = [given] if given else where
        # Every server is asked, whatever the first one said.
        done = [await self._unbound(user_id, body, server) for server in servers]
        result = "success" if done and all(done) else "no-support"
        return Reply.of_json({"id_server_unbind_result": result})

    async def _unbound(self, user_id: str, body: dict[str, str], id_server: str) -> bool:
        self._identity_servers.check(id_server)
        threepid = {"medium": body["medium"], "address": body["address"]}
        try:
            await self._identity_servers.unbind(id_server, {"mxid": user_id, "threepid": threepid})
            done = True
        except Refused as refused:
            if refused.reply.status not in _NO_SUPPORT:
                told = "Failed to contact identity server"
                raise Refusal(500, "M_UNKNOWN", told) from None
            done = False
        bound = _Bound(user_id, body["medium"], body["address"], id_server)
        self._bound = [each for each in self._bound if each != bound]
        return done


def _strings(body: dict[str, Any], *names: str) -> dict[str, str]:
    bad = [name for name in names if not isinstance(body.get(name), str)]
    if bad:
        # Only if nothing else is wrong, Synapse 1.163 calls a missing key a missing key.
        alone = len(bad) == 1 and bad[0] not in body
        raise _bad(*bad, errcode="M_MISSING_PARAM" if alone else "M_BAD_JSON")
    return {name: body[name] for name in names}


def _bad(*names: str, errcode: str = "M_BAD_JSON") -> Refusal:
    """Refuse as Synapse 1.163 does, in several lines of pydantic."""
    lines = [f"{len(names)} validation errors for PostBody"]
    for name in names:
        lines += [name, "  Input should be valid"]
    return Refusal(400, errcode, "\n".join(lines))


def _passed_on(reply: Reply) -> Refusal:
    """Make the client's answer of the identity server's, so that it does not feel logged out."""
    status = 400 if reply.status == _UNAUTHORIZED else reply.status
    try:
        told = reply.json
    except ValueError:
        told = None
    told = told if isinstance(told, dict) else {}
    errcode, error = told.pop("errcode", "M_UNKNOWN"), told.pop("error", str(reply.status))
    return Refusal(status, "M_UNKNOWN" if errcode == "M_UNKNOWN_TOKEN" else errcode, error, **told)
