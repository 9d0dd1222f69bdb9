from __future__ import annotations

import importlib
import json
import pkgutil
import re
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import attrs
import pytest
from hypothesis import example, given, settings, strategies as st
from yarl import URL

from nio_identity_server import endpoints
from nio_identity_server.endpoint import BadReply, Endpoint, Receiver
from nio_identity_server.endpoints import discovery, homeserver, terms
from nio_identity_server.endpoints.homeserver_room import InviteBy3PID, JoinRoom
from nio_identity_server.endpoints.lookup import LookupUsers
from nio_identity_server.endpoints.validation import EmailSubmitTokenPost
from nio_identity_server.errors import IdentityServerError

USER = "@alice:example.org"
EVENT = "m.identity_server"

EVERY: dict[str, Endpoint[Any]] = {
    "GetVersions": discovery.GetVersions(),
    "Ping": discovery.Ping(),
    "GetTerms": terms.GetTerms(),
    "AgreeToTerms": terms.AgreeToTerms(("https://example.org/terms",)),
    "GetAccountData": homeserver.GetAccountData(USER, EVENT),
    "SetAccountData": homeserver.SetAccountData(USER, EVENT, {"base_url": None}),
    "GetTokenOwner": homeserver.GetTokenOwner(),
    "RequestOpenIdToken": homeserver.RequestOpenIdToken(USER),
}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
# Values that come near to what the endpoints read.
NEAR_JSON = st.recursive(
    st.none() | st.integers() | st.text() | st.sampled_from(["v1.1", "https://example.org/a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["versions", "policies", "version", "en", "name", "url", "user_id"]),
            inner,
        )
    ),
    max_leaves=12,
)


@attrs.frozen
class Thing:
    """A reply with something of each kind.

    Attributes:
        name: Needed.
        count: Not needed.
    """

    name: str
    count: int = 0


@attrs.frozen
class GetThing(Endpoint[Thing]):
    """GET /_matrix/thing/{one}/of/{two}."""

    path: ClassVar[str] = "/_matrix/thing/{one}/of/{two}"
    reply: ClassVar[Any] = Thing

    one: str
    two: str


def _found() -> dict[str, type[Endpoint[Any]]]:
    """Every endpoint of the package."""
    modules = [
        importlib.import_module(f"{endpoints.__name__}.{found.name}")
        for found in pkgutil.iter_modules(endpoints.__path__)
    ]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Endpoint) and value is not Endpoint
    }


CLASSES = _found()


def test_the_samples_are_called_what_they_are() -> None:
    """The samples of this file are endpoints of the package, by their names."""
    assert set(EVERY) <= set(CLASSES)
    assert list(EVERY) == [type(endpoint).__name__ for endpoint in EVERY.values()]


@pytest.mark.docstrings
@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_each_says_what_it_is(cls: type[Endpoint[Any]]) -> None:
    """The docstring begins with method and path, and names the chapter of the specification."""
    doc = cls.__doc__ or ""
    method, _, path = re.sub(r"\{\w+\}", "{}", doc.partition(":")[0]).partition(" ")

    assert method == cls.method
    assert re.sub(r"\{\w+\}", "{}", cls.path).partition("?")[0].endswith(path.removeprefix("..."))
    assert "https://spec.matrix.org/v1.16/" in doc


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_each_fills_its_path_with_its_fields(cls: type[Endpoint[Any]]) -> None:
    """Each place in a path is a field of the endpoint."""
    fields = {field.name for field in attrs.fields(cls)}

    assert set(re.findall(r"\{(\w+)\}", cls.path)) <= fields


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_each_goes_where_its_path_belongs(cls: type[Endpoint[Any]]) -> None:
    """Paths of the identity service go to identity servers, all others to the homeserver."""
    is_identity = cls.path.startswith("/_matrix/identity/")

    assert is_identity or cls.path.startswith("/_matrix/client/")
    assert cls.receiver is (Receiver.IDENTITY_SERVER if is_identity else Receiver.HOMESERVER)


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_each_has_limits(cls: type[Endpoint[Any]]) -> None:
    """No reply is read without a limit of bytes and of seconds."""
    cap: object = cls.cap

    assert isinstance(cap, property) or (isinstance(cap, int) and cap > 0)
    assert 0 < cls.timeout <= 60


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_only_what_changes_nothing_is_repeated(cls: type[Endpoint[Any]]) -> None:
    """Nothing is sent again but GETs, lookups, and the request for a token that expires."""
    changes_nothing = cls.path.endswith(("/lookup", "/openid/request_token"))

    assert not cls.repeatable or cls.method == "GET" or changes_nothing


