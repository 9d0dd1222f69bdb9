"""Whose state it is: compared at every use."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from nio_identity_server.client.accounts import Accounts


def client(user_id: str = "", access_token: str = "") -> Any:
    """As much of a client as matters here."""
    return SimpleNamespace(user_id=user_id, access_token=access_token)


def test_the_same_user_keeps_the_state_whatever_the_token() -> None:
    """A new token of the same user is still that user."""
    nio = client("@alice:x", "one")
    accounts = Accounts(nio, print)
    state = accounts.current()
    nio.access_token = "two"
    assert accounts.current() is state


def test_learning_the_users_id_is_adoption() -> None:
    """A login, or whoami(), in the middle of the first sync starts nothing anew."""
    nio = client()
    accounts = Accounts(nio, print)
    state = accounts.current()
    nio.access_token = "one"
    assert accounts.current() is state
    nio.user_id = "@alice:x"
    assert accounts.current() is state
    assert state.user_id == "@alice:x"


def test_another_user_starts_anew() -> None:
    """The former user's state is ended, with the reason."""
    nio = client("@alice:x", "one")
    accounts = Accounts(nio, print)
    state = accounts.current()
    nio.user_id = "@bob:x"
    assert accounts.current() is not state
    assert state.ended == "another user is logged in"


def test_another_token_of_nobody_knows_whom_starts_anew() -> None:
    """It may be anybody's."""
    nio = client("", "one")
    accounts = Accounts(nio, print)
    state = accounts.current()
    nio.access_token = "two"
    assert accounts.current() is not state


def test_a_user_who_is_gone_starts_anew() -> None:
    """An empty id after a known one is not the same user."""
    nio = client("@alice:x", "one")
    accounts = Accounts(nio, print)
    state = accounts.current()
    nio.user_id = ""
    assert accounts.current() is not state


def test_a_token_of_an_unknown_user_and_then_another_users_id_and_token() -> None:
    """Two logins in a row without a look in between: nothing is adopted."""
    nio = client("", "one")
    accounts = Accounts(nio, print)
    state = accounts.current()
    nio.user_id, nio.access_token = "@bob:x", "two"
    assert accounts.current() is not state
