"""Sync filters, as far as they touch global account data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from nio_identity_server.testing.homeserver.accounts import Accounts
from nio_identity_server.testing.homeserver.bodies import json_object
from nio_identity_server.testing.homeserver.paths import client_routes
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.routes import Call, Route

_LISTS = ("types", "senders", "rooms")


class Filters:
    """The filters that users have uploaded, and the chapter of the API that stores them."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._stored: dict[str, list[dict[str, Any]]] = {}

    def routes(self) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            *client_routes("POST", "/user/{user_id}/filter", self._upload),
            *client_routes("GET", "/user/{user_id}/filter/{filter_id}", self._download),
        ]

    def resolve(self, user_id: str, text: str | None) -> Mapping[str, Any]:
        """Give the filter that a sync names, inline or by id.

        Raises:
            Refusal: 400: it is not JSON, not a filter, or unknown.
        """
        if text is None:
            return {}
        if not text.startswith("{"):
            found = self._find(user_id, text)
            if found is None:
                raise Refusal(400, "M_INVALID_PARAM", "No such filter")
            return found
        try:
            definition = json.loads(text)
        except ValueError:
            raise Refusal(400, "M_NOT_JSON", "Invalid filter JSON") from None
        return _checked(definition)

    def _find(self, user_id: str, filter_id: str) -> dict[str, Any] | None:
        stored = self._stored.get(user_id, [])
        known = filter_id.isascii() and filter_id.isdigit() and int(filter_id) < len(stored)
        return stored[int(filter_id)] if known else None

    async def _upload(self, call: Call) -> Reply:
        account = self._accounts.owner(call, "Cannot create filters for other users")
        stored = self._stored.setdefault(account.user_id, [])
        stored.append(_checked(json_object(call.request)))
        return Reply.of_json({"filter_id": str(len(stored) - 1)})

    async def _download(self, call: Call) -> Reply:
        account = self._accounts.owner(call, "Cannot get filters for other users")
        if not call.values["filter_id"].isdigit():
            raise Refusal(400, "M_UNKNOWN", "Invalid filter_id")
        found = self._find(account.user_id, call.values["filter_id"])
        if found is None:
            raise Refusal(404, "M_NOT_FOUND", "No such filter")
        return Reply.of_json(found)


def visible(events: list[Any], definition: Mapping[str, Any]) -> list[Any]:
    """Give the account-data events that a filter lets through.

    Synapse 1.163 puts account data to every test of an event filter. Having no room, and no sender
    but a `user_id` in its content, most of it fails at `rooms` and `senders`; `limit` is ignored.
    """
    part = definition.get("account_data", {})
    return [event for event in events if _passes(event, part)]


def _passes(event: Any, part: Mapping[str, Any]) -> bool:
    # A raw event that a test made up need not even be an object.
    source = event if isinstance(event, dict) else {}
    content = source.get("content")
    content = content if isinstance(content, dict) else {}
    kind, sender = source.get("type"), content.get("user_id")
    if not (
        _allowed(part, "types", lambda value: _fits(kind, value))
        and _allowed(part, "senders", lambda value: sender == value)
        and _allowed(part, "rooms", lambda _: False)
    ):
        return False
    wanted = part.get("contains_url")
    return wanted is None or wanted == isinstance(content.get("url"), str)


def _allowed(part: Mapping[str, Any], name: str, fits: Callable[[str], bool]) -> bool:
    if any(fits(value) for value in part.get(f"not_{name}", ())):
        return False
    allowed = part.get(name)
    return allowed is None or any(fits(value) for value in allowed)


def _fits(kind: Any, pattern: str) -> bool:
    if pattern.endswith("*") and isinstance(kind, str):
        return kind.startswith(pattern[:-1])
    return bool(kind == pattern)


def _checked(definition: dict[str, Any]) -> dict[str, Any]:
    parts = [definition.get(name, {}) for name in ("account_data", "presence", "room")]
    if not all(isinstance(part, dict) and _fits_schema(part) for part in parts):
        raise Refusal(400, "M_UNKNOWN", "The filter does not fit the schema")
    return definition


def _fits_schema(part: dict[str, Any]) -> bool:
    lists = [part.get(negation + name, []) for negation in ("", "not_") for name in _LISTS]
    if not all(
        isinstance(values, list) and all(isinstance(value, str) for value in values)
        for values in lists
    ):
        return False
    # A wildcard is no user id, so that nobody can be hidden from everybody.
    senders = [*part.get("senders", []), *part.get("not_senders", [])]
    return all(sender.startswith("@") and ":" in sender for sender in senders)
