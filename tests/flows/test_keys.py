from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from nio_identity_server.endpoint import Endpoint
from nio_identity_server.endpoints.association import Association
from nio_identity_server.endpoints.invitation import SignedInvite
from nio_identity_server.endpoints.keys import (
    GetPubKey,
    IsEphemeralPubKeyValid,
    IsPubKeyValid,
    PubKey,
    Validity,
)
from nio_identity_server.errors import BadSignature, CannotConnect, MatrixError, RateLimited
from nio_identity_server.flows.keys import is_valid_key, verify
from nio_identity_server.signing import encode_base64, public_key_of, sign_json
from tests.flows.two_servers import SERVER, Script

OURS, THEIRS = (encode_base64(bytes([number]) * 32) for number in (1, 2))
PUBLIC = {"ed25519:0": public_key_of(OURS), "ed25519:1": public_key_of(THEIRS)}
VALUE = {"mxid": "@alice:example.org", "sender": "@bob:example.org", "token": "abc", "x": [1]}
NOT_THEIRS = "it is not by a key of this identity server"


def server(valid: Any = None, **keys: Any) -> Script:
    """A server with the first of the keys, which is valid; or with others."""
    known = keys or {"ed25519:0": PUBLIC["ed25519:0"]}

    def key_of(endpoint: Endpoint[Any]) -> Any:
        assert isinstance(endpoint, GetPubKey)
        key = known.get(endpoint.key_id)
        if key is None:
            return MatrixError(404, "M_UNKNOWN", "", SERVER)
        return PubKey(key) if isinstance(key, str) else key

    return Script({GetPubKey: key_of, IsPubKeyValid: valid or Validity(valid=True)})


def signed(private_key: str = OURS, key_id: str = "ed25519:0", **more: Any) -> dict[str, Any]:
    """An object that an identity server has signed."""
    return sign_json(VALUE | more, private_key, "id.example.org", key_id)


def with_signatures(signatures: Any) -> dict[str, Any]:
    """An object with these signatures."""
    return VALUE | {"signatures": signatures}


async def refusal(ask: Script, value: Any) -> str:
    """Why the object is not signed."""
    with pytest.raises(BadSignature) as caught:
        await verify(ask, value)
    return caught.value.reason


# -- who has signed


async def test_what_the_server_has_signed_is_verified() -> None:
    """Its key is fetched by the name in the signature, and has to be valid now."""
    ask = server()
    await verify(ask, signed())
    assert ask.asked == [GetPubKey("ed25519:0"), IsPubKeyValid(PUBLIC["ed25519:0"])]


async def test_any_mapping_can_be_verified() -> None:
    """Its values too."""
    value = signed(deep=MappingProxyType({"a": 1}))
    await verify(server(), MappingProxyType(value))
    assert await refusal(server(), MappingProxyType(value | {"deep": {}})) == NOT_THEIRS


async def test_an_association_is_verified_by_all_that_was_sent() -> None:
    """Keys that the specification does not know are signed too."""
    value = signed(address="a@b", medium="email", not_before=1, not_after=2, ts=3, invites=[])
    names = ("address", "medium", "mxid", "not_before", "not_after", "ts", "signatures")
    association = Association(**{name: value[name] for name in names}, signed_object=value)
    await verify(server(), association)
    assert (
        await refusal(server(), Association(**{name: value[name] for name in names}))
        == "there is no Ed25519 signature"
    )


async def test_a_signed_invitation_is_verified_by_all_that_was_sent() -> None:
    """As an association is."""
    value = signed()
    names = ("mxid", "sender", "signatures", "token")
    parts = {name: value[name] for name in names}
    await verify(server(), SignedInvite(**parts, signed_object=value))
    changed = value | {"mxid": "@mallory:example.org"}
    assert await refusal(server(), SignedInvite(**parts, signed_object=changed)) == NOT_THEIRS