@pytest.mark.parametrize("endpoint", EVERY.values(), ids=EVERY)
def test_a_get_has_no_body(endpoint: Endpoint[Any]) -> None:
    """A GET sends no body, everything else a JSON object."""
    assert (endpoint.method == "GET") is (endpoint.body is None)
    assert endpoint.body is None or json.loads(json.dumps(endpoint.body)) == endpoint.body


def test_an_endpoint_is_a_value() -> None:
    """Two equal requests are equal, and a request cannot be changed."""
    thing = GetThing("a", "b")

    assert thing == GetThing("a", "b")
    assert thing != GetThing("a", "c")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        thing.one = "c"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("one", "target"),
    [
        ("a", "/_matrix/thing/a/of/b"),
        ("@alice:example.org", "/_matrix/thing/%40alice%3Aexample.org/of/b"),
        ("a/b", "/_matrix/thing/a%2Fb/of/b"),
        ("../../x", "/_matrix/thing/..%2F..%2Fx/of/b"),
        ("?a=b#c", "/_matrix/thing/%3Fa%3Db%23c/of/b"),
        ("a%2Fb", "/_matrix/thing/a%252Fb/of/b"),
        ("a b\r\n", "/_matrix/thing/a%20b%0D%0A/of/b"),
        ("\\", "/_matrix/thing/%5C/of/b"),
        ("\u00fc", "/_matrix/thing/%C3%BC/of/b"),
        ("...", "/_matrix/thing/.../of/b"),
        ("a.b", "/_matrix/thing/a.b/of/b"),
        ("{two}", "/_matrix/thing/%7Btwo%7D/of/b"),
        ("\\1", "/_matrix/thing/%5C1/of/b"),
        ("", "/_matrix/thing//of/b"),
    ],
)
def test_target(one: str, target: str) -> None:
    """A field is percent-encoded whole."""
    assert target == GetThing(one, "b").target


@pytest.mark.parametrize("step", [".", ".."])
def test_a_step_of_the_path_is_refused(step: str) -> None:
    """No encoding makes a segment of it: URL libraries decode it and take the step."""
    with pytest.raises(ValueError, match="cannot be"):
        _ = GetThing("a", step).target


_SEGMENTS = st.text().filter(lambda text: text not in {".", ".."})


@settings(max_examples=300, deadline=None)
@given(_SEGMENTS, _SEGMENTS)
@example("...", "../..")
def test_a_field_stays_one_segment(one: str, two: str) -> None:
    """Whatever text a field holds, it is one segment of the path and can be read back."""
    target = GetThing(one, two).target
    segments = target.split("/")

    assert ["", "_matrix", "thing", one, "of", two] == list(map(unquote, segments))
    assert not {".", ".."} & set(segments)
    assert (target, "", "") == urlsplit(target)[2:5]
    assert target.isascii()
    assert target.isprintable()


@settings(max_examples=100, deadline=None)
@given(_SEGMENTS.filter(bool))
def test_a_field_is_sent_as_it_is_encoded(one: str) -> None:
    """The URL class that sends it neither decodes nor adds anything."""
    url = URL("https://id.example.org" + GetThing(one, "b").target, encoded=True)

    assert GetThing(one, "b").target == url.raw_path_qs


def test_half_of_a_surrogate_pair_is_no_foreign_exception() -> None:
    """A user id that cannot be written as UTF-8 stays one segment, or is one of our errors."""
    endpoint = homeserver.GetAccountData("@\ud800:example.org", EVENT)
    try:
        target = endpoint.target
    except (BadReply, IdentityServerError):
        return

    assert target.count("/") == endpoint.path.count("/")


def test_the_plain_endpoint_sends_no_body() -> None:
    """An endpoint has no body unless it says so."""
    assert (GetThing("a", "b").body, GetThing("a", "b").payload) == (None, None)


@pytest.mark.parametrize("endpoint", EVERY.values(), ids=EVERY)
def test_the_payload_is_the_body(endpoint: Endpoint[Any]) -> None:
    """What is sent is the body as JSON in ASCII, or nothing."""
    payload = endpoint.payload

    assert endpoint.body == (None if payload is None else json.loads(payload.decode("ascii")))


def test_a_plain_endpoint_is_sent_once_and_without_a_token() -> None:
    """An endpoint that says nothing about it is small, has no token, and is not sent again."""
    thing = GetThing("a", "b")

    assert (thing.is_large, thing.authenticated, thing.repeatable) == (False, False, False)


