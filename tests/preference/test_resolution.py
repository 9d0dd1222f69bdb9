from __future__ import annotations

import pytest

from nio_identity_server.base_url import BaseUrl, parse_base_url
from nio_identity_server.errors import (
    ForbiddenAddress,
    IdentityDisabled,
    IdentityServerError,
    InvalidAddress,
    NoIdentityServer,
    NotConfirmed,
)
from nio_identity_server.preference.account_data import (
    Chosen,
    Disabled,
    NotSet,
    Preference,
    Unconfirmed,
    Unusable,
)
from nio_identity_server.preference.resolution import Default, Resolution, Source, resolve

A = parse_base_url("https://a.example")
B = parse_base_url("https://b.example")

NAMED = Default(Source.DEFAULT, A)
PUBLISHED = Default(Source.WELL_KNOWN, A)
NONE = Default(Source.DEFAULT)
BROKEN = Default(Source.WELL_KNOWN, reason="there is none (404)")
DEFAULTS = {
    "not looked up": None,
    "named": NAMED,
    "published": PUBLISHED,
    "none": NONE,
    "broken": BROKEN,
}


def _forbidden(server: BaseUrl) -> ForbiddenAddress:
    return ForbiddenAddress(str(server), "this client uses trusted servers only")


NOT_LEARNED = NotConfirmed("nothing has been learned yet")
NOT_LOOKED_UP = NotConfirmed("the user chose none, and the default has not been looked up yet")

# The preferences that no default changes.
SAID: dict[str, tuple[Preference, Resolution]] = {
    "unconfirmed": (Unconfirmed(), Resolution(None, Source.UNCONFIRMED, NOT_LEARNED)),
    "disabled": (
        Disabled(),
        Resolution(None, Source.ACCOUNT_DATA, IdentityDisabled("the user chose null")),
    ),
    "unusable": (
        Unusable("it is empty"),
        Resolution(None, Source.ACCOUNT_DATA, IdentityDisabled("it is empty")),
    ),
    "chosen": (Chosen(B), Resolution(B, Source.ACCOUNT_DATA)),
}
# What the default means for a user who chose nothing.
UNSAID: dict[str, tuple[Default | None, Resolution]] = {
    "not looked up": (None, Resolution(None, Source.WELL_KNOWN, NOT_LOOKED_UP)),
    "named": (NAMED, Resolution(A, Source.DEFAULT)),
    "published": (PUBLISHED, Resolution(A, Source.WELL_KNOWN)),
    "none": (
        NONE,
        Resolution(None, Source.DEFAULT, NoIdentityServer("none is configured")),
    ),
    "broken": (
        BROKEN,
        Resolution(None, Source.WELL_KNOWN, NoIdentityServer("there is none (404)")),
    ),
}


@pytest.mark.parametrize("default", DEFAULTS.values(), ids=DEFAULTS)
@pytest.mark.parametrize(("preference", "expected"), SAID.values(), ids=SAID)
def test_what_was_said(
    preference: Preference, expected: Resolution, default: Default | None
) -> None:
    """No default stands in for what the user said, nor for what is not known."""
    assert expected == resolve(preference, default)


@pytest.mark.parametrize(("default", "expected"), UNSAID.values(), ids=UNSAID)
def test_what_was_not_said(default: Default | None, expected: Resolution) -> None:
    """A user who chose nothing gets the default, marked as one, or hears why there is none."""
    assert expected == resolve(NotSet(), default)


@pytest.mark.parametrize(
    ("preference", "expected"),
    [(preference, expected) for preference, expected in SAID.values() if expected.refusal],
    ids=["unconfirmed", "disabled", "unusable"],
)
def test_trust_switches_nothing_on(preference: Preference, expected: Resolution) -> None:
    """A pinned client has the same refusals; its trusted server is no default."""
    assert expected == resolve(preference, NAMED, trusted=[A, B], only_trusted=True)


@pytest.mark.parametrize(
    ("preference", "default", "expected"),
    [
        (Chosen(A), None, Resolution(A, Source.ACCOUNT_DATA)),
        (Chosen(B), None, Resolution(None, Source.ACCOUNT_DATA, _forbidden(B))),
        (Chosen(B), NAMED, Resolution(None, Source.ACCOUNT_DATA, _forbidden(B))),
        (NotSet(), NAMED, Resolution(A, Source.DEFAULT)),
        (NotSet(), PUBLISHED, Resolution(A, Source.WELL_KNOWN)),
        (
            NotSet(),
            Default(Source.WELL_KNOWN, B),
            Resolution(None, Source.WELL_KNOWN, _forbidden(B)),
        ),
        (NotSet(), None, Resolution(None, Source.WELL_KNOWN, NOT_LOOKED_UP)),
        (NotSet(), NONE, Resolution(None, Source.DEFAULT, NoIdentityServer("none is configured"))),
    ],
)
def test_only_trusted(
    preference: Preference, default: Default | None, expected: Resolution
) -> None:
    """A pinned client talks to its servers only, whoever names another one."""
    assert expected == resolve(preference, default, trusted=[A], only_trusted=True)


def test_trusting_some_forbids_nobody() -> None:
    """Without ``only_trusted``, a list of trusted servers does not exclude others."""
    assert Resolution(B, Source.ACCOUNT_DATA) == resolve(Chosen(B), None, trusted=[A])


def test_only_trusted_without_any() -> None:
    """A client that trusts nobody talks to nobody."""
    assert Resolution(None, Source.ACCOUNT_DATA, _forbidden(A)) == resolve(
        Chosen(A), None, only_trusted=True
    )


@pytest.mark.parametrize("default", DEFAULTS.values(), ids=DEFAULTS)
@pytest.mark.parametrize(
    "preference", [Unconfirmed(), NotSet(), Disabled(), Unusable("x"), Chosen(A)], ids=repr
)
@pytest.mark.parametrize("only_trusted", [False, True])
def test_a_server_or_a_refusal(
    preference: Preference,
    default: Default | None,
    only_trusted: bool,
) -> None:
    """A resolution has a server or the exception that a call raises, never both or none."""
    found = resolve(preference, default, only_trusted=only_trusted)

    assert (found.base_url is None) is isinstance(found.refusal, IdentityServerError)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (NotConfirmed("a"), NotConfirmed("a"), True),
        (NotConfirmed("a"), NotConfirmed("b"), False),
        (NotConfirmed("a"), IdentityDisabled("a"), False),
        (InvalidAddress("a"), IdentityServerError("a"), False),  # which have the same text
        (NotConfirmed("a"), None, False),
        (None, None, True),
    ],
)
def test_equality_of_refusals(
    one: IdentityServerError | None, other: IdentityServerError | None, *, expected: bool
) -> None:
    """Two resolutions are equal if their refusals say the same, though exceptions never are."""
    first = Resolution(None, Source.DEFAULT, one)
    second = Resolution(None, Source.DEFAULT, other)

    assert expected is (first == second)
    assert not expected or hash(first) == hash(second)


def test_sources_differ() -> None:
    """The same server from account data and as a default are two resolutions."""
    assert Resolution(A, Source.ACCOUNT_DATA) != Resolution(A, Source.DEFAULT)


def test_no_default_says_why() -> None:
    """A default that names no server says that none is configured, unless told otherwise."""
    assert NONE.reason == "none is configured"


def test_sources_are_called_by_their_names() -> None:
    """What a program prints or stores for a source is the word that the specification has."""
    assert [source.value for source in Source] == [
        "unconfirmed",
        "account data",
        "default",
        "well-known",
    ]
