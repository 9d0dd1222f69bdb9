"""Rooms of the homeserver: inviting, joining, and the state that holds pending invitations.

https://spec.matrix.org/v1.16/client-server-api/#third-party-invites
https://spec.matrix.org/v1.16/client-server-api/#room-membership
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import attrs

from nio_identity_server.endpoint import Endpoint, Receiver
from nio_identity_server.grammar import check_medium

_STATE = "/_matrix/client/v3/rooms/{room_id}/state"
# Every member of the room is in it.
_STATE_CAP = 32 * 1024 * 1024


@attrs.frozen
class InviteBy3PID(Endpoint[dict[str, Any]]):
    """POST .../rooms/{roomId}/invite: invite whoever has an address.

    The homeserver asks the identity server whose it is; if nobody's, an invitation is stored there,
    a mail is sent, and an ``m.room.third_party_invite`` event appears. Synapse hashes the address
    as it is given, and says 500 ``M_UNKNOWN`` to whatever the identity server refuses.

    https://spec.matrix.org/v1.16/client-server-api/#thirdparty_post_matrixclientv3roomsroomidinvite
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/client/v3/rooms/{room_id}/invite"
    receiver: ClassVar[Receiver] = Receiver.HOMESERVER
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = dict[str, Any]

    room_id: str
    # Host and port without a scheme: Synapse answers 400 to "https://...".
    id_server: str
    id_access_token: str = attrs.field(repr=False)
    medium: str = attrs.field(validator=check_medium)
    address: str = attrs.field(repr=False)

    @property
    def body(self) -> Mapping[str, Any]:
        """All fields but the room."""
        return {
            "id_server": self.id_server,
            "id_access_token": self.id_access_token,
            "medium": self.medium,
            "address": self.address,
        }


@attrs.frozen
class InviteUser(Endpoint[dict[str, Any]]):
    """POST .../rooms/{roomId}/invite: invite a user whose id is known.

    https://spec.matrix.org/v1.16/client-server-api/#post_matrixclientv3roomsroomidinvite
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/client/v3/rooms/{room_id}/invite"
    receiver: ClassVar[Receiver] = Receiver.HOMESERVER
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = dict[str, Any]

    room_id: str
    user_id: str
    reason: str | None = None

    @property
    def body(self) -> Mapping[str, Any]:
        """The user, and the reason if there is one."""
        body = {"user_id": self.user_id}
        return body if self.reason is None else body | {"reason": self.reason}


@attrs.frozen
class JoinedRoom:
    """A room that the user is in.

    Attributes:
        room_id: Its id.
    """

    room_id: str


@attrs.frozen
class JoinRoom(Endpoint[JoinedRoom]):
    """POST .../join/{roomIdOrAlias}: enter a room, with the proof of an invitation if need be.

    A homeserver that is not in the room yet needs to be told by ``via`` which others are.

    https://spec.matrix.org/v1.16/client-server-api/#post_matrixclientv3joinroomidoralias
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/client/v3/join/{room_id_or_alias}"
    receiver: ClassVar[Receiver] = Receiver.HOMESERVER
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = JoinedRoom

    room_id_or_alias: str
    # The whole signed object, with keys that the specification does not know.
    third_party_signed: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    via: Sequence[str] = ()

    @property
    def target(self) -> str:
        """The path with the room filled in, and a query of servers if there are any."""
        query = urlencode([("via", server) for server in self.via], quote_via=quote)
        return f"{super().target}?{query}" if query else super().target

    @property
    def body(self) -> Mapping[str, Any]:
        """The proof, if there is one."""
        if self.third_party_signed is None:
            return {}
        return {"third_party_signed": self.third_party_signed}


@attrs.frozen
class StateEvent:
    """One piece of a room's state.

    Attributes:
        type: Its type, like ``m.room.third_party_invite``.
        state_key: Which of that type; for a third-party invite, its token.
        sender: Who sent it.
        content: Its content; that of a revoked invite is empty.
    """

    type: str
    state_key: str
    sender: str
    content: dict[str, Any]


@attrs.frozen
class GetRoomState(Endpoint[tuple[StateEvent, ...]]):
    """GET .../rooms/{roomId}/state: all of a room's state.

    The only call that lists pending third-party invites; it lists every member too.

    https://spec.matrix.org/v1.16/client-server-api/#get_matrixclientv3roomsroomidstate
    """

    path: ClassVar[str] = _STATE
    receiver: ClassVar[Receiver] = Receiver.HOMESERVER
    authenticated: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = tuple[StateEvent, ...]
    cap: ClassVar[int] = _STATE_CAP

    room_id: str


@attrs.frozen
class SentEvent:
    """An event that a room has taken.

    Attributes:
        event_id: Its id.
    """

    event_id: str


@attrs.frozen
class SetRoomStateWithKey(Endpoint[SentEvent]):
    """PUT .../rooms/{roomId}/state/{eventType}/{stateKey}: send one state event.

    An ``m.room.third_party_invite`` with empty content revokes the one with the same key.

    https://spec.matrix.org/v1.16/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey
    """

    method: ClassVar[str] = "PUT"
    path: ClassVar[str] = _STATE + "/{event_type}/{state_key}"
    receiver: ClassVar[Receiver] = Receiver.HOMESERVER
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = SentEvent

    room_id: str
    event_type: str
    state_key: str
    content: Mapping[str, Any]

    @property
    def body(self) -> Mapping[str, Any]:
        """The content itself."""
        return self.content
