"""What goes wrong with invitations by address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nio_identity_server.errors.root import IdentityServerError


class InvitesFailed(IdentityServerError):
    """A room was made, but not everybody could be invited into it.

    Attributes:
        room_id: The room, which exists.
        failed: Why, by address (``ThreePid``); who was not tried any more is there too.
        response: nio's answer to the making of the room.
    """

    def __init__(self, room_id: str, failed: Mapping[Any, Exception], response: Any) -> None:
        super().__init__(
            f"the room {room_id} was made, but {len(failed)} could not be invited; "
            "invite_all() the addresses in .failed again when the reason is gone"
        )
        self.room_id = room_id
        self.failed = dict(failed)
        self.response = response


class OtherServersInvite(IdentityServerError):
    """An invitation belongs to an identity server that is not the user's.

    Attributes:
        invite_server: The server that the invitation names.
        server: Base URL of the user's own.
    """

    def __init__(self, invite_server: str, server: str) -> None:
        super().__init__(
            f"the invitation belongs to {invite_server}, but the user's identity server is "
            f"{server}; nothing was sent to either: set({invite_server!r}) if the user agrees, or "
            "pass sender= (the inviter's user ID) to sign here"
        )
        self.invite_server = invite_server
        self.server = server


class BadSignature(IdentityServerError):
    """Something that a server is said to have signed is not signed with a valid key of it.

    Attributes:
        reason: What is wrong.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the signature proves nothing: {reason}; do not trust what it stands on")
        self.reason = reason
