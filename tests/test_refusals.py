from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nio_identity_server.errors import (
    AddressRefused,
    HomeserverError,
    IdentityServerError,
    InvitesFailed,
    MatrixError,
    NotValidated,
    OtherServersInvite,
    OutcomeUnknown,
    RateLimited,
    SendingFailed,
    ThreePidInUse,
    ValidationExpired,
    WrongToken,
)
from nio_identity_server.errors.refusals import passed_on, refusal
from nio_identity_server.threepid import email
from tests.canaries import assert_no_secret

SERVER = "https://id.example.org"
HOMESERVER = "https://matrix.example.org"
ALICE = "@alice:example.org"

# https://spec.matrix.org/v1.16/identity-service-api/#standard-error-response, and Sydent.
KINDS: dict[str, type[MatrixError]] = {
    "M_DESTINATION_REJECTED": AddressRefused,
    "M_EMAIL_SEND_ERROR": SendingFailed,
    "M_INVALID_ADDRESS": AddressRefused,
    "M_INVALID_EMAIL": AddressRefused,
    "M_INVALID_PHONE_NUMBER": AddressRefused,
    "M_NO_VALID_SESSION": ValidationExpired,
    "M_SEND_ERROR": SendingFailed,
    "M_SESSION_EXPIRED": ValidationExpired,
    "M_SESSION_NOT_VALIDATED": NotValidated,
    "M_THREEPID_IN_USE": ThreePidInUse,
    "M_TOKEN_INCORRECT": WrongToken,
}
OTHERS = [
    "M_UNKNOWN",
    "M_UNAUTHORIZED",
    "M_FORBIDDEN",
    "M_NOT_FOUND",
    "M_TERMS_NOT_SIGNED",
    "M_LIMIT_EXCEEDED",
    "M_INVALID_PARAM",
    "M_MISSING_PARAM",
    "M_SERVER_NOT_TRUSTED",
    "M_THREEPID_NOT_FOUND",
    "m_threepid_in_use",
    "",
]
STATUSES = st.integers(300, 599)


def homeserver_error(status: int | None, errcode: str, kind: type[HomeserverError]) -> MatrixError:
    """What is made of what a homeserver said; the test expects that it is something."""
    told = passed_on(kind(status, errcode, "No.", HOMESERVER, 5.0), SERVER)
    assert told is not None
    return told


# -- what an identity server refuses


@pytest.mark.parametrize(("errcode", "kind"), KINDS.items())
@pytest.mark.parametrize("status", [200, 400, 403, 404, 500])
def test_a_refusal_has_a_class_of_its_own(
    status: int, errcode: str, kind: type[MatrixError]
) -> None:
    """By its error code, whatever the status; and it says what the server said."""
    error = refusal(status, errcode, "No.", SERVER)

    assert type(error) is kind
    assert (error.status, error.errcode, error.message, error.server) == (
        status,
        errcode,
        "No.",
        SERVER,
    )
    assert f"{SERVER} refused: HTTP {status} {errcode} No." in str(error)
    assert kind.advice
    assert str(error).endswith(kind.advice)


@pytest.mark.parametrize("errcode", OTHERS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503])
def test_any_other_refusal_is_a_matrix_error(status: int, errcode: str) -> None:
    """Nothing is guessed from the status."""
    error = refusal(status, errcode, "No.", SERVER, retry_after=5.0, user_id=ALICE)

    assert type(error) is MatrixError
    assert vars(error) == {"status": status, "errcode": errcode, "message": "No.", "server": SERVER}


@pytest.mark.parametrize("errcode", [*KINDS, *OTHERS])
@pytest.mark.parametrize("retry_after", [None, 0.0, 2.5])
def test_429_asks_for_patience_with_any_error_code(errcode: str, retry_after: float | None) -> None:
    """Sydent says M_UNKNOWN."""
    error = refusal(429, errcode, "Slow down", SERVER, retry_after=retry_after, user_id=ALICE)

    assert type(error) is RateLimited
    assert vars(error) == {
        "status": 429,
        "errcode": errcode,
        "message": "Slow down",
        "server": SERVER,
        "retry_after": retry_after,
    }


