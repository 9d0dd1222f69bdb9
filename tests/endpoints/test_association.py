from __future__ import annotations

import json
from typing import Any

import pytest

from nio_identity_server.endpoints.association import (
    Association,
    Bind,
    GetValidated3pid,
    Unbind,
    Validated3pid,
)
from nio_identity_server.endpoints.homeserver_association import (
    Account3PID,
    Account3PIDs,
    Bind3PID,
    GetAccount3PIDs,
    Unbind3pidFromAccount,
    UnbindResult,
)

SIGNATURES = {
    "matrix.org": {
        "ed25519:0": "ENiU2YORYUJgE6WBMitU0mppbQjidDLanAusj8XS2nV"
        "RHPu+0t42OKA/r6zV6i2MzUbNQ3c3MiLScJuSsOiVDQ"
    }
}
ASSOCIATION: dict[str, Any] = {
    "address": "louise@bobs.burgers",
    "medium": "email",
    "mxid": "@ears:matrix.org",
    "not_before": 1428825849161,
    "not_after": 4582425849161,
    "ts": 1428825849161,
    "signatures": SIGNATURES,
}
BIND = Bind("1234", "monkeys_are_GREAT", "@ears:matrix.org")
# The specification's own: endpoint, request, reply, what the reply means.
EXAMPLES: list[tuple[Any, Any, Any, Any]] = [
    (
        GetValidated3pid("1234", "monkeys_are_GREAT"),
        None,
        {"medium": "email", "validated_at": 1457622739026, "address": "louise@bobs.burgers"},
        Validated3pid("email", "louise@bobs.burgers", 1457622739026),
    ),
    (
        BIND,
        {"sid": "1234", "client_secret": "monkeys_are_GREAT", "mxid": "@ears:matrix.org"},
        ASSOCIATION,
        Association(**ASSOCIATION, signed_object=ASSOCIATION),
    ),
    (
        Unbind(
            "@ears:example.org",
            "email",
            "monkeys_have_ears@example.org",
            "1234",
            "monkeys_are_GREAT",
        ),
        {
            "sid": "1234",
            "client_secret": "monkeys_are_GREAT",
            "mxid": "@ears:example.org",
            "threepid": {"medium": "email", "address": "monkeys_have_ears@example.org"},
        },
        {},
        {},
    ),
    (
        GetAccount3PIDs(),
        None,
        {
            "threepids": [
                {
                    "medium": "email",
                    "address": "monkey@banana.island",
                    "validated_at": 1535176800000,
                    "added_at": 1535336848756,
                }
            ]
        },
        Account3PIDs((Account3PID("email", "monkey@banana.island", 1535176800000, 1535336848756),)),
    ),
    (
        Bind3PID("abc123987", "d0nt-T3ll", "example.org", "abc123_OpaqueString"),
        {
            "id_server": "example.org",
            "id_access_token": "abc123_OpaqueString",
            "sid": "abc123987",
            "client_secret": "d0nt-T3ll",
        },
        {},
        {},
    ),
    (
        Unbind3pidFromAccount("email", "example@example.org", "example.org"),
        {"id_server": "example.org", "medium": "email", "address": "example@example.org"},
        {"id_server_unbind_result": "success"},
        UnbindResult("success"),
    ),
]


def test_the_session_stands_in_the_query() -> None:
    """The query names session and secret, and what they hold cannot leave their places."""
    assert GetValidated3pid("12.3=4", "a-B_c").target == (
        "/_matrix/identity/v2/3pid/getValidated3pid?sid=12.3%3D4&client_secret=a-B_c"
    )


def test_all_that_is_signed_is_kept() -> None:
    """Sydent signs the waiting invitations too, so a check of the signature needs them."""
    sent = ASSOCIATION | {"invites": [{"token": "abc", "signed": {}}]}

    assert sent == BIND.read(json.dumps(sent).encode()).signed_object


def test_unbind_without_a_session() -> None:
    """What is not known is left out of the body: null is not the same as missing."""
    assert Unbind("@a:b.example", "msisdn", "447700900001").body == {
        "mxid": "@a:b.example",
        "threepid": {"medium": "msisdn", "address": "447700900001"},
    }
    assert Unbind3pidFromAccount("msisdn", "447700900001").body == {
        "medium": "msisdn",
        "address": "447700900001",
    }


@pytest.mark.parametrize("bad", ["", "a" * 256, "a b", "hunter2\n", "h\u00e9", "a/b", "a&b", "a%"])
def test_sessions_and_secrets_have_a_grammar(bad: str) -> None:
    """A session id or a secret that the specification does not allow cannot be sent."""
    for name in ("sid", "client_secret"):
        given = {"sid": "1", "client_secret": "s"} | {name: bad}
        for make in (
            lambda given=given: GetValidated3pid(**given),
            lambda given=given: Bind(**given, mxid="@a:b.example"),
            lambda given=given: Unbind("@a:b.example", "email", "a@b.example", **given),
            lambda given=given: Bind3PID(**given, id_server="a", id_access_token="b"),
        ):
            with pytest.raises(ValueError, match=rf"^{name} is not 1 to 255 characters of ") as at:
                make()
            assert not bad or bad not in str(at.value)


def test_the_longest_secret() -> None:
    """255 characters are allowed, of every kind there is."""
    assert GetValidated3pid("a" * 255, "09azAZ.=_-").sid == "a" * 255


@pytest.mark.parametrize("medium", ["", "Email", "email\n", "phone"])
def test_there_are_two_mediums(medium: str) -> None:
    """An address is an email or a phone number."""
    with pytest.raises(ValueError, match=r"^medium is neither email nor msisdn$"):
        Unbind("@a:b.example", medium, "a@b.example")
    with pytest.raises(ValueError, match=r"^medium is neither email nor msisdn$"):
        Unbind3pidFromAccount(medium, "a@b.example")


@pytest.mark.parametrize(
    ("word", "succeeded"),
    [("success", True), ("no-support", False), ("", False), ("Success", False), ("maybe", False)],
)
def test_only_success_is_success(word: str, succeeded: bool) -> None:
    """A word that nobody knows yet is read, and is no success."""
    reply = Unbind3pidFromAccount("email", "a@b.example").read(
        json.dumps({"id_server_unbind_result": word}).encode()
    )

    assert (word, succeeded) == (reply.id_server_unbind_result, reply.succeeded)


def test_a_homeserver_may_keep_no_addresses() -> None:
    """The specification does not require the list."""
    assert GetAccount3PIDs().read(b"{}") == Account3PIDs()
