from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from nio_identity_server import errors
from nio_identity_server.base_url import parse_base_url
from nio_identity_server.endpoint import BadReply
from nio_identity_server.endpoints.discovery import GetVersions
from nio_identity_server.endpoints.terms import Policy
from nio_identity_server.errors import (
    AddressRefused,
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
    InvitesFailed,
    MatrixError,
    NoIdentityServer,
    NotConfirmed,
    NotValidated,
    OtherServersInvite,
    OutcomeUnknown,
    RateLimited,
    RegistrationRefused,
    SendingFailed,
    TermsNotOffered,
    TermsNotSigned,
    ThreePidInUse,
    UnbindNotSupported,
    ValidationExpired,
    WrongToken,
)
from nio_identity_server.threepid import email

SERVER = "https://id.example.org"
POLICIES = (Policy("privacy_policy", "1.2", {}), Policy("terms_of_service", "2.0", {}))
FAILED = {email("a@b"): HomeserverError(403, "M_FORBIDDEN", "No.", SERVER)}
HOMESERVER = "https://matrix.example.org"


def told(status: int, errcode: str) -> dict[str, Any]:
    """What a refusal carries."""
    return {"status": status, "errcode": errcode, "message": "No.", "server": SERVER}


# What is raised, what it carries, and what its message has to say.
SAMPLES: dict[str, tuple[IdentityServerError, dict[str, Any], list[str]]] = {
    "NotConfirmed": (
        NotConfirmed("GET answered 502"),
        {"reason": "GET answered 502"},
        ["not confirmed", "GET answered 502", "nothing was sent", "try again"],
    ),
    "IdentityDisabled": (
        IdentityDisabled("the user chose null"),
        {"reason": "the user chose null"},
        ["switched off", "the user chose null", "set(url) or reset()"],
    ),
    "NoIdentityServer": (
        NoIdentityServer("none is configured"),
        {"reason": "none is configured"},
        ["no identity server", "none is configured", "call set(url)", "default="],
    ),
    "IdentityServerChanged": (
        IdentityServerChanged(SERVER, "the user chose another server"),
        {"server": SERVER, "reason": "the user chose another server"},
        [SERVER, "the user chose another server", "call again"],
    ),
    "IdentityServerChanged without a server": (
        IdentityServerChanged(None, "another user logged in"),
        {"server": None, "reason": "another user logged in"},
        ["another user logged in; call again"],
    ),
    "InvalidBaseUrl": (
        InvalidBaseUrl("it has a query"),
        {"reason": "it has a query"},
        ["not the base URL of an identity server", "it has a query"],
    ),
    "ForbiddenAddress": (
        ForbiddenAddress(SERVER, "127.0.0.1 is not public"),
        {"server": SERVER, "reason": "127.0.0.1 is not public"},
        [SERVER, "127.0.0.1 is not public", "IdentityServerConfig(trusted=[...])"],
    ),
    "InvalidAddress": (
        InvalidAddress("an email address has one @", (0, 2)),
        {"reason": "an email address has one @", "positions": (0, 2)},
        ["an email address has one @", "at position 0, 2"],
    ),
    "InvalidAddress, one": (
        InvalidAddress("it is empty"),
        {"reason": "it is empty", "positions": ()},
        ["it is empty"],
    ),
    "InvalidAddress, many": (
        InvalidAddress("not an address", tuple(range(12))),
        {"reason": "not an address", "positions": tuple(range(12))},
        ["at position 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more)"],
    ),
    "InvalidAddress, ten": (
        InvalidAddress("not an address", tuple(range(10))),
        {"reason": "not an address", "positions": tuple(range(10))},
        ["at position 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)"],
    ),
    "TermsNotSigned": (
        TermsNotSigned(list(POLICIES), SERVER),
        {"policies": POLICIES, "server": SERVER},
        [SERVER, "privacy_policy, terms_of_service", "accept_terms(urls)", "accept_terms="],
    ),
    "TermsNotOffered": (
        TermsNotOffered("https://example.org/terms", SERVER),
        {"url": "https://example.org/terms", "server": SERVER},
        [SERVER, "https://example.org/terms", "pending_terms()"],
    ),
    "HashingNotSupported": (
        HashingNotSupported(SERVER),
        {"server": SERVER},
        [SERVER, "sha256", "in the clear", "allow_plaintext=True"],
    ),
    "RegistrationRefused": (
        RegistrationRefused(403, "M_FORBIDDEN", "Not from there.", SERVER),
        {
            "status": 403,
            "errcode": "M_FORBIDDEN",
            "message": "Not from there.",
            "server": SERVER,
        },
        [SERVER, "403", "M_FORBIDDEN", "Not from there."],
    ),
    "CannotConnect": (
        CannotConnect(SERVER, "connection refused"),
        {"server": SERVER, "reason": "connection refused", "cut": False},
        [SERVER, "connection refused"],
    ),
    "BadResponse": (
        BadResponse(SERVER, "the body is not JSON", 200),
        {"server": SERVER, "reason": "the body is not JSON", "status": 200},
        [SERVER, "the body is not JSON"],
    ),
    "BadResponse without a status": (
        BadResponse(SERVER, "garbage"),
        {"server": SERVER, "reason": "garbage", "status": None},
        [SERVER, "garbage"],
    ),
    "MatrixError": (
        MatrixError(403, "M_FORBIDDEN", "No.", SERVER),
        {"status": 403, "errcode": "M_FORBIDDEN", "message": "No.", "server": SERVER},
        [SERVER, "403", "M_FORBIDDEN", "No."],
    ),
    "MatrixError without words": (
        MatrixError(400, "M_UNKNOWN", "", SERVER),
        {"status": 400, "errcode": "M_UNKNOWN", "message": "", "server": SERVER},
        [f"{SERVER} refused: HTTP 400 M_UNKNOWN"],
    ),
    "RateLimited": (
        RateLimited(429, "M_LIMIT_EXCEEDED", "Slow down", SERVER, 2.5),
        {
            "status": 429,
            "errcode": "M_LIMIT_EXCEEDED",
            "message": "Slow down",
            "server": SERVER,
            "retry_after": 2.5,
        },
        [SERVER, "429", "M_LIMIT_EXCEEDED", "Slow down", "after retry_after seconds"],
    ),
    "HomeserverError": (
        HomeserverError(429, "M_LIMIT_EXCEEDED", "Slow down", HOMESERVER, 1.0),
        {
            "status": 429,
            "errcode": "M_LIMIT_EXCEEDED",
            "message": "Slow down",
            "server": HOMESERVER,
            "retry_after": 1.0,
        },
        [HOMESERVER, "429", "M_LIMIT_EXCEEDED", "Slow down"],
    ),
    "OutcomeUnknown": (
        OutcomeUnknown(None, "M_UNKNOWN", "no answer within 30 s", HOMESERVER),
        {
            "status": None,
            "errcode": "M_UNKNOWN",
            "message": "no answer within 30 s",
            "server": HOMESERVER,
            "retry_after": None,
        },
        [HOMESERVER, "no usable answer", "no answer within 30 s", "may have been done"],
    ),
    "WrongToken": (
        WrongToken(200, "M_NO_VALID_SESSION", "No.", SERVER),
        told(200, "M_NO_VALID_SESSION"),
        [
            SERVER,
            "200 M_NO_VALID_SESSION No.",
            "compare it with the mail or SMS",
            "resend()",
        ],
    ),
    "NotValidated": (
        NotValidated(400, "M_SESSION_NOT_VALIDATED", "No.", SERVER),
        {
            "status": 400,
            "errcode": "M_SESSION_NOT_VALIDATED",
            "message": "No.",
            "server": SERVER,
        },
        [
            SERVER,
            "400 M_SESSION_NOT_VALIDATED No.",
            "open the link in the mail",
            "submit_token()",
        ],
    ),
    "ValidationExpired": (
        ValidationExpired(400, "M_SESSION_EXPIRED", "No.", SERVER),
        told(400, "M_SESSION_EXPIRED"),
        [SERVER, "400 M_SESSION_EXPIRED No.", "begin again with request_token()"],
    ),
    "AddressRefused": (
        AddressRefused(400, "M_DESTINATION_REJECTED", "No.", SERVER),
        {
            "status": 400,
            "errcode": "M_DESTINATION_REJECTED",
            "message": "No.",
            "server": SERVER,
        },
        [SERVER, "400 M_DESTINATION_REJECTED No.", "another address"],
    ),
    "SendingFailed": (
        SendingFailed(500, "M_EMAIL_SEND_ERROR", "No.", SERVER),
        told(500, "M_EMAIL_SEND_ERROR"),
        [SERVER, "500 M_EMAIL_SEND_ERROR No.", "check the address", "try again later"],
    ),
    "ThreePidInUse": (
        ThreePidInUse(400, "M_THREEPID_IN_USE", "In use.", SERVER, "@bob:example.org"),
        {
            "status": 400,
            "errcode": "M_THREEPID_IN_USE",
            "message": "In use.",
            "server": SERVER,
            "user_id": "@bob:example.org",
        },
        [SERVER, "400 M_THREEPID_IN_USE In use.", "invite its owner"],
    ),
    "UnbindNotSupported": (
        UnbindNotSupported(SERVER),
        {"server": SERVER},
        [SERVER, "may still be found", "operator"],
    ),
    "UnbindNotSupported somewhere": (
        UnbindNotSupported(None),
        {"server": None},
        ["an identity server does not support unbinding"],
    ),
    "InvitesFailed": (
        InvitesFailed("!room:example.org", FAILED, "nio's"),
        {"room_id": "!room:example.org", "failed": FAILED, "response": "nio's"},
        ["!room:example.org", "1 could not be invited", "invite_all()"],
    ),
    "OtherServersInvite": (
        OtherServersInvite("https://other.example", SERVER),
        {"invite_server": "https://other.example", "server": SERVER},
        [SERVER, "belongs to https://other.example", "set('https://other.example')", "sender="],
    ),
    "BadSignature": (
        BadSignature("there is none"),
        {"reason": "there is none"},
        ["there is none", "do not trust"],
    ),
}


