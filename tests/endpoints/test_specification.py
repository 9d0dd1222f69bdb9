"""The package against the specification: its table of endpoints, its links, and its examples."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from nio_identity_server import endpoints
from nio_identity_server.endpoint import BadReply, Endpoint, Receiver
from nio_identity_server.endpoints.discovery import GetVersions, Ping, Versions
from nio_identity_server.endpoints.terms import AgreeToTerms
from tests.endpoints.test_account import EXAMPLES as ACCOUNT
from tests.endpoints.test_association import EXAMPLES as ASSOCIATION
from tests.endpoints.test_invitation import EXAMPLES as INVITATION
from tests.endpoints.test_keys import EXAMPLES as KEYS
from tests.endpoints.test_lookup import EXAMPLES as LOOKUP
from tests.endpoints.test_validation import EXAMPLES as VALIDATION
from tests.vectors.json_bodies import REFUSED as NOT_JSON
from tests.vectors.replies import HOSTILE

# Retyped from the OpenAPI of the Identity Service API v2: operationId, method, path below
# /_matrix/identity, and whether it has a "security".
IDENTITY = [
    ("getVersions", "GET", "/versions", False),
    ("pingV2", "GET", "/v2", False),
    ("registerAccount", "POST", "/v2/account/register", False),
    ("getAccount", "GET", "/v2/account", True),
    ("logout", "POST", "/v2/account/logout", True),
    ("getTerms", "GET", "/v2/terms", False),
    ("agreeToTerms", "POST", "/v2/terms", True),
    ("getPubKeyV2", "GET", "/v2/pubkey/{keyId}", False),
    ("isPubKeyValidV2", "GET", "/v2/pubkey/isvalid", False),
    ("isEphemeralPubKeyValidV2", "GET", "/v2/pubkey/ephemeral/isvalid", False),
    ("getHashDetails", "GET", "/v2/hash_details", True),
    ("lookupUsersV2", "POST", "/v2/lookup", True),
    ("emailRequestTokenV2", "POST", "/v2/validate/email/requestToken", True),
    ("emailSubmitTokenPostV2", "POST", "/v2/validate/email/submitToken", True),
    ("emailSubmitTokenGetV2", "GET", "/v2/validate/email/submitToken", True),
    ("msisdnRequestTokenV2", "POST", "/v2/validate/msisdn/requestToken", True),
    ("msisdnSubmitTokenPostV2", "POST", "/v2/validate/msisdn/submitToken", True),
    ("msisdnSubmitTokenGetV2", "GET", "/v2/validate/msisdn/submitToken", True),
    ("getValidated3pidV2", "GET", "/v2/3pid/getValidated3pid", True),
    ("bindV2", "POST", "/v2/3pid/bind", True),
    ("unbindV2", "POST", "/v2/3pid/unbind", True),
    ("storeInviteV2", "POST", "/v2/store-invite", True),
    ("blindlySignStuffV2", "POST", "/v2/sign-ed25519", True),
]
# The same for what is used of the Client-Server API, below /_matrix/client/v3.
HOMESERVER = [
    ("getAccountData", "GET", "/user/{userId}/account_data/{type}", True),
    ("setAccountData", "PUT", "/user/{userId}/account_data/{type}", True),
    ("getTokenOwner", "GET", "/account/whoami", True),
    ("requestOpenIdToken", "POST", "/user/{userId}/openid/request_token", True),
    ("getAccount3PIDs", "GET", "/account/3pid", True),
    ("bind3PID", "POST", "/account/3pid/bind", True),
    ("unbind3pidFromAccount", "POST", "/account/3pid/unbind", True),
    ("inviteBy3PID", "POST", "/rooms/{roomId}/invite", True),
    ("inviteUser", "POST", "/rooms/{roomId}/invite", True),
    ("joinRoom", "POST", "/join/{roomIdOrAlias}", True),
    ("getRoomState", "GET", "/rooms/{roomId}/state", True),
    ("setRoomStateWithKey", "PUT", "/rooms/{roomId}/state/{eventType}/{stateKey}", True),
]
# The second form of /invite has its own anchor; the first has the plain one.
ANCHOR_BASE = {"InviteBy3PID": "thirdparty_"}
SPECIFICATION = "https://spec.matrix.org/v1.16/"
SECRET = {"client_secret", "token", "access_token", "id_access_token", "private_key"}
SECRET |= {"address", "addresses", "email", "phone_number", "next_link", "third_party_signed"}
SECRET |= {"mappings", "display_name", "signed_object"}

MODULES = [
    importlib.import_module(f"{endpoints.__name__}.{module.name}")
    for module in pkgutil.iter_modules(endpoints.__path__)
]
CLASSES = {
    name: value
    for module in MODULES
    for name, value in vars(module).items()
    if inspect.isclass(value) and value.__module__ == module.__name__
}
EVERY: dict[str, type[Endpoint[Any]]] = {
    name: value for name, value in CLASSES.items() if issubclass(value, Endpoint)
}
OLD = ["r0.2.0", "r0.2.1", "v1.1"]
ACCEPTED = ["https://example.org/somewhere/terms-2.0-en.html"]
SMALL: list[tuple[Any, Any, Any, Any]] = [
    (GetVersions(), None, {"versions": OLD}, Versions(tuple(OLD))),
    (Ping(), None, {}, {}),
    (AgreeToTerms(ACCEPTED), {"user_accepts": ACCEPTED}, {}, {}),
]
# That of GetTerms is in test_terms.py, those of account data are in test_homeserver.py.
EXAMPLES = [*SMALL, *ACCOUNT, *ASSOCIATION, *INVITATION, *KEYS, *LOOKUP, *VALIDATION]
PAGES = {"EmailSubmitTokenGet", "MsisdnSubmitTokenGet"}

KEYS_OF_REPLIES = sorted(
    {field.name for cls in CLASSES.values() for field in getattr(cls, "__attrs_attrs__", ())}
)
NEAR_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS_OF_REPLIES) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=20,
)


def _blank(cls: type[Endpoint[Any]]) -> Endpoint[Any]:
    """An endpoint whose fields do not matter: replies are read without them."""
    return object.__new__(cls)


def _plain(path: str) -> str:
    """A path without its query, and with the names in braces as an anchor spells them."""
    path = re.sub(r"\{\w+\}", lambda match: match[0].replace("_", "").lower(), path)
    return path.partition("?")[0]


def _rows() -> Iterator[tuple[str, str, str, bool, Receiver]]:
    for receiver, prefix, rows in (
        (Receiver.IDENTITY_SERVER, "/_matrix/identity", IDENTITY),
        (Receiver.HOMESERVER, "/_matrix/client/v3", HOMESERVER),
    ):
        for operation, method, path, secured in rows:
            name = operation.removesuffix("V2")
            yield name[0].upper() + name[1:], method, prefix + path, secured, receiver


TABLE = {row[0]: row for row in _rows()}


def test_there_are_23() -> None:
    """The identity service has 23 endpoints, each with a name of its own."""
    assert len({row[0] for row in IDENTITY}) == 23


def test_nothing_is_missing_and_nothing_is_too_much() -> None:
    """The package has the endpoints of the tables and no other."""
    assert set(TABLE) == set(EVERY)


@pytest.mark.parametrize("name", TABLE)
def test_endpoints_are_as_in_the_specification(name: str) -> None:
    """Method, path, receiver and need of a token are those of the specification."""
    cls = EVERY[name]
    # The package calls what the path of account data calls a type by its full name.
    path = cls.path.replace("account_data/{event_type}", "account_data/{type}")

    assert (name, cls.method, _plain(path), cls.authenticated, cls.receiver) == (
        *TABLE[name][:2],
        _plain(TABLE[name][2]),
        *TABLE[name][3:],
    )


@pytest.mark.docstrings
@pytest.mark.parametrize("name", TABLE)
def test_endpoints_say_what_they_are(name: str) -> None:
    """A docstring begins with method and path, and ends with the link to just that place."""
    _, method, path, _, receiver = TABLE[name]
    book = "identity-service-api" if receiver is Receiver.IDENTITY_SERVER else "client-server-api"
    anchor = f"{method}{path}".lower().replace("/", "").replace("{", "").replace("}", "")
    lines = inspect.cleandoc(EVERY[name].__doc__ or "").splitlines()
    said = re.fullmatch(r"(\w+) (?:\.\.\.)?(/\S+): .+\.", lines[0])

    assert said
    assert method == said[1]
    assert path.endswith(said[2])
    assert f"{SPECIFICATION}{book}/#{ANCHOR_BASE.get(name, '')}{anchor}" == lines[-1]


@pytest.mark.docstrings
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_links_are_of_one_version(module: Any) -> None:
    """Every link to the specification is to the same version, and each file has one at its top."""
    text = Path(module.__file__).read_text(encoding="utf-8")

    assert SPECIFICATION in inspect.getdoc(module)  # type: ignore[operator] # it has one
    assert {SPECIFICATION} == set(re.findall(r"https://spec\.matrix\.org/[^/]+/", text))


@pytest.mark.parametrize("name", TABLE)
def test_only_reading_is_repeatable(name: str) -> None:
    """What may be sent twice is what reads, the lookup, and the OpenID token."""
    reads = EVERY[name].method == "GET" and name not in PAGES

    assert (reads or name in {"LookupUsers", "RequestOpenIdToken"}) == EVERY[name].repeatable


@pytest.mark.parametrize(("endpoint", "body", "reply", "expected"), EXAMPLES)
def test_examples(endpoint: Endpoint[Any], body: Any, reply: Any, expected: Any) -> None:
    """The specification's example of a request is what is sent, that of a reply is read."""
    payload = endpoint.payload

    assert body == endpoint.body
    assert body == (None if payload is None else json.loads(payload))
    assert expected == endpoint.read(json.dumps(reply).encode())


