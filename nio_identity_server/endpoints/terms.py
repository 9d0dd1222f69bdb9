"""The terms of service of an identity server.

https://spec.matrix.org/v1.16/identity-service-api/#terms-of-service
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import attrs

from nio_identity_server.endpoint import Endpoint

MOST_POLICIES = 100
MOST_LANGUAGES = 100
LONGEST_NAME = 500
LONGEST_URL = 2048


@attrs.frozen
class Document:
    """One policy in one language.

    Attributes:
        name: What to call it, in that language.
        url: Where it is; to accept a policy means to name this.
    """

    name: str
    url: str

    @property
    def is_usable(self) -> bool:
        """Whether a person can be shown it, being a plain ``https`` URL and a name of sane length.

        ``javascript:`` and ``data:`` URLs have been served to clients that linked them.
        """
        plain = self.url.isascii() and self.url.isprintable() and not {" ", "\\"} & set(self.url)
        if not plain or len(self.url) > LONGEST_URL or len(self.name) > LONGEST_NAME:
            return False
        try:
            split = urlsplit(self.url)
            _ = split.port  # raises for one that does not exist
        except ValueError:
            return False
        return split.scheme == "https" and bool(split.hostname) and "@" not in split.netloc


@attrs.frozen
class Policy:
    """One policy of a server.

    Attributes:
        name: Its key, like ``privacy_policy``.
        version: Its version.
        documents: The usable ones by language. Empty means that it can never be accepted.
    """

    name: str
    version: str
    documents: Mapping[str, Document]


@attrs.frozen
class Terms:
    """What the server says: by policy, a ``version`` and one document for each language."""

    policies: dict[str, dict[str, str | Document]]

    def __attrs_post_init__(self) -> None:
        if any(isinstance(policy.get("version"), Document) for policy in self.policies.values()):
            raise ValueError("the version of a policy is a text")

    @property
    def offered(self) -> tuple[Policy, ...]:
        """The policies, at most 100 with at most 100 languages each."""
        first = list(self.policies.items())[:MOST_POLICIES]
        return tuple(_policy(name, policy) for name, policy in first)


def _policy(name: str, policy: Mapping[str, str | Document]) -> Policy:
    usable = [
        (language, document)
        for language, document in policy.items()
        if isinstance(document, Document) and document.is_usable
    ]
    version = str(policy.get("version", ""))
    documents = dict(usable[:MOST_LANGUAGES])
    return Policy(name[:LONGEST_NAME], version[:LONGEST_NAME], documents)


@attrs.frozen
class GetTerms(Endpoint[Terms]):
    """GET /_matrix/identity/v2/terms: every policy that the server offers; needs no token.

    https://spec.matrix.org/v1.16/identity-service-api/#get_matrixidentityv2terms
    """

    path: ClassVar[str] = "/_matrix/identity/v2/terms"
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = Terms


@attrs.frozen
class AgreeToTerms(Endpoint[dict[str, Any]]):
    """POST /_matrix/identity/v2/terms: say which documents the user accepts.

    The URL must be the one in the language that the user was shown. Sydent adds to what was
    accepted before, works while terms are unsigned, and refuses the whole list with 400
    ``M_UNKNOWN`` if it does not offer one of the URLs.

    https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv2terms
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/identity/v2/terms"
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = dict[str, Any]

    user_accepts: Sequence[str]

    @property
    def body(self) -> Mapping[str, Any]:
        """The URLs."""
        return {"user_accepts": list(self.user_accepts)}
