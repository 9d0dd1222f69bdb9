"""Request bodies, read and refused as Synapse does."""

from __future__ import annotations

from typing import Any

from nio_identity_server.testing.replies import Refusal
from nio_identity_server.testing.requests import Request


def json_object(request: Request, *, optional: bool = False) -> dict[str, Any]:
    """Read the body as a JSON object; an empty body is refused like any other garbage.

    Args:
        request: The request.
        optional: Take an empty body for an empty object instead.

    Raises:
        Refusal: 400 `M_NOT_JSON` or `M_BAD_JSON`, the two words of Synapse 1.163.
    """
    if optional and not request.body:
        return {}
    try:
        content = request.json
    except ValueError:
        raise Refusal(400, "M_NOT_JSON", "Content not JSON.") from None
    if not isinstance(content, dict):
        raise Refusal(400, "M_BAD_JSON", "Content must be a JSON object.")
    return content


def user_id_of(value: Any) -> str:
    """Give a value that is a user id.

    Raises:
        Refusal: 400 `M_INVALID_PARAM`; 500 if it is no string.
    """
    if not isinstance(value, str):
        raise Refusal(500, "M_UNKNOWN", "Internal server error")
    if not (value.startswith("@") and ":" in value):
        raise Refusal(400, "M_INVALID_PARAM", "Expected UserID string to start with '@'")
    return value