@pytest.mark.parametrize(("endpoint", "body", "reply", "expected"), EXAMPLES)
def test_every_key_of_an_example_matters(
    endpoint: Endpoint[Any], body: Any, reply: Any, expected: Any
) -> None:
    """A reply without one of the keys, or with null or another type there, is a bad reply."""
    del body
    for key in () if isinstance(expected, dict) else reply:
        for changed in (None, 1.5, [5], {"x": [1]}):
            with pytest.raises(BadReply, match=r"^the body has the wrong form: "):
                endpoint.read(json.dumps(reply | {key: changed}).encode())
        if key == "threepids":  # the one that the specification does not require
            continue
        with pytest.raises(BadReply, match=r"^the body has the wrong form: "):
            endpoint.read(json.dumps({k: v for k, v in reply.items() if k != key}).encode())


@pytest.mark.parametrize(("endpoint", "body", "reply", "expected"), EXAMPLES)
def test_unknown_keys_make_no_reply_a_bad_one(
    endpoint: Endpoint[Any], body: Any, reply: Any, expected: Any
) -> None:
    """A record is read without them; what is signed, or read as an object, keeps them."""
    del body
    read = endpoint.read(json.dumps(reply | {"org.example.more": [None]}).encode())

    assert type(read) is type(expected)
    if isinstance(read, dict):
        assert read == expected | {"org.example.more": [None]}
    elif not hasattr(read, "signed_object"):
        assert read == expected


