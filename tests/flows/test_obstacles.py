from __future__ import annotations

import pytest

from nio_identity_server.errors import HomeserverError, MatrixError
from nio_identity_server.flows.obstacles import Obstacle, obstacle_of

TOKEN, TERMS = Obstacle.TOKEN, Obstacle.TERMS


@pytest.mark.parametrize(
    ("status", "errcode", "at_identity_server", "through_homeserver"),
    [
        (401, "M_UNAUTHORIZED", TOKEN, None),
        (401, "M_UNKNOWN_TOKEN", TOKEN, None),
        (401, "", TOKEN, None),
        (400, "M_UNAUTHORIZED", None, TOKEN),
        (400, "M_UNKNOWN", None, None),
        (403, "M_UNAUTHORIZED", None, None),
        (403, "M_TERMS_NOT_SIGNED", TERMS, TERMS),
        (403, "M_FORBIDDEN", None, None),
        (400, "M_TERMS_NOT_SIGNED", None, None),
        (500, "M_UNKNOWN", None, None),
    ],
)
def test_what_an_error_tells(
    status: int,
    errcode: str,
    at_identity_server: Obstacle | None,
    through_homeserver: Obstacle | None,
) -> None:
    """A refused token and unsigned terms are known by status and code, and by who says it.

    A homeserver's own 401 is about its own token.
    """
    at_one = MatrixError(status, errcode, "no", "https://id.example.org")
    through_other = HomeserverError(status, errcode, "no", "https://matrix.example.org")

    assert obstacle_of(at_one) is at_identity_server
    assert obstacle_of(through_other) is through_homeserver
