"""Users, their devices and their access tokens."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import attrs

from nio_identity_server.testing.homeserver.bodies import json_object
from nio_identity_server.testing.homeserver.paths import client_routes
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.routes import Call, Route


@attrs.frozen
class Account:
    """One device of a user, logged in.

    Attributes:
        user_id: The full Matrix user id.
        access_token: The token of this device; not in the printed form.
        device_id: The device.
    """

    user_id: str
    access_token: str = attrs.field(repr=False)
    device_id: str


class Accounts:
    """The users of a homeserver, and the chapter of the API that logs them in and out.

    Args:
        server_name: Answers the name that user ids end in; asked each time, because a server
            without a fixed name is named after its port.
    """

    def __init__(self, server_name: Callable[[], str]) -> None:
        self._server_name = server_name
        self._passwords: dict[str, str] = {}
        self._sessions: dict[str, Account] = {}
        self._soft: set[str] = set()
        self.well_known: dict[str, Any] | None = None

    def routes(self) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            *client_routes("GET", "/login", self._flows),
            *client_routes("POST", "/login", self._login),
            *client_routes("POST", "/logout", self._logout),
            *client_routes("POST", "/logout/all", self._logout_all),
            *client_routes("GET", "/account/whoami", self._whoami),
        ]

    def user_id(self, name: str) -> str:
        """Complete a localpart to a user id of this server; a user id is left as it is."""
        return name if name.startswith("@") else f"@{name}:{self._server_name()}"

    def is_registered(self, user_id: str) -> bool:
        """Tell whether a user is one of this server."""
        return user_id in self._passwords

    def known(self, name: str) -> str:
        """Give the user id of a registered user.

        Raises:
            LookupError: There is no such user.
        """
        user_id = self.user_id(name)
        if user_id not in self._passwords:
            raise LookupError(f"{user_id} is not registered here: register({name!r}) first")
        return user_id

    def register(self, name: str, password: str, device_id: str | None) -> Account:
        """Create a user and log in a first device.

        Raises:
            ValueError: The user exists.
        """
        user_id = self.user_id(name)
        if user_id in self._passwords:
            raise ValueError(f"{user_id} is registered already")
        self._passwords[user_id] = password
        return self.login(user_id, device_id)

    def login(self, name: str, device_id: str | None) -> Account:
        """Log in a device; one that exists gets a new token in place of the old one.

        Raises:
            LookupError: There is no such user.
        """
        user_id = self.known(name)
        device = device_id or secrets.token_hex(5).upper()
        self._end(lambda account: (account.user_id, account.device_id) == (user_id, device))
        account = Account(user_id, f"syt_{secrets.token_urlsafe(24)}", device)
        self._sessions[account.access_token] = account
        return account

    def revoke(self, access_token: str, *, soft: bool) -> None:
        """End a token; a soft logout lets the client keep its data."""
        self._sessions.pop(access_token, None)
        if soft:
            self._soft.add(access_token)

    def authenticate(self, request: Request) -> Account:
        """Find whose request it is.

        Raises:
            Refusal: 401 `M_MISSING_TOKEN` or `M_UNKNOWN_TOKEN`.
        """
        token = request.access_token
        if not token:
            raise Refusal(401, "M_MISSING_TOKEN", "Missing access token")
        account = self._sessions.get(token)
        if account is None:
            raise Refusal(
                401,
                "M_UNKNOWN_TOKEN",
                "Invalid access token passed.",
                soft_logout=token in self._soft,
            )
        return account

    def owner(self, call: Call, error: str) -> Account:
        """Find whose request it is, and make sure that the path names the same user.

        Raises:
            Refusal: 401 as for `authenticate`; 403 `M_FORBIDDEN` with this error text.
        """
        account = self.authenticate(call.request)
        if call.values["user_id"] != account.user_id:
            raise Refusal(403, "M_FORBIDDEN", error)
        return account

    def _end(self, chosen: Callable[[Account], bool]) -> None:
        self._sessions = {
            token: account for token, account in self._sessions.items() if not chosen(account)
        }

    async def _flows(self, _: Call) -> Reply:
        return Reply.of_json({"flows": [{"type": "m.login.password"}]})

    async def _login(self, call: Call) -> Reply:
        body = json_object(call.request)
        if body.get("type") != "m.login.password":
            raise Refusal(400, "M_INVALID_PARAM", "Invalid login submission")
        identifier = body.get("identifier")
        name = identifier.get("user") if isinstance(identifier, dict) else body.get("user")
        if not isinstance(name, str) or not isinstance(body.get("password"), str):
            raise Refusal(400, "M_INVALID_PARAM", "Bad parameter: user or password")
        if self._passwords.get(self.user_id(name)) != body["password"]:
            raise Refusal(403, "M_FORBIDDEN", "Invalid username or password")
        return Reply.of_json(self._welcome(self.login(name, body.get("device_id"))))

    def _welcome(self, account: Account) -> dict[str, Any]:
        welcome = {
            "user_id": account.user_id,
            "access_token": account.access_token,
            "home_server": self._server_name(),
            "device_id": account.device_id,
        }
        # Synapse 1.163 repeats its well-known here once it has one.
        return welcome if self.well_known is None else {**welcome, "well_known": self.well_known}

    async def _logout(self, call: Call) -> Reply:
        self.revoke(self.authenticate(call.request).access_token, soft=False)
        return Reply.of_json({})

    async def _logout_all(self, call: Call) -> Reply:
        user_id = self.authenticate(call.request).user_id
        self._end(lambda account: account.user_id == user_id)
        return Reply.of_json({})

    async def _whoami(self, call: Call) -> Reply:
        account = self.authenticate(call.request)
        return Reply.of_json(
            {"user_id": account.user_id, "is_guest": False, "device_id": account.device_id}
        )
