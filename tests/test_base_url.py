from __future__ import annotations

import string
from ipaddress import IPv4Address, IPv6Address
from typing import NoReturn
from urllib.parse import urlsplit

import attrs
import pytest
from hypothesis import example, given, settings, strategies as st
from yarl import URL

from nio_identity_server import base_url as module
from nio_identity_server.base_url import DEFAULT_PORTS, MAX_LENGTH, BaseUrl, parse_base_url
from nio_identity_server.errors import InvalidBaseUrl
from tests.vectors.base_urls import (
    ACCEPTED,
    DISAGREE,
    ID_SERVERS,
    REASONS,
    REFUSED,
    UNICODE_HOSTS,
)

ANY_CHARACTER = st.characters(exclude_categories=())
ANY_TEXT = st.text(ANY_CHARACTER)
ALL_TEXTS = sorted(text for text, _ in (*ACCEPTED.values(), *REFUSED.values()) if len(text) < 300)


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    """One of the vectors with a piece cut out and something put in its place."""
    text = draw(st.sampled_from(ALL_TEXTS))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 3)))
    piece = draw(st.text(ANY_CHARACTER, max_size=2) | st.text("/.:@%[]-x0", max_size=3))
    return text[:start] + piece + text[end:]


@st.composite
def _plausible(draw: st.DrawFn) -> str:
    """Something with the shape of a base URL, often a good one."""
    scheme = draw(st.sampled_from(["https", "HTTPS", "http", "Https"]))
    host = draw(
        st.text("abz09-.\u00fc\u0435\u4e2d", min_size=1, max_size=12)
        | st.integers(0, 2**32 - 1).map(IPv4Address)
        | st.integers(0, 2**128 - 1).map(lambda number: f"[{IPv6Address(number)}]")
    )
    port = draw(st.sampled_from(["", ":443", ":80"]) | st.integers(1, 65535).map(":{}".format))
    path = draw(st.text("aZ9~!$&'()*+,;=:@-._/", max_size=12))
    return f"{scheme}://{host}{port}/{path}"


def _parsed(text: object) -> BaseUrl | None:
    """What it is read as; None if it is refused as it should be."""
    try:
        return parse_base_url(text)
    except InvalidBaseUrl as error:
        refusal = error
    assert refusal.reason in REASONS
    assert (refusal.__cause__, refusal.__context__) == (None, None)
    return None


def _refusal(text: object) -> InvalidBaseUrl:
    with pytest.raises(InvalidBaseUrl) as caught:
        parse_base_url(text)
    return caught.value


def test_the_table_is_as_long_as_promised() -> None:
    """The threat model asks for 85 vectors; no text stands in the table twice."""
    texts = [text for text, _ in (*ACCEPTED.values(), *REFUSED.values())]

    assert len(texts) >= 85
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize(("text", "normal_form"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(text: str, normal_form: str) -> None:
    """A good base URL is read into its one normal form."""
    assert normal_form == str(parse_base_url(text))


@pytest.mark.parametrize(("text", "normal_form"), ACCEPTED.values(), ids=ACCEPTED)
def test_normal_form_stays(text: str, normal_form: str) -> None:
    """The normal form of a base URL is read as the same base URL."""
    assert parse_base_url(text) == parse_base_url(normal_form)


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(text: str, reason: str) -> None:
    """Anything else is refused with the first rule that it breaks."""
    assert reason == _refusal(text).reason


def test_every_reason_is_listed_and_reached() -> None:
    """The vectors reach every reason but the one that no known text reaches."""
    assert REASONS - {DISAGREE} == {reason for _, reason in REFUSED.values()}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_refusal_hangs_on_nothing(text: str, reason: str) -> None:
    """No exception of a parser, which would repeat the text, hangs on a refusal."""
    error = _refusal(text)

    assert (None, None, (f"not the base URL of an identity server: {reason}",)) == (
        error.__cause__,
        error.__context__,
        error.args,
    )


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "NoneType"),
        (True, "bool"),
        (5, "int"),
        (1.5, "float"),
        (b"https://id.example.org", "bytes"),
        (["https://id.example.org"], "list"),
        ({"base_url": "https://id.example.org"}, "dict"),
        (URL("https://id.example.org"), "URL"),
    ],
)
def test_only_strings_are_read(value: object, kind: str) -> None:
    """Whatever is not a string is refused, even if its text would be good."""
    assert f"a string is needed, not {kind}" == _refusal(value).reason


