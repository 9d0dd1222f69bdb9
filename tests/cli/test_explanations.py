"""Exceptions in words for a terminal, and their exit codes."""

from __future__ import annotations

import pytest

from nio_identity_server.cli.endings import ExitCode
from nio_identity_server.cli.explanations import code_of, explain, explain_any, failure
from nio_identity_server.endpoints.terms import Policy
from nio_identity_server.errors import (
    BadResponse,
    BadSignature,
    CannotConnect,
    ForbiddenAddress,
    HashingNotSupported,
    HomeserverError,
    IdentityDisabled,
    IdentityServerChanged,
    IdentityServerError,
    InvalidAddress,
    InvalidBaseUrl,
    MatrixError,
    NoIdentityServer,
    NotConfirmed,
    NotValidated,
    OutcomeUnknown,
    RateLimited,
    SendingFailed,
    TermsNotOffered,
    TermsNotSigned,
    UnbindNotSupported,
    ValidationExpired,
    WrongToken,
)

URL = "https://id.test"
SAMPLES: list[tuple[IdentityServerError, ExitCode, str]] = [
    (NotConfirmed("why"), ExitCode.HOMESERVER, ""),
    (IdentityDisabled("null"), ExitCode.NO_SERVER, '"set URL" or "reset" switches them on again'),
    (IdentityDisabled("it is not https"), ExitCode.NO_SERVER, "--trust lets a server of your own"),
    (NoIdentityServer("none"), ExitCode.NO_SERVER, "--default names one"),
    (IdentityServerChanged(URL, "changed"), ExitCode.CHANGED, ""),
    (InvalidBaseUrl("no https; trusted="), ExitCode.USAGE, "is named with --trust"),
    (ForbiddenAddress(URL, "private"), ExitCode.USAGE, "name it with --trust"),
    (InvalidAddress("no"), ExitCode.USAGE, ""),
    (TermsNotSigned([Policy("p\x1b", "1", {})], URL), ExitCode.TERMS, 'p?; "terms" shows'),
    (TermsNotOffered("https://x", URL), ExitCode.USAGE, ""),
    (HashingNotSupported(URL), ExitCode.REFUSED, "--allow-plaintext"),
    (CannotConnect(URL, "down"), ExitCode.NO_ANSWER, ""),
    (BadResponse(URL, "odd"), ExitCode.NO_ANSWER, ""),
    (MatrixError(403, "M_FORBIDDEN", "no", URL), ExitCode.REFUSED, ""),
    (RateLimited(429, "M_LIMIT_EXCEEDED", "", URL, 5.0), ExitCode.LATER, ""),
    (HomeserverError(403, "M_FORBIDDEN", "no", URL), ExitCode.HOMESERVER, ""),
    (HomeserverError(429, "M_LIMIT_EXCEEDED", "", URL, 5.0), ExitCode.LATER, ""),
    (OutcomeUnknown(None, "M_UNKNOWN", "", URL), ExitCode.UNKNOWN, ""),
    (UnbindNotSupported(URL), ExitCode.REFUSED, ""),
    (BadSignature("odd"), ExitCode.REFUSED, ""),
]


@pytest.mark.parametrize(
    ("error", "code", "advice"), SAMPLES, ids=lambda value: type(value).__name__
)
def test_codes_and_words(error: IdentityServerError, code: ExitCode, advice: str) -> None:
    """Each ends with a code of its kind and one line, which names commands and no calls."""
    text = explain(error)

    assert code_of(error) == code
    assert advice in text
    assert text.isprintable()
    if advice:
        assert not {"call set", "trusted=", "accept_terms(", "configure"} & set(text.split())


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        (WrongToken, "compare it with the mail or SMS, or have another sent with --resend"),
        (NotValidated, "open the link in the mail, then run the same command again"),
        (ValidationExpired, "run the same command again to begin anew"),
        (SendingFailed, "check the address, and try again later"),
    ],
)
def test_advice(kind: type[MatrixError], advice: str) -> None:
    """A command that can be typed, in place of a call."""
    text = explain(kind(400, "M_X", "no", URL))

    assert text.endswith(f"M_X no; {advice}")


def test_patience() -> None:
    """How long, if the server says it."""
    assert explain(RateLimited(429, "M_X", "", URL, 5.0)).endswith("; try again in 5 seconds")
    assert explain(RateLimited(429, "M_X", "", URL, None)).endswith("; try again later")


def test_what_is_nobodys_in_particular() -> None:
    """An application's own trouble is told as it is."""
    assert explain_any(OSError("disk full")) == "disk full"
    assert explain_any(SAMPLES[0][0]) == str(SAMPLES[0][0])


def test_details() -> None:
    """What a program would look at, one in a line; only if that is wanted."""
    error = RateLimited(429, "M_LIMIT_EXCEEDED", "slow", URL, None)

    assert failure(error, verbose=False).details == ()
    assert failure(error, verbose=True).details == (
        "kind: RateLimited",
        "status: 429",
        "errcode: M_LIMIT_EXCEEDED",
        "message: slow",
        f"server: {URL}",
        "retry_after: None",
    )
