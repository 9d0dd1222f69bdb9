"""The terms of an identity server, and who has accepted what."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from nio_identity_server.testing.replies import Refusal


class Policies:
    """Policies that users must accept, one URL of each.

    Like Sydent 2.6.1, consent belongs to the user and not to the token, acceptances add up, and a
    new set of policies asks everybody again; whether what a user has accepted is enough is only
    looked at when they accept something.

    Attributes:
        documents: Name -> `version` and one `{name, url}` per language; empty for no terms.
        accepted: User id -> the URLs accepted so far.
    """

    def __init__(self) -> None:
        self.documents: Mapping[str, Mapping[str, Any]] = {}
        self.accepted: dict[str, set[str]] = {}
        self._consenting: set[str] = set()
        self._versions = itertools.count(1)

    def require(self, documents: Mapping[str, Mapping[str, Any]] | None) -> list[str]:
        """Put up new policies, or the next usual one; what was accepted stays on record.

        Returns:
            The URLs of all documents.
        """
        self.documents = _privacy(next(self._versions)) if documents is None else documents
        self._consenting.clear()
        return sorted(url for urls in self._urls().values() for url in urls)

    def accept(self, user_id: str, urls: Iterable[str]) -> None:
        """Note that a user accepts some URLs.

        Raises:
            Refusal: 400 `M_UNKNOWN`: one of them is not offered; none is noted.
        """
        offered = {url for urls in self._urls().values() for url in urls}
        unknown = set(urls) - offered
        if unknown:
            raise Refusal(400, "M_UNKNOWN", f"Unrecognised URLs: {', '.join(sorted(unknown))}")
        accepted = self.accepted.setdefault(user_id, set())
        accepted.update(urls)
        if all(accepted & urls for urls in self._urls().values()):
            self._consenting.add(user_id)

    def check(self, user_id: str) -> None:
        """Make sure that a user has accepted the terms, if there are any.

        Raises:
            Refusal: 403 `M_TERMS_NOT_SIGNED`.
        """
        if self.documents and user_id not in self._consenting:
            raise Refusal(403, "M_TERMS_NOT_SIGNED", "Terms not signed")

    def _urls(self) -> dict[str, set[str]]:
        return {
            name: {text["url"] for key, text in document.items() if key != "version"}
            for name, document in self.documents.items()
        }


def _privacy(version: int) -> Mapping[str, Mapping[str, Any]]:
    url = f"https://example.test/privacy-{version}"
    return {
        "privacy_policy": {"version": str(version), "en": {"name": "Privacy Policy", "url": url}}
    }
