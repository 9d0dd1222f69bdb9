"""What an exception of this package means to somebody at a terminal.

The messages of the exceptions tell a programmer what to call next. Here it is a command.
"""

from __future__ import annotations

from nio_identity_server.cli.endings import ExitCode, Failure
from nio_identity_server.errors import (
    BadResponse,
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
    TermsNotOffered,
    TermsNotSigned,
    ValidationExpired,
    WrongToken,
)
from nio_identity_server.words import printable

# The first that fits.
_CODES: tuple[tuple[type[IdentityServerError], ExitCode], ...] = (
    (InvalidAddress, ExitCode.USAGE),
    (InvalidBaseUrl, ExitCode.USAGE),
    (ForbiddenAddress, ExitCode.USAGE),
    (TermsNotOffered, ExitCode.USAGE),
    (OutcomeUnknown, ExitCode.UNKNOWN),
    (HomeserverError, ExitCode.HOMESERVER),
    (NotConfirmed, ExitCode.HOMESERVER),
    (IdentityDisabled, ExitCode.NO_SERVER),
    (NoIdentityServer, ExitCode.NO_SERVER),
    (TermsNotSigned, ExitCode.TERMS),
    (CannotConnect, ExitCode.NO_ANSWER),
    (BadResponse, ExitCode.NO_ANSWER),
    (IdentityServerChanged, ExitCode.CHANGED),
    (RateLimited, ExitCode.LATER),
    (NotValidated, ExitCode.LATER),
    (IdentityServerError, ExitCode.REFUSED),
)

_TOO_MANY_REQUESTS = 429


def failure(error: IdentityServerError, *, verbose: bool) -> Failure:
    """The end that an exception makes.

    Args:
        error: The exception.
        verbose: Whether to say more.
    """
    return Failure(explain(error), code_of(error), _details(error) if verbose else ())


def code_of(error: IdentityServerError) -> ExitCode:
    """The exit code of an exception."""
    if getattr(error, "status", None) == _TOO_MANY_REQUESTS:
        return ExitCode.LATER
    return next(code for kind, code in _CODES if isinstance(error, kind))


def explain(error: IdentityServerError) -> str:
    """What happened and what to do, in one line."""
    if isinstance(error, MatrixError | HomeserverError):
        return _refusal(error)
    told = _of_the_choice(error) or _of_what_was_given(error)
    return str(error) if told is None else "; ".join(told)


def _of_the_choice(error: IdentityServerError) -> tuple[str, str] | None:
    match error:
        case IdentityDisabled():
            advice = '"set URL" or "reset" switches them on again'
            if error.reason.endswith("not https"):
                advice += ", --trust lets a server of your own be used as it is"
            return f"identity servers are switched off for this user: {error.reason}", advice
        case NoIdentityServer():
            text = f"the user chose no identity server, and there is no default ({error.reason})"
            return text, '"set URL" chooses one, --default names one'
        case IdentityServerChanged():
            return error.reason, "run it again to use what is chosen now"
        case TermsNotSigned():
            names = ", ".join(printable(policy.name) for policy in error.policies)
            text = f"{error.server} has terms that are not accepted: {names}"
            return text, '"terms" shows and accepts them'
    return None


def _of_what_was_given(error: IdentityServerError) -> tuple[str, str] | None:
    match error:
        case ForbiddenAddress():
            text = f"{error.server} must not be contacted: {error.reason}"
            return text, "if it is yours, name it with --trust"
        case HashingNotSupported():
            text = f"{error.server} takes addresses in the clear only"
            return text, "--allow-plaintext sends them, if the people behind them agree"
        case InvalidBaseUrl():
            text = f"not the base URL of an identity server: {error.reason.partition(';')[0]}"
            return text, "an http server of your own is named with --trust"
        case TermsNotOffered():
            return f"{error.server} does not offer {error.url!r}", '"terms" shows what it offers'
    return None


_ADVICE: dict[type[IdentityServerError], str] = {
    WrongToken: "compare it with the mail or SMS, or have another sent with --resend",
    NotValidated: "open the link in the mail, then run the same command again",
    ValidationExpired: "run the same command again to begin anew",
}


def _refusal(error: MatrixError | HomeserverError) -> str:
    """What a server said, and what can be typed about it."""
    told = str(error).removesuffix(type(error).advice)
    wait = getattr(error, "retry_after", None)
    if error.status == _TOO_MANY_REQUESTS:
        return f"{told}; try again {'later' if wait is None else f'in {wait:g} seconds'}"
    advice = _ADVICE.get(type(error))
    return str(error) if advice is None else f"{told}; {advice}"


def explain_any(error: Exception) -> str:
    """The same of what may be nobody's in particular, a file's for one."""
    return explain(error) if isinstance(error, IdentityServerError) else str(error)


def _details(error: IdentityServerError) -> tuple[str, ...]:
    told = {"kind": type(error).__name__} | {
        name: value
        for name, value in vars(error).items()
        if isinstance(value, str | int | float | None)
    }
    return tuple(f"{name}: {value}" for name, value in told.items())