def _drawn_tree() -> dict[str, str]:
    """Each class in the tree at the top of the module, and the one that it hangs on."""
    tree: dict[str, str] = {}
    above = ["IdentityServerError"]
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]
        if match := re.match(r"^    (?P<lines>[│ ]*)[├└]── (?P<name>\w+)", line):
            depth = len(match["lines"]) // 4 + 1
            above[depth:] = [match["name"]]
            tree[match["name"]] = above[depth - 1]
    return tree


def _classes() -> dict[str, type[Exception]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, IdentityServerError)
    }


@pytest.mark.docstrings
def test_the_drawn_tree_is_the_tree() -> None:
    """The tree at the top of the module shows every class under its base, and no other."""
    actual = {name: value.__bases__[0].__name__ for name, value in _classes().items()}

    assert {"IdentityServerError": "Exception", **_drawn_tree()} == actual


@pytest.mark.docstrings
def test_only_the_root_is_no_leaf_of_the_tree() -> None:
    """Every class but the root has a sample in this file."""
    assert set(_drawn_tree()) == {type(error).__name__ for error, _, _ in SAMPLES.values()}


@pytest.mark.docstrings
def test_bad_arguments_are_value_errors() -> None:
    """Who passes a bad argument may catch ValueError; the drawn tree says for which classes."""
    drawn = re.findall(r"── (\w+) .*\(a ValueError too\)", errors.__doc__ or "")

    assert sorted(drawn) == sorted(
        name for name, value in _classes().items() if issubclass(value, ValueError)
    )