@pytest.mark.parametrize("name", list(VALUE))
async def test_what_was_changed_is_not_signed(name: str) -> None:
    """Whatever it is."""
    assert await refusal(server(), signed() | {name: "other"}) == NOT_THEIRS


async def test_a_signature_by_another_key_is_none() -> None:
    """Though it bears the name of the server's own; the key is not even asked about."""
    ask = server()
    assert await refusal(ask, signed(THEIRS)) == NOT_THEIRS
    assert ask.asked == [GetPubKey("ed25519:0")]


async def test_a_key_that_the_server_does_not_have_is_not_its_own() -> None:
    """A 404, whatever its error code."""
    ask = server()
    assert await refusal(ask, signed(THEIRS, "ed25519:1")) == NOT_THEIRS
    assert ask.asked == [GetPubKey("ed25519:1")]


async def test_a_key_that_is_no_longer_valid_proves_nothing() -> None:
    """The signature is good, but the server does not stand by the key."""
    ask = server(Validity(valid=False))
    assert await refusal(ask, signed()) == "the server says that the key is not valid"


async def test_one_good_signature_among_others_is_enough() -> None:
    """Others may have signed as well."""
    value = sign_json(signed(THEIRS, "ed25519:1"), OURS, "id.example.org", "ed25519:0")
    await verify(server(), value)
    await verify(server(), sign_json(value, THEIRS, "a.example", "other:0"))
    ask = server(**{"ed25519:0": "junk", "ed25519:1": PUBLIC["ed25519:1"]})
    await verify(ask, value)
    assert ask.asked[-1] == IsPubKeyValid(PUBLIC["ed25519:1"])


@pytest.mark.parametrize(
    "signatures",
    [
        None,
        {},
        [],
        "x",
        5,
        {"id.example.org": {}},
        {"id.example.org": None},
        {"id.example.org": "ed25519:0"},
        {"id.example.org": ["ed25519:0"]},
        {"id.example.org": {"ed25519:0": None}},
        {"id.example.org": {"ed25519:0": {}}},
        {"id.example.org": {"curve25519:0": "AAAA"}},
        {"id.example.org": {"Ed25519:0": "AAAA", "ed25519": "AAAA", "": "AAAA"}},
    ],
)
async def test_what_bears_no_signature_is_refused_before_anybody_is_asked(
    signatures: Any,
) -> None:
    """Whatever stands in the place of one."""
    ask = server()
    assert await refusal(ask, with_signatures(signatures)) == "there is no Ed25519 signature"
    assert await refusal(ask, VALUE) == "there is no Ed25519 signature"
    assert ask.asked == []


@pytest.mark.parametrize("signature", ["", "canary", "not base64!", "A" * 86])
async def test_a_signature_that_is_none_proves_nothing(signature: str) -> None:
    """It is compared with the server's key, and is not its signature."""
    assert await refusal(server(), with_signatures({"a": {"ed25519:0": signature}})) == NOT_THEIRS


@pytest.mark.parametrize("key", ["", "AAAA", "no key!", "A" * 44])
async def test_a_server_that_has_something_else_for_a_key_has_signed_nothing(key: str) -> None:
    """It is not asked whether that is valid."""
    ask = server(**{"ed25519:0": key})
    assert await refusal(ask, signed()) == NOT_THEIRS
    assert ask.asked == [GetPubKey("ed25519:0")]


@pytest.mark.parametrize("key_id", ["ed25519:", "ed25519:a b", "ed25519:a\n", "ed25519:é"])
async def test_a_key_with_a_name_that_is_none_is_not_asked_for(key_id: str) -> None:
    """Whoever made the object chose the name."""
    ask = server()
    assert await refusal(ask, signed(OURS, key_id)) == NOT_THEIRS
    assert ask.asked == []


