from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import pytest

from nio_identity_server.secret import Secret

TEXT = "canary-of-a-token"


def test_a_secret_gives_its_text_to_whoever_asks() -> None:
    """And to nobody else."""
    assert Secret(TEXT).reveal() == TEXT


@pytest.mark.parametrize("how", ["{}", "{!r}", "{!s}", "{!a}", "{:}"])
def test_a_secret_is_never_shown(how: str) -> None:
    """Printed or formatted in any way, alone or inside of something."""
    secret = Secret(TEXT)
    shown = how.format(secret) + how.format([secret]) + how.format({"token": secret})
    assert TEXT not in shown
    assert "Secret(***)" in shown


def test_a_secret_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Not even by whoever means to."""
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug("%s %r", Secret(TEXT), {"x": Secret(TEXT)})
    assert "Secret(***)" in caplog.text
    assert TEXT not in caplog.text


def test_a_secret_does_not_show_in_a_traceback_with_local_variables() -> None:
    """As crash reporters print it."""
    secret = Secret(f"{TEXT}-held-in-a-variable")
    with pytest.raises(ValueError, match="Secret") as caught:
        _fail(secret)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "-held-in" not in "".join(line for line in shown.format() if 'f"' not in line)


def _fail(secret: Secret) -> None:
    raise ValueError(secret)


@pytest.mark.parametrize("save", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_neither_pickled_nor_copied(save: object) -> None:
    """A copy of a client takes no token along."""
    assert callable(save)
    with pytest.raises(TypeError, match="not pickled or copied"):
        save(Secret(TEXT))
    with pytest.raises(TypeError):
        json.dumps(Secret(TEXT))


def test_a_secret_has_no_attributes_to_look_at() -> None:
    """Nothing for ``vars()`` to show."""
    with pytest.raises(TypeError):
        vars(Secret(TEXT))


def test_secrets_compare_by_their_text() -> None:
    """With other secrets only, so that a text is never taken for one."""
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret("another")
    assert Secret(TEXT) != TEXT
    assert Secret("\u00e9") == Secret("\u00e9")
    assert len({Secret(TEXT), Secret(TEXT), Secret("another")}) == 2