def test_a_good_reply() -> None:
    """A good reply is decoded into its class; unknown keys are left out."""
    assert Thing("a", 2) == GetThing("a", "b").read(b'{"name":"a","count":2,"more":[1]}')


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is not JSON: it is not valid JSON"),
        (b"<html>", "the body is not JSON: it is not valid JSON"),
        (b"\xff", "the body is not JSON: it is not UTF-8"),
        (b'{"name":"a","name":"a"}', "the body is not JSON: an object has the same key twice"),
        (b"null", "the body has the wrong form: Expected `object`, got `null`"),
        (b"[]", "the body has the wrong form: Expected `object`, got `array`"),
        (b"{}", "the body has the wrong form: Object missing required field `name`"),
        (b'{"name":5}', "the body has the wrong form: Expected `str`, got `int` - at `$.name`"),
        (
            b'{"name":"a","count":"2"}',
            "the body has the wrong form: Expected `int`, got `str` - at `$.count`",
        ),
        (
            b'{"name":"a","count":true}',
            "the body has the wrong form: Expected `int`, got `bool` - at `$.count`",
        ),
    ],
)
def test_a_bad_reply(body: bytes, reason: str) -> None:
    """A bad reply is BadReply with the rule that it breaks, and no other exception behind it."""
    with pytest.raises(BadReply) as caught:
        GetThing("a", "b").read(body)

    assert (reason, None, None) == (
        str(caught.value),
        caught.value.__cause__,
        caught.value.__context__,
    )


def _check_outcome(endpoint: Endpoint[Any], body: bytes) -> None:
    try:
        reply = endpoint.read(body)
    except BadReply as error:
        refusal, reply = str(error), None
    else:
        refusal = ""
    assert refusal == "" or refusal.startswith(
        ("the body is not JSON: ", "the body has the wrong form: ")
    )
    if isinstance(reply, terms.Terms):
        assert len(reply.offered) <= terms.MOST_POLICIES


@pytest.mark.parametrize("endpoint", EVERY.values(), ids=EVERY)
@settings(max_examples=60, deadline=None)
@given(ANY_JSON | NEAR_JSON)
def test_any_json(endpoint: Endpoint[Any], value: Any) -> None:
    """Any JSON at all is a checked reply or BadReply."""
    _check_outcome(endpoint, json.dumps(value).encode())


@pytest.mark.parametrize("endpoint", EVERY.values(), ids=EVERY)
@settings(max_examples=50, deadline=None)
@given(st.binary())
def test_any_bytes(endpoint: Endpoint[Any], body: bytes) -> None:
    """Any bytes at all are a checked reply or BadReply."""
    _check_outcome(endpoint, body)


@pytest.mark.parametrize("endpoint", EVERY.values(), ids=EVERY)
def test_no_depth_is_too_deep(endpoint: Endpoint[Any]) -> None:
    """Nesting at and around Python's own limit is a checked reply or BadReply."""
    for depth in (*range(900, 1010), 100_000):
        _check_outcome(endpoint, b'{"a":' * depth + b"1" + b"}" * depth)


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=6), st.sampled_from(["name", "count", "other"]))
def test_a_bad_reply_never_repeats_the_body(secret: str, key: str) -> None:
    """No value that a server sent stands in the text of the exception."""
    body = json.dumps({key: [f"hunter2{secret}"]}).encode()
    with pytest.raises(BadReply) as caught:
        GetThing("a", "b").read(body)

    assert "hunter2" not in str(caught.value)


def test_what_must_not_be_shown_is_blanked_out() -> None:
    """The fields that are not printed, wherever a server repeats them, if they are texts."""
    endpoint = InviteBy3PID("!room:x", "id.example.org", "canary-token", "email", "canary@x.org")
    said = "no: canary-token (canary@x.org) in !room:x at id.example.org, canary-token"
    assert endpoint.redact(said) == "no: *** (***) in !room:x at id.example.org, ***"


def test_what_is_too_short_to_be_a_secret_is_not_blanked_out() -> None:
    """It stands in many a word."""
    endpoint = EmailSubmitTokenPost("sid", "canary-secret", "a")
    assert endpoint.redact("a bad canary-secret") == "a bad ***"


def test_texts_inside_of_lists_and_objects_are_blanked_out_too() -> None:
    """The hashes of a lookup, and what an invitation was signed with."""
    signed = {"token": "canary-token", "signatures": {"x.org": {"ed25519:0": "canary-signature"}}}
    assert JoinRoom("!room:x", signed).redact("canary-token, canary-signature") == "***, ***"
    lookup = LookupUsers(["canary-hash", "other-hash"], "sha256", "pepper")
    assert lookup.redact("other-hash, canary-hash") == "***, ***"


def test_an_address_in_the_clear_is_blanked_out_without_its_medium() -> None:
    """It is sent with it, but a server may name the address only."""
    lookup = LookupUsers(["canary@example.org email"], "none", "pepper")
    assert lookup.redact("canary@example.org email? canary@example.org!") == "***? ***!"