@pytest.mark.parametrize(("error", "attributes", "_"), SAMPLES.values(), ids=SAMPLES)
def test_attributes(error: IdentityServerError, attributes: dict[str, Any], _: object) -> None:
    """What an exception was made of can be read from it, and that is all it holds."""
    assert attributes == vars(error)


@pytest.mark.docstrings
@pytest.mark.parametrize(("error", "attributes", "_"), SAMPLES.values(), ids=SAMPLES)
def test_attributes_are_documented(
    error: IdentityServerError, attributes: dict[str, Any], _: object
) -> None:
    """Each attribute is named in the docstring of its class or of the class above."""
    documented = " ".join(cls.__doc__ or "" for cls in type(error).__mro__)

    assert [name for name in attributes if f" {name}: " not in documented] == []


@pytest.mark.parametrize(("error", "_", "fragments"), SAMPLES.values(), ids=SAMPLES)
def test_messages(error: IdentityServerError, _: object, fragments: list[str]) -> None:
    """A message names the server, the reason, and what to do where something can be done."""
    assert [fragment for fragment in fragments if fragment not in str(error)] == []


@pytest.mark.parametrize(("error", "_", "fragments"), SAMPLES.values(), ids=SAMPLES)
def test_messages_are_one_tidy_line(
    error: IdentityServerError, _: object, fragments: list[str]
) -> None:
    """A message is one line without blanks at its ends, and says more than its fragments."""
    assert fragments
    assert [str(error).strip()] == str(error).splitlines()


def test_a_server_cannot_add_lines_to_a_log() -> None:
    """The name of a policy is the server's, and what it holds does not break the message."""
    error = TermsNotSigned([Policy("privacy\n\x1b[31mERROR root: all is lost", "1", {})], SERVER)

    assert str(error).isprintable()


def test_no_server_means_no_brackets() -> None:
    """Without a server, the message does not talk of None."""
    assert "None" not in str(IdentityServerChanged(None, "another user logged in"))


@pytest.mark.parametrize(
    ("status", "errcode", "expected"),
    [
        (404, "M_NOT_FOUND", True),
        (404, "M_UNRECOGNIZED", False),
        (404, "M_UNKNOWN", False),
        (403, "M_NOT_FOUND", False),
        (None, "M_UNKNOWN", False),
    ],
)
def test_is_absence(status: int | None, errcode: str, *, expected: bool) -> None:
    """Only the status and the code together prove that something is not there."""
    assert expected is HomeserverError(status, errcode, "", HOMESERVER).is_absence


@pytest.mark.parametrize(
    "url",
    ["https://[1::2::3]", "https://xn--a.example", "https://1.2.3.256", "https://a@b", "x"],
)
def test_nothing_hangs_on_a_refused_url(url: str) -> None:
    """What a parser raised, with the text in it, does not hang on our exception."""
    with pytest.raises(InvalidBaseUrl) as caught:
        parse_base_url(url)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("body", [b"\xff", b"{", b"{}", b'{"versions":"v1.1"}'])
def test_nothing_hangs_on_a_bad_reply(body: bytes) -> None:
    """What a decoder raised, with the body in it, does not hang on the exception."""
    with pytest.raises(BadReply) as caught:
        GetVersions().read(body)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
