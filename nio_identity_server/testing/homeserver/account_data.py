"""The account data of users."""

from __future__ import annotations

import itertools
from typing import Any

import attrs

from nio_identity_server.testing.homeserver.accounts import Accounts
from nio_identity_server.testing.homeserver.bodies import json_object
from nio_identity_server.testing.homeserver.paths import client_routes
from nio_identity_server.testing.homeserver.stream import Stream
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.routes import Call, Route

_PUSH_RULES = "m.push_rules"


@attrs.frozen
class Write:
    """A piece of account data that a client has written over HTTP.

    Attributes:
        user_id: Whose.
        type: The type of the event.
        content: What was stored.
        device_id: The device whose token was used.
    """

    user_id: str
    type: str
    content: dict[str, Any]
    device_id: str


@attrs.frozen
class _Entry:
    position: int
    event: Any
    content: Any
    deleted: bool = False


@attrs.frozen
class _Replay:
    position: int
    events: list[Any]
    instead: bool


class AccountData:
    """The account data of all users, and the chapter of the API that reads and writes it.

    Attributes:
        writes: What came by HTTP and was accepted, in order.
    """

    def __init__(self, accounts: Accounts, stream: Stream) -> None:
        self.writes: list[Write] = []
        self._accounts = accounts
        self._stream = stream
        self._entries: dict[str, dict[str, _Entry]] = {}
        self._replays: dict[str, list[_Replay]] = {}

    def routes(self) -> list[Route]:
        """Give the routes of this chapter."""
        path = "/user/{user_id}/account_data/{type}"
        return [*client_routes("GET", path, self._get), *client_routes("PUT", path, self._put)]

    def store(self, user_id: str, event_type: str, content: Any, event: Any) -> None:
        """Store any content, and let a sync deliver any event for it."""
        entry = _Entry(self._stream.advance(), event, content)
        self._entries.setdefault(user_id, {})[event_type] = entry

    def delete(self, user_id: str, event_type: str) -> None:
        """Remove a type: it is absent afterwards, and the next sync says `{}` (MSC3391).

        Raises:
            KeyError: It is absent.
        """
        self.content(user_id, event_type)
        event = {"type": event_type, "content": {}}
        entry = _Entry(self._stream.advance(), event, None, deleted=True)
        self._entries[user_id][event_type] = entry

    def content(self, user_id: str, event_type: str) -> Any:
        """Give what is stored.

        Raises:
            KeyError: Nothing is.
        """
        entry = self._entries.get(user_id, {}).get(event_type)
        if entry is None or entry.deleted:
            raise KeyError(event_type)
        return entry.content

    def replay(self, user_id: str, events: list[Any], *, instead: bool) -> None:
        """Add events to the next sync of this user, or put them in place of the true ones."""
        replay = _Replay(self._stream.advance(), events, instead)
        self._replays.setdefault(user_id, []).append(replay)

    def events(self, user_id: str, since: int | None) -> list[Any]:
        """Give the true events: all of them, or those that changed after a position."""
        entries = sorted(self._entries.get(user_id, {}).values(), key=lambda entry: entry.position)
        if since is not None:
            return [entry.event for entry in entries if entry.position > since]
        # Push rules are always there: Synapse 1.163 keeps them in a table of their own.
        rules = {"type": _PUSH_RULES, "content": _push_rules()}
        return [rules, *(entry.event for entry in entries if not entry.deleted)]

    def replays(self, user_id: str) -> tuple[list[Any], bool]:
        """Give the events to replay, once, and whether they stand in place of the true ones."""
        replays = self._replays.pop(user_id, [])
        events = itertools.chain.from_iterable(replay.events for replay in replays)
        return list(events), any(replay.instead for replay in replays)

    async def _get(self, call: Call) -> Reply:
        account = self._accounts.owner(call, "Cannot get account data for other users.")
        event_type = call.values["type"]
        if event_type == _PUSH_RULES:
            return Reply.of_json(_push_rules())
        try:
            return Reply.of_json(self.content(account.user_id, event_type))
        except KeyError:
            raise Refusal(404, "M_NOT_FOUND", "Account data not found") from None

    async def _put(self, call: Call) -> Reply:
        account = self._accounts.owner(call, "Cannot add account data for other users.")
        event_type = call.values["type"]
        if event_type in (_PUSH_RULES, "m.fully_read"):
            raise Refusal(405, "M_BAD_JSON", f"Cannot set {event_type} through this API.")
        content = json_object(call.request)
        self.writes.append(Write(account.user_id, event_type, content, account.device_id))
        event = {"type": event_type, "content": content}
        self.store(account.user_id, event_type, content, event)
        return Reply.of_json({})


def _push_rules() -> dict[str, Any]:
    kinds = ("override", "content", "room", "sender", "underride")
    return {"global": {kind: [] for kind in kinds}}
