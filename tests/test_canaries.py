"""The watch over secrets sees what it is there for: otherwise its silence would mean nothing."""

import pytest

from tests.canaries import Canaries


def _refuse(token: str) -> None:
    """Fail with a secret among the local variables, as a careless frame would."""
    raise ValueError(f"a request with {len(token)} characters of token failed")


def _refusal() -> ValueError:
    with pytest.raises(ValueError, match="characters of token") as caught:
        _refuse("syt_canary")
    return caught.value


def test_a_token_in_a_local_variable_of_a_frame_is_seen() -> None:
    """Loggers print local variables, so a clean message alone is no proof."""
    canaries = Canaries(homeserver_tokens={"syt_canary"})
    canaries.caught(_refusal())
    with pytest.raises(AssertionError, match="tells 1 secret"):
        canaries.check()


def test_an_exception_that_tells_nothing_passes() -> None:
    """A secret that is not in the exception is not found in it."""
    canaries = Canaries(homeserver_tokens={"syt_another"})
    canaries.caught(_refusal())
    canaries.check()