def _check_outcome(endpoint: Endpoint[Any], data: bytes) -> None:
    try:
        endpoint.read(data)
    except BadReply as bad:
        error = bad
    else:
        return
    assert str(error).startswith(("the body is not JSON: ", "the body has the wrong form: "))
    assert error.__cause__ is error.__context__ is None


@pytest.mark.parametrize("name", EVERY)
def test_hostile_bodies(name: str) -> None:
    """None of a list of nasty bodies raises anything but BadReply."""
    for body in HOSTILE:
        _check_outcome(_blank(EVERY[name]), body)


@pytest.mark.parametrize("name", sorted(set(EVERY) - PAGES))
def test_bodies_that_are_no_json(name: str) -> None:
    """T29: none but a page is read from what is not JSON; the rule that it breaks is told."""
    for body, reason in NOT_JSON.values():
        with pytest.raises(BadReply, match=f"^the body is not JSON: {reason}$"):
            _blank(EVERY[name]).read(body)


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=60, deadline=None)
@given(NEAR_JSON)
def test_any_json(name: str, value: Any) -> None:
    """Any JSON, with the keys of our replies in it, is read or is BadReply."""
    _check_outcome(_blank(EVERY[name]), json.dumps(value).encode())


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=20, deadline=None)
@given(st.binary())
def test_any_bytes(name: str, data: bytes) -> None:
    """Any bytes are read or are BadReply."""
    _check_outcome(_blank(EVERY[name]), data)


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_secrets_do_not_show(cls: type) -> None:
    """No field of a request or a reply that holds a secret or an address is in its repr."""
    shown = {field.name for field in getattr(cls, "__attrs_attrs__", ()) if field.repr}

    assert set() == SECRET & shown


@pytest.mark.parametrize(("endpoint", "body", "reply", "expected"), EXAMPLES)
def test_examples_show_no_secret(
    endpoint: Endpoint[Any], body: Any, reply: Any, expected: Any
) -> None:
    """The examples, printed, tell none of their secrets."""
    del body, reply
    for value in (endpoint, expected):
        fields = attrs.asdict(value, recurse=False) if attrs.has(type(value)) else {}
        secrets = [str(fields[name]) for name in SECRET & set(fields) if fields[name]]

        assert not any(secret in repr(value) for secret in secrets)
