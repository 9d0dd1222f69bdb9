"""What can stand in the way of a request, and be put right once."""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus

from nio_identity_server.errors import HomeserverError, MatrixError


class Obstacle(Enum):
    """What can stand in the way of a request, and be put right once."""

    TOKEN = "token"  # noqa: S105 - a word
    TERMS = "terms"


def obstacle_of(error: MatrixError | HomeserverError) -> Obstacle | None:
    """401 anywhere is the token; and what Synapse makes of it: 400 ``M_UNAUTHORIZED``.

    Not 403 ``M_UNAUTHORIZED``, which is about what is asked: renewing would go on for ever.
    """
    if (error.status, error.errcode) == (403, "M_TERMS_NOT_SIGNED"):
        return Obstacle.TERMS
    refused = (400, "M_UNAUTHORIZED")
    if isinstance(error, HomeserverError):
        return Obstacle.TOKEN if (error.status, error.errcode) == refused else None
    return Obstacle.TOKEN if error.status == HTTPStatus.UNAUTHORIZED else None
