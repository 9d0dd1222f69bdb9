"""Addresses as people write them."""

from __future__ import annotations

from nio_identity_server.threepid import ThreePid


def spell(threepid: ThreePid) -> str:
    """An address in the form in which it can be given again: a phone number has its ``+``."""
    return threepid.address if threepid.medium == "email" else f"+{threepid.address}"
