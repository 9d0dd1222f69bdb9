"""The chapter of the validation: whose address is this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

import attrs

from nio_identity_server.testing.identity_server.accounts import Accounts
from nio_identity_server.testing.identity_server.bodies import (
    OLD_PREFIX,
    arguments,
    broken,
    query_arguments,
)
from nio_identity_server.testing.identity_server.numbers import international
from nio_identity_server.testing.identity_server.post import Mail, Post, Sms, Unsendable
from nio_identity_server.testing.identity_server.sessions import (
    ExpiredSession,
    Session,
    Sessions,
    UnknownSession,
    WrongSecret,
    WrongToken,
    checked_secret,
)
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.routes import Call, Route

_LONGEST_ADDRESS = 500
_SUBMITTED = ("token", "sid", "client_secret")
# Sydent 2.6.1 has the code of a wrong token and that of an unknown session the wrong way round.
# The status is that of a telephone number; for an email it is 200.
_FAILURES: dict[type[LookupError], tuple[int, str, str]] = {
    WrongSecret: (
        400,
        "M_INVALID_PARAM",
        "Client secret does not match the one given when requesting the token",
    ),
    ExpiredSession: (
        400,
        "M_SESSION_EXPIRED",
        "This validation session has expired: call requestToken again",
    ),
    UnknownSession: (400, "M_INVALID_PARAM", "The token doesn't match"),
    WrongToken: (404, "M_NO_VALID_SESSION", "No session could be found with this sid"),
}


class Validation:
    """Sends tokens to addresses, and takes them back.

    Attributes:
        refused_countries: Calling codes to which no text message may be sent.
    """

    def __init__(
        self, accounts: Accounts, sessions: Sessions, post: Post, url: Callable[[], str]
    ) -> None:
        self.refused_countries: set[str] = set()
        self._accounts = accounts
        self._sessions = sessions
        self._post = post
        self._url = url

    def routes(self, prefix: str) -> list[Route]:
        """Give the routes of this chapter."""
        path = "validate/{}/submitToken"
        email, msisdn = path.format("email"), path.format("msisdn")
        return [
            Route("POST", f"{prefix}/validate/email/requestToken", self._request_mail),
            Route("POST", f"{prefix}/validate/msisdn/requestToken", self._request_sms),
            Route("POST", f"{prefix}/{email}", self._submit_email),
            Route("POST", f"{prefix}/{msisdn}", self._submit_msisdn),
            *(Route("GET", f"{each}/{email}", self._follow_mail) for each in (prefix, OLD_PREFIX)),
            *(Route("GET", f"{each}/{msisdn}", self._follow_sms) for each in (prefix, OLD_PREFIX)),
        ]

    async def _request_mail(self, call: Call) -> Reply:
        self._accounts.authenticate(call.request)
        given = arguments(call.request, "email", "client_secret", "send_attempt")
        attempt = _checked_attempt(given["send_attempt"])
        client_secret = checked_secret(given["client_secret"])
        address = given["email"]
        if not isinstance(address, str):
            raise broken()
        if not 0 < len(address) <= _LONGEST_ADDRESS:
            raise Refusal(400, "M_INVALID_PARAM", "Invalid email provided")
        next_link = _checked_next_link(given)
        session = self._sessions.request("email", address, client_secret)
        if attempt >= 0:
            link = self._link(session, next_link)
            try:
                self._post.send(Mail(address, "validation", session.token, link))
            except Unsendable:
                raise Refusal(500, "M_EMAIL_SEND_ERROR", "Failed to send email") from None
        return Reply.of_json({"sid": session.sid})

    def _link(self, session: Session, next_link: str | None) -> str:
        link = (
            f"{self._url()}{OLD_PREFIX}/validate/email/submitToken?token={quote(session.token)}"
            f"&client_secret={quote(session.client_secret)}&sid={session.sid}"
        )
        if not next_link:
            return link
        joint = "&" if "?" in next_link else "?"
        return f"{link}&nextLink={quote(f'{next_link}{joint}sid={session.sid}')}"

    async def _request_sms(self, call: Call) -> Reply:
        try:
            reply = self._requested_sms(call)
        except Refusal as refusal:
            reply = refusal.reply
        # Sydent has to ask its gateway first, and what it answers late has no length.
        return attrs.evolve(reply, chunked=True)

    def _requested_sms(self, call: Call) -> Reply:
        self._accounts.authenticate(call.request)
        names = ("phone_number", "country", "client_secret", "send_attempt")
        given = arguments(call.request, *names)
        attempt = _checked_attempt(given["send_attempt"])
        client_secret = checked_secret(given["client_secret"])
        number = international(given["phone_number"], given["country"])
        if number.startswith(tuple(self.refused_countries)):
            raise Refusal(
                400,
                "M_DESTINATION_REJECTED",
                "Phone numbers in this country are not currently supported",
            )
        session = self._sessions.request("msisdn", number, client_secret)
        if attempt >= 0:
            self._post.sms.append(Sms(number, session.token))
        told = {"success": True, "sid": session.sid, "msisdn": number, "intl_fmt": f"+{number}"}
        return Reply.of_json(told)

    async def _submit_email(self, call: Call) -> Reply:
        self._accounts.authenticate(call.request)
        failure = self._submit(arguments(call.request, *_SUBMITTED))
        return _told(200, failure)

    async def _submit_msisdn(self, call: Call) -> Reply:
        self._accounts.authenticate(call.request)
        failure = self._submit(arguments(call.request, *_SUBMITTED))
        return _told(200 if failure is None else failure[0], failure)

    def _submit(self, given: Mapping[str, Any]) -> tuple[int, str, str] | None:
        client_secret = checked_secret(given["client_secret"])
        try:
            self._sessions.submit(given["sid"], client_secret, given["token"])
        except LookupError as error:
            return _FAILURES[type(error)]
        return None

    async def _follow_mail(self, call: Call) -> Reply:
        failed = _page("Verification failed: you may need to request another verification email")
        try:
            failure = self._submit(query_arguments(call.request, *_SUBMITTED))
        except Refusal as refusal:
            return attrs.evolve(failed, status=refusal.reply.status)
        if failure is not None:
            return failed
        page = _page("Verification successful! Please return to your Matrix client to continue.")
        return _leading_on(page, call.request.query.get("nextLink"))

    async def _follow_sms(self, call: Call) -> Reply:
        try:
            self._submit(query_arguments(call.request, *_SUBMITTED))
        except Refusal:
            return Reply.of_html(500, "Internal Server Error")
        # The token is taken; but Sydent 2.6.1 stumbles over its own page, whatever that says.
        return Reply.of_html(500, "Request did not return bytes")


def _checked_attempt(given: Any) -> int:
    try:
        return int(given)
    except (TypeError, ValueError):
        told = f"send_attempt should be an integer (got {given}"
        raise Refusal(400, "M_INVALID_PARAM", told) from None


def _checked_next_link(given: Mapping[str, Any]) -> str | None:
    """Give the link, if there is a good one; `null` breaks Sydent 2.6.1."""
    next_link = given.get("next_link", "")
    if not isinstance(next_link, str):
        raise broken()
    return None if next_link.startswith("file:///") else next_link


def _told(status: int, failure: tuple[int, str, str] | None) -> Reply:
    if failure is None:
        return Reply.of_json({"success": True})
    _, errcode, error = failure
    return Reply.of_json({"success": False, "errcode": errcode, "error": error}, status)


def _page(message: str) -> Reply:
    page = f"<html><body><p>{escape(message)}</p></body></html>"
    return Reply(200, page.encode(), {"Content-Type": "text/html"})


def _leading_on(page: Reply, next_link: str | None) -> Reply:
    if next_link is None or next_link.startswith("file:///"):
        return page
    return attrs.evolve(page, status=302, headers={**page.headers, "Location": next_link})
