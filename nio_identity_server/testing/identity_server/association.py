"""The chapter of the associations: this address is mine, and may be found."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import attrs

from nio_identity_server.testing.identity_server.accounts import Accounts
from nio_identity_server.testing.identity_server.binder import Binder
from nio_identity_server.testing.identity_server.bodies import arguments, broken, query_arguments
from nio_identity_server.testing.identity_server.sessions import (
    ExpiredSession,
    NotValidated,
    Session,
    Sessions,
    UnknownSession,
    WrongSecret,
    checked_secret,
)
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.routes import Call, Route

_ORIGIN = re.compile(r'X-Matrix .*?\borigin="?([^",]+)')


class Association:
    """Tells what has been validated, binds it and unbinds it.

    Attributes:
        supports_unbind: Whether there is a path to unbind at.
    """

    def __init__(self, accounts: Accounts, sessions: Sessions, binder: Binder) -> None:
        self.supports_unbind = True
        self._accounts = accounts
        self._sessions = sessions
        self._binder = binder

    def routes(self, prefix: str) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            Route("GET", f"{prefix}/3pid/getValidated3pid", self._validated),
            Route("POST", f"{prefix}/3pid/bind", self._bind),
            Route("POST", f"{prefix}/3pid/unbind", self._unbind),
        ]

    async def _validated(self, call: Call) -> Reply:
        self._accounts.authenticate(call.request)
        given = query_arguments(call.request, "sid", "client_secret")
        session = self._session(given["sid"], checked_secret(given["client_secret"]))
        told = {"medium": session.medium, "address": session.address}
        return Reply.of_json({**told, "validated_at": session.requested_at})

    async def _bind(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request)
        given = arguments(call.request, "sid", "client_secret", "mxid")
        client_secret = checked_secret(given["client_secret"])
        if given["mxid"] != user_id:
            told = "This user is prohibited from binding to the mxid"
            raise Refusal(403, "M_UNAUTHORIZED", told)
        session = self._session(given["sid"], client_secret)
        return Reply.of_json(self._binder.associate(session.medium, session.address, user_id))

    def _session(self, sid: Any, client_secret: str) -> Session:
        try:
            return self._sessions.validated(sid, client_secret)
        except (UnknownSession, WrongSecret):
            raise _no_session(404) from None
        except ExpiredSession:
            told = "This validation session has expired: call requestToken again"
            raise Refusal(400, "M_SESSION_EXPIRED", told) from None
        except NotValidated:
            told = "This validation session has not yet been completed"
            raise Refusal(400, "M_SESSION_NOT_VALIDATED", told) from None

    async def _unbind(self, call: Call) -> Reply:
        if not self.supports_unbind:
            return Reply.of_html(404, "No Such Resource")
        try:
            await self._unbound(call.request)
            reply = Reply.of_json({})
        except Refusal as refusal:
            reply = refusal.reply
        # Sydent 2.6.1 forgets to say that this is JSON, and how long it is.
        return attrs.evolve(reply, headers={"Content-Type": "text/html"}, chunked=True)

    async def _unbound(self, request: Request) -> None:
        given = arguments(request, "threepid", "mxid")
        threepid, mxid = given["threepid"], given["mxid"]
        if not isinstance(threepid, dict | list | str) or not isinstance(mxid, str):
            raise broken()
        if not isinstance(threepid, dict) or not {"medium", "address"} <= threepid.keys():
            raise Refusal(400, "M_MISSING_PARAMS", "Threepid lacks medium / address")
        if "sid" in given and "client_secret" in given:
            session = await self._proof(given)
            if (session.medium, session.address) != (threepid["medium"], threepid["address"]):
                told = "Provided session information does not match medium/address combo"
                raise Refusal(403, "M_FORBIDDEN", told)
        elif not mxid.endswith(f":{_origin(request)}"):
            raise Refusal(403, "M_FORBIDDEN", "Origin server name does not match mxid")
        self._binder.unbind(threepid["medium"], threepid["address"], mxid)

    async def _proof(self, given: dict[str, Any]) -> Session:
        client_secret = checked_secret(given["client_secret"])
        try:
            return self._sessions.validated(given["sid"], client_secret)
        except (UnknownSession, WrongSecret):
            raise _no_session(401) from None
        except ExpiredSession:
            raise Refusal(500, "M_UNKNOWN", "") from None
        except NotValidated:
            # Sydent 2.6.1 forgets to send the answer.
            silence: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
            return await silence


def _origin(request: Request) -> str:
    """Give the homeserver that asks: one in this process is believed, a signature never."""
    header = request.headers.get("Authorization")
    if header is None:
        raise Refusal(401, "M_FORBIDDEN", "Missing Authorization headers")
    origin = _ORIGIN.match(header)
    if origin is None:
        raise Refusal(401, "M_FORBIDDEN", "Missing X-Matrix Authorization header")
    if request.connection:
        raise Refusal(401, "M_FORBIDDEN", "Unable to verify the signature")
    return origin[1]


def _no_session(status: int) -> Refusal:
    told = "No valid session was found matching that sid and client secret"
    return Refusal(status, "M_NO_VALID_SESSION", told)
