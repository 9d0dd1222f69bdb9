"""Request bodies, read and refused as Sydent does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nio_identity_server.testing.replies import Refusal
from nio_identity_server.testing.requests import Request

OLD_PREFIX = "/_matrix/identity/api/v1"
"""Where the links lead that Sydent 2.6.1 gives to people and homeservers."""


def arguments(request: Request, *names: str) -> dict[str, Any]:
    """Read the body as a JSON object that has all these keys.

    Raises:
        Refusal: 400 `M_BAD_JSON` for what is no JSON, `M_MISSING_PARAMS` (the Identity Service
            API's plural) for missing keys; 500 for JSON that can have none.
    """
    try:
        content = request.json
    except ValueError:
        raise Refusal(400, "M_BAD_JSON", "Malformed JSON") from None
    if content is None:
        content = {}
    # Sydent looks for the keys in a list and in a string too; there is none in a number.
    if not isinstance(content, dict | list | str):
        raise broken()
    missing = [name for name in names if name not in content]
    if missing:
        raise Refusal(400, "M_MISSING_PARAMS", f"Missing parameters: {','.join(missing)}")
    if not isinstance(content, dict):
        raise broken()
    return content


def query_arguments(request: Request, *names: str) -> Mapping[str, str]:
    """Read the query, which has to have all these keys.

    Raises:
        Refusal: 400 `M_MISSING_PARAMS`.
    """
    missing = [name for name in names if name not in request.query]
    if missing:
        raise Refusal(400, "M_MISSING_PARAMS", f"Missing parameters: {','.join(missing)}")
    return request.query


def broken() -> Refusal:
    """What Sydent 2.6.1 says when a value of the wrong type trips it up."""
    return Refusal(500, "M_UNKNOWN", "Internal Server Error")
