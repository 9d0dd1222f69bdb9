"""The validation sessions of an identity server."""

from __future__ import annotations

import re
import secrets
import string
import time
from typing import Any

import attrs

from nio_identity_server.testing.identity_server.bodies import broken
from nio_identity_server.testing.replies import Refusal

_SECRET = re.compile(r"[0-9a-zA-Z.=_-]{1,255}")
_LETTERS = string.ascii_letters + string.digits


@attrs.define
class Session:
    """Somebody who claims an address, and the token that will prove it.

    Attributes:
        sid: Its id, a decimal number.
        medium: `email` or `msisdn`.
        address: The address as it was typed.
        client_secret: What the client shows to come back to the session.
        token: What was sent to the address.
        requested_at: When that was sent last, in milliseconds of Unix time.
        validated: Whether the token has come back.
        expired: Whether the session is over.
    """

    sid: str
    medium: str
    address: str = attrs.field(repr=False)
    client_secret: str = attrs.field(repr=False)
    token: str = attrs.field(repr=False)
    requested_at: int
    validated: bool = False
    expired: bool = False


class UnknownSession(LookupError):
    """There is no session with this id."""


class WrongSecret(LookupError):
    """The session was begun with another client secret."""


class ExpiredSession(LookupError):
    """The session is over."""


class WrongToken(LookupError):
    """The token is not the one that was sent."""


class NotValidated(LookupError):
    """The token has not come back yet."""


class Sessions:
    """All validation sessions."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    def request(self, medium: str, address: str, client_secret: str) -> Session:
        """Begin a session, or go on with the one of this address and secret.

        Going on makes an expired session live again, as in Sydent 2.6.1.
        """
        for session in self._sessions.values():
            if (session.medium, session.address, session.client_secret) == (
                *(medium, address),
                client_secret,
            ):
                session.requested_at, session.expired = milliseconds(), False
                return session
        sid = str(secrets.randbelow(2**31))
        token = _new_token(medium)
        session = Session(sid, medium, address, client_secret, token, milliseconds())
        self._sessions[sid] = session
        return session

    def submit(self, sid: Any, client_secret: str, token: Any) -> None:
        """Take a token that has come back; it may do so several times.

        Raises:
            UnknownSession: There is no such session.
            WrongSecret: It has another secret.
            ExpiredSession: It is over.
            WrongToken: It has another token.
        """
        session = self._open(sid, client_secret)
        if session.token != token:
            raise WrongToken
        session.validated = True

    def validated(self, sid: Any, client_secret: str) -> Session:
        """Give a session whose token has come back.

        Raises:
            UnknownSession: There is no such session.
            WrongSecret: It has another secret.
            ExpiredSession: It is over.
            NotValidated: Its token has not come back.
        """
        session = self._open(sid, client_secret)
        if not session.validated:
            raise NotValidated
        return session

    def expire(self) -> None:
        """End all sessions that exist."""
        for session in self._sessions.values():
            session.expired = True

    def _open(self, sid: Any, client_secret: str) -> Session:
        if not isinstance(sid, str | int):
            raise broken()
        session = self._sessions.get(str(sid))
        if session is None:
            raise UnknownSession
        if session.client_secret != client_secret:
            raise WrongSecret
        if session.expired:
            raise ExpiredSession
        return session


def checked_secret(given: Any) -> str:
    """Give a client secret that has the form of one.

    Raises:
        Refusal: 400 `M_INVALID_PARAM`; 500 if it is no string.
    """
    if not isinstance(given, str):
        raise broken()
    if not _SECRET.fullmatch(given):
        raise Refusal(400, "M_INVALID_PARAM", "Invalid client_secret provided")
    return given


def milliseconds() -> int:
    """Give the present, in milliseconds of Unix time."""
    return int(time.time() * 1000)


def _new_token(medium: str) -> str:
    letters, length = (_LETTERS, 32) if medium == "email" else (string.digits, 6)
    return "".join(secrets.choice(letters) for _ in range(length))
