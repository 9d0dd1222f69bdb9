"""Is there an identity server, and which versions does it speak.

https://spec.matrix.org/v1.16/identity-service-api/#api-versioning
https://spec.matrix.org/v1.16/identity-service-api/#status-check
"""

from __future__ import annotations

from typing import Any, ClassVar

import attrs

from nio_identity_server.endpoint import Endpoint


@attrs.frozen
class Versions:
    """The versions of the specification that a server supports.

    Attributes:
        versions: Like ``v1.1``, or ``r0.2.1`` in historical cases.
    """

    versions: tuple[str, ...]


@attrs.frozen
class GetVersions(Endpoint[Versions]):
    """GET /_matrix/identity/versions: the supported versions of the specification.

    https://spec.matrix.org/v1.16/identity-service-api/#get_matrixidentityversions
    """

    path: ClassVar[str] = "/_matrix/identity/versions"
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = Versions


@attrs.frozen
class Ping(Endpoint[dict[str, Any]]):
    """GET /_matrix/identity/v2: an empty object from every identity server.

    https://spec.matrix.org/v1.16/identity-service-api/#get_matrixidentityv2
    """

    path: ClassVar[str] = "/_matrix/identity/v2"
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = dict[str, Any]