def test_a_subclass_of_str_is_read_by_its_characters() -> None:
    """A string that calls itself something else is read as the characters that it holds."""

    class Liar(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "https://evil.example"

    base_url = parse_base_url(Liar("https://id.example.org/a"))

    assert str(base_url) == "https://id.example.org/a"
    assert {str} == {type(base_url.scheme), type(base_url.host), type(base_url.path)}


def test_a_base_url_is_returned_as_it_is() -> None:
    """What was parsed once is not parsed again."""
    base_url = parse_base_url("https://id.example.org")

    assert base_url is parse_base_url(base_url)


@pytest.mark.parametrize(("text", "expected"), ID_SERVERS.values(), ids=ID_SERVERS)
def test_id_server(text: str, expected: str) -> None:
    """``id_server`` is the normal form without its scheme."""
    assert expected == parse_base_url(text).id_server


@pytest.mark.parametrize(("text", "expected"), UNICODE_HOSTS.values(), ids=UNICODE_HOSTS)
def test_unicode_host(text: str, expected: str) -> None:
    """People are shown the letters, and the A-label is kept beside them."""
    assert expected == parse_base_url(text).unicode_host


def test_a_base_url_shows_its_normal_form() -> None:
    """In a log or a debugger it is what ``str`` gives, with the name of its class."""
    assert repr(parse_base_url("HTTPS://A.example:443/x/")) == "BaseUrl('https://a.example/x')"


@pytest.mark.parametrize("character", [*string.ascii_letters, *string.digits, *"-_~"])
def test_only_slashes_are_dropped_at_the_end(character: str) -> None:
    """Whatever else a path ends in belongs to it."""
    assert parse_base_url(f"https://a.example/{character}//").path == f"/{character}"


@pytest.mark.parametrize("path", ["/%41", "/%7euser", "/%7Euser", "/a%20b", "/%C3%BC"])
def test_a_path_is_kept_as_it_is_written(path: str) -> None:
    """Octets that are encoded without need stay encoded: a server may tell them apart."""
    assert parse_base_url(f"https://a.example{path}").path == path


def test_homographs_differ() -> None:
    """A name that only looks like another one is another server."""
    assert parse_base_url("https://\u0435xample.org") != parse_base_url("https://example.org")


def test_spellings_are_one_server() -> None:
    """Two spellings of one base URL are equal and have one hash."""
    spellings = ["https://id.example.org", "HTTPS://ID.example.org:443/"]

    assert len({parse_base_url(text) for text in spellings}) == 1


def test_a_base_url_cannot_be_changed() -> None:
    """A base URL that was checked stays as it is, and has no order."""
    base_url = parse_base_url("https://id.example.org")

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        base_url.host = "evil.example"  # type: ignore[misc]
    with pytest.raises(TypeError):
        sorted([base_url, parse_base_url("https://a.example")])  # type: ignore[type-var]


@pytest.mark.parametrize("parser", ["urlsplit", "URL"])
def test_parsers_that_disagree(parser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that one parser reads as another server is refused, should there be such a text."""
    other = "https://evil.example"
    answer = urlsplit(other) if parser == "urlsplit" else URL(other)
    monkeypatch.setattr(module, parser, lambda *_args, **_kwargs: answer)

    assert _refusal("https://id.example.org").reason == DISAGREE


def test_the_limit_holds_for_the_normal_form() -> None:
    """A base URL that is accepted can be written down and read again, however long it is."""
    text = "https://b\u00fccher.example/"
    text += "a" * (MAX_LENGTH - len(text))
    base_url = _parsed(text)

    assert base_url is None or base_url == parse_base_url(str(base_url))


def _check_round_trip(text: str) -> None:
    base_url = _parsed(text)
    if base_url is None:
        return
    normal_form = str(base_url)
    split, yarl = urlsplit(normal_form), URL(normal_form)
    port = split.port or DEFAULT_PORTS[base_url.scheme]

    assert base_url == parse_base_url(normal_form)
    assert (base_url.scheme, base_url.host, base_url.port) == (split.scheme, split.hostname, port)
    assert (base_url.scheme, base_url.host, base_url.port) == (
        yarl.scheme,
        yarl.raw_host,
        yarl.port,
    )
    assert normal_form.isascii()
    assert normal_form.isprintable()
    assert not normal_form.endswith("/")


@settings(max_examples=700, deadline=None)
@given(_plausible())
@example("https://a")
def test_accepted_means_one_thing(text: str) -> None:
    """What is accepted survives a round trip, and urllib and yarl see the same origin in it."""
    _check_round_trip(text)


@settings(max_examples=700, deadline=None)
@given(_mutated())
def test_neighbours_of_the_vectors(text: str) -> None:
    """The same holds for everything near the vectors, or it is refused for a known reason."""
    _check_round_trip(text)


@settings(max_examples=600, deadline=None)
@given(
    ANY_TEXT
    | ANY_TEXT.map("https://".__add__)
    | ANY_TEXT.map("https://xn--".__add__)
    | ANY_TEXT.map("https://id.example.org/".__add__)
)
@example("https://xn--9999999999")
@example("https://xn--\u00e9-\ud800")
def test_any_text(text: str) -> None:
    """Any text at all is a base URL or InvalidBaseUrl, with one of the reasons of the table."""
    _check_round_trip(text)


@settings(max_examples=100, deadline=None)
@given(_mutated(), st.integers(0, 40))
def test_a_refusal_never_repeats_the_text(text: str, place: int) -> None:
    """Whatever secret is part of the text, the refusal does not hold it."""
    secret = "hunter2"
    told = ""
    try:
        parse_base_url(text[:place] + secret + text[place:])
    except InvalidBaseUrl as error:
        told = f"{error!s} {error!r} {vars(error)}"

    assert secret not in told


def test_a_mapping_is_named_by_its_type_only() -> None:
    """The refusal of another type names the type, never the value."""

    class Noisy:
        def __repr__(self) -> NoReturn:
            raise AssertionError

    assert _refusal(Noisy()).reason == "a string is needed, not Noisy"