@pytest.mark.parametrize("user_id", [None, ALICE])
def test_an_address_in_use_says_whose_it_is(user_id: str | None) -> None:
    """If the server does; it is not left over from another refusal."""
    error = refusal(400, "M_THREEPID_IN_USE", "", SERVER, user_id=user_id)

    assert isinstance(error, ThreePidInUse)
    assert error.user_id == user_id
    assert isinstance(again := error.again(), ThreePidInUse)
    assert again.user_id == user_id
    later = refusal(400, "M_THREEPID_IN_USE", "", SERVER)
    assert isinstance(later, ThreePidInUse)
    assert later.user_id is None


@pytest.mark.parametrize("errcode", [each for each in KINDS if each != "M_THREEPID_IN_USE"])
def test_no_other_refusal_names_a_user(errcode: str) -> None:
    """It is about this user's own address."""
    assert not hasattr(refusal(400, errcode, "", SERVER, user_id=ALICE), "user_id")


@given(STATUSES, st.text(), st.text())
def test_whatever_a_server_says_becomes_an_exception(
    status: int, errcode: str, message: str
) -> None:
    """Of the class that callers catch."""
    error = refusal(status, errcode, message, SERVER)

    assert isinstance(error, MatrixError)
    assert isinstance(error, IdentityServerError)
    assert (type(error) is RateLimited) is (status == 429)


# -- what a homeserver passes on


@pytest.mark.parametrize(("errcode", "kind"), KINDS.items())
@pytest.mark.parametrize("status", [400, 403, 404])
def test_what_the_identity_server_said_is_told_as_its_own_word(
    status: int, errcode: str, kind: type[MatrixError]
) -> None:
    """It names the identity server and not the homeserver, which only passed it on."""
    error = homeserver_error(status, errcode, HomeserverError)

    assert type(error) is kind
    assert (error.status, error.errcode, error.message) == (status, errcode, "No.")
    assert error.server == SERVER
    assert HOMESERVER not in str(error)


@pytest.mark.parametrize("errcode", OTHERS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_what_a_homeserver_says_itself_is_not_put_on_the_identity_server(
    status: int, errcode: str
) -> None:
    """Anything that could be its own word stays its own word."""
    assert passed_on(HomeserverError(status, errcode, "No.", HOMESERVER), SERVER) is None


@pytest.mark.parametrize("errcode", [*KINDS, *OTHERS])
@pytest.mark.parametrize("status", [None, 200, 400, 500, 502])
def test_what_may_have_been_done_is_no_refusal(status: int | None, errcode: str) -> None:
    """Whatever the words: a write whose end nobody knows stays that."""
    assert passed_on(OutcomeUnknown(status, errcode, "No.", HOMESERVER), SERVER) is None


@pytest.mark.parametrize("errcode", [*KINDS, *OTHERS])
def test_a_homeserver_that_did_not_answer_has_passed_nothing_on(errcode: str) -> None:
    """There is no status, so there was no answer."""
    assert passed_on(HomeserverError(None, errcode, "No.", HOMESERVER), SERVER) is None


def test_an_address_in_use_that_was_passed_on_names_nobody() -> None:
    """The homeserver does not pass on whose it is."""
    error = homeserver_error(400, "M_THREEPID_IN_USE", HomeserverError)

    assert isinstance(error, ThreePidInUse)
    assert error.user_id is None


def test_patience_that_is_asked_for_in_the_middle_is_asked_for() -> None:
    """A 429 is one with any error code here too."""
    assert type(homeserver_error(429, "M_SEND_ERROR", HomeserverError)) is RateLimited


# -- invitations


def test_a_room_that_not_everybody_could_be_invited_into_is_not_lost() -> None:
    """It is told with who is missing and why; how many in words, who they are only as values."""
    failed: dict[object, Exception] = {email("canary@example.org"): ValueError("no")}
    response = object()
    error = InvitesFailed("!abc:example.org", failed, response)
    kept = dict(failed)
    failed.clear()

    assert vars(error) == {"room_id": "!abc:example.org", "failed": kept, "response": response}
    assert "the room !abc:example.org was made, but 1 could not be invited" in str(error)
    assert_no_secret(error, ["canary"])


def test_an_invitation_of_another_server_names_both() -> None:
    """And says that neither was told, and what may be done."""
    error = OtherServersInvite("https://other.example", SERVER)

    assert vars(error) == {"invite_server": "https://other.example", "server": SERVER}
    assert f"belongs to https://other.example, but the user's identity server is {SERVER}" in (
        str(error)
    )
    assert "nothing was sent to either" in str(error)
    assert "set('https://other.example')" in str(error)
