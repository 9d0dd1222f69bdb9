"""Request bodies, read and refused as Synapse does."""

from __future__ import annotations

from typing import Any

from nio_identity_server.testing.replies import Refusal
from nio_identity_server.testing.requests import Request


def json_object(request: Request) -> dict[str, Any]:
    """Read the body as a JSON object; an empty body is refused like any other garbage.

    Raises:
        Refusal: 400 `M_NOT_JSON` or `M_BAD_JSON`, the two words of Synapse 1.163.
    """
    try:
        content = request.json
    except ValueError:
        raise Refusal(400, "M_NOT_JSON", "Content not JSON.") from None
    if not isinstance(content, dict):
        raise Refusal(400, "M_BAD_JSON", "Content must be a JSON object.")
    return content
