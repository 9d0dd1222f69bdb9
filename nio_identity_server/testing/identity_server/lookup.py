"""The chapter of the lookup: who has this address."""

from __future__ import annotations

import base64
import hashlib
import secrets
import string
from typing import Any

from nio_identity_server.testing.identity_server.accounts import Accounts
from nio_identity_server.testing.identity_server.bodies import arguments, broken
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.routes import Call, Route

_LIMIT = 10_000
_LETTERS = string.ascii_letters + string.digits


class Lookup:
    """The addresses that are bound, and the two calls that find them.

    Attributes:
        algorithms: What is offered, and accepted.
        pepper: The current pepper.
        bound: `(medium, address)` -> user id; email addresses are folded.
    """

    def __init__(self, accounts: Accounts, pepper: str | None) -> None:
        self.algorithms = ["sha256", "none"]
        self.pepper = pepper or _new_pepper()
        self.bound: dict[tuple[str, str], str] = {}
        self._accounts = accounts

    def routes(self, prefix: str) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            Route("GET", f"{prefix}/hash_details", self._hash_details),
            Route("POST", f"{prefix}/lookup", self._lookup),
        ]

    def rotate(self, pepper: str | None) -> str:
        """Take another pepper, and give it."""
        self.pepper = pepper or _new_pepper()
        return self.pepper

    async def _hash_details(self, call: Call) -> Reply:
        self._accounts.authenticate(call.request)
        return Reply.of_json({"algorithms": self.algorithms, "lookup_pepper": self.pepper})

    async def _lookup(self, call: Call) -> Reply:
        self._accounts.authenticate(call.request)
        given = arguments(call.request, "addresses", "algorithm", "pepper")
        addresses, algorithm = given["addresses"], str(given["algorithm"])
        self._check(addresses, algorithm, str(given["pepper"]))
        find = self._plain if algorithm == "none" else self._hashed
        return Reply.of_json({"mappings": find(addresses)})

    def _check(self, addresses: Any, algorithm: str, pepper: str) -> None:
        """Refuse in the order of Sydent 2.6.1: list, algorithm, amount, pepper."""
        if not isinstance(addresses, list):
            raise Refusal(400, "M_INVALID_PARAM", "addresses must be a list")
        if algorithm not in self.algorithms:
            raise Refusal(400, "M_INVALID_PARAM", "algorithm is not supported")
        if len(addresses) > _LIMIT:
            raise Refusal(400, "M_TOO_LARGE", "More than the maximum amount of addresses provided")
        if pepper != self.pepper:
            raise Refusal(
                400,
                "M_INVALID_PEPPER",
                f"pepper does not match '{self.pepper}'",
                algorithm=algorithm,
                lookup_pepper=self.pepper,
            )

    def _hashed(self, addresses: list[Any]) -> dict[str, str]:
        if any(isinstance(address, list | dict) for address in addresses):
            raise broken()
        index = {
            lookup_hash(medium, address, self.pepper): user_id
            for (medium, address), user_id in self.bound.items()
        }
        return {address: index[address] for address in addresses if address in index}

    def _plain(self, addresses: list[Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        for pair in addresses:
            if not isinstance(pair, str):
                raise broken()
            try:
                address, medium = pair.split()
            except ValueError:
                raise Refusal(
                    400, "M_UNKNOWN", f'Invalid "address medium" pair: "{pair}"'
                ) from None
            key = bound_key(medium, address)
            if key in self.bound:
                # The key comes back as it is stored, folded, and not as it was sent.
                found[f"{key[1]} {key[0]}"] = self.bound[key]
        return found


def bound_key(medium: str, address: str) -> tuple[str, str]:
    """Give the form in which an address is kept: email addresses are folded."""
    return medium, address.casefold() if medium == "email" else address


def lookup_hash(medium: str, address: str, pepper: str) -> str:
    """Hash an address for a lookup (Identity Service API, "Security considerations").

    SHA-256 of address, medium and pepper with spaces between, in URL-safe unpadded base64.
    """
    digest = hashlib.sha256(f"{address} {medium} {pepper}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _new_pepper() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(5))