async def test_a_key_is_asked_for_by_one_segment_of_the_path() -> None:
    """A name cannot lead to another request."""
    ask = server()
    await refusal(ask, signed(OURS, "ed25519:../../v2/account?x"))
    (asked,) = ask.asked
    assert asked.target == ("/_matrix/identity/v2/pubkey/ed25519%3A..%2F..%2Fv2%2Faccount%3Fx")


async def test_only_the_first_few_keys_are_asked_for() -> None:
    """An object cannot have the server asked without end, across all names in it either."""
    value = with_signatures(
        {f"{host}.example": {f"ed25519:{host}{key}": "AAAA" for key in range(3)} for host in "abc"}
    )
    ask = server()
    assert await refusal(ask, value) == NOT_THEIRS
    assert [each.key_id for each in ask.asked if isinstance(each, GetPubKey)] == [
        "ed25519:a0",
        "ed25519:a1",
        "ed25519:a2",
        "ed25519:b0",
        "ed25519:b1",
    ]


@pytest.mark.parametrize("place", [4, 5])
async def test_a_good_signature_counts_if_it_is_one_of_the_first_five(place: int) -> None:
    """The fifth does, the sixth does not."""
    keys = {f"ed25519:x{number}": "AAAA" for number in range(place)}
    value = sign_json(with_signatures({"a": keys}), OURS, "a", "ed25519:0")
    if place == 4:
        await verify(server(), value)
    else:
        assert await refusal(server(), value) == NOT_THEIRS


TROUBLE = [
    CannotConnect(SERVER, "refused"),
    MatrixError(500, "M_UNKNOWN", "", SERVER),
    MatrixError(403, "M_NOT_FOUND", "", SERVER),
    RateLimited(429, "M_UNKNOWN", "", SERVER, 1.0),
]


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_trouble_is_no_verdict(trouble: Exception) -> None:
    """Only a 404 says that there is no such key; anything else is told as it is."""
    for ask in (server(**{"ed25519:0": trouble}), server(trouble)):
        with pytest.raises(type(trouble)) as caught:
            await verify(ask, signed())
        assert caught.value is trouble


async def test_a_refused_signature_tells_nothing_of_what_it_is_on() -> None:
    """An association holds an address."""
    with pytest.raises(BadSignature) as caught:
        await verify(server(), signed(THEIRS, address="canary@example.org"))
    assert "canary" not in f"{caught.value!s} {caught.value!r} {vars(caught.value)}"


# -- whether a key is valid


@pytest.mark.parametrize(
    ("own", "ephemeral", "expected"),
    [(True, False, True), (False, True, True), (False, False, False), (True, True, True)],
)
async def test_a_key_is_valid_if_it_is_the_servers_or_that_of_an_invitation(
    own: bool, ephemeral: bool, expected: bool
) -> None:
    """The second question is asked only if the first is answered no."""
    key = "a+/_-b"  # as the room told it
    ask = Script(
        {IsPubKeyValid: Validity(valid=own), IsEphemeralPubKeyValid: Validity(valid=ephemeral)}
    )
    assert await is_valid_key(ask, key) is expected
    questions = [IsPubKeyValid(key), IsEphemeralPubKeyValid(key)]
    assert ask.asked == (questions[:1] if own else questions)


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_trouble_does_not_make_a_key_invalid(trouble: Exception) -> None:
    """It is told, whichever question it comes to."""
    no = Validity(valid=False)
    for ask in (
        Script({IsPubKeyValid: trouble}),
        Script({IsPubKeyValid: no, IsEphemeralPubKeyValid: trouble}),
    ):
        with pytest.raises(type(trouble)) as caught:
            await is_valid_key(ask, PUBLIC["ed25519:0"])
        assert caught.value is trouble


@pytest.mark.parametrize("odd", ["{}", 5, None, [{"signatures": {}}]])
async def test_what_is_no_object_is_a_mistake(odd: Any) -> None:
    """Of the program, not of a server."""
    with pytest.raises(TypeError, match="a JSON object"):
        await verify(Script({}), odd)
