from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given, settings, strategies as st
from yarl import URL

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.errors import CannotConnect, ForbiddenAddress, IdentityServerError
from nio_identity_server.flows.well_known import MOST_REDIRECTS, find_default
from nio_identity_server.preference.resolution import Default, Source

USER = "@alice:example.com"
PLACE = ".well-known/matrix/client of example.com"
FIRST = "https://example.com/.well-known/matrix/client"
SERVER = parse_base_url("https://identity.example.com")
FOUND = Default(Source.WELL_KNOWN, SERVER)

# The example of the specification (client-server API, GET /.well-known/matrix/client).
SPECIFIED = {
    "m.homeserver": {"base_url": "https://matrix.example.com"},
    "m.identity_server": {"base_url": "https://identity.example.com"},
    "org.example.custom.property": {"app_url": "https://custom.app.example.org"},
}
NOT_PLAIN = "it redirects to something that is not a plain https URL"


@attrs.frozen
class Page:
    """An HTTP answer.

    Attributes:
        status: The HTTP status.
        body: The whole body.
        location: The ``Location`` header.
    """

    status: int = 200
    body: bytes = json.dumps(SPECIFIED).encode()
    location: str | None = None


def _redirect(location: str | None, status: int = 302) -> Page:
    return Page(status, b"moved", location)


class Script:
    """Answers with one page after the other, and keeps what was asked."""

    def __init__(self, *pages: Page | Exception) -> None:
        self.pages = list(pages)
        self.asked: list[tuple[str, bool]] = []

    async def __call__(self, url: URL, *, trusted: bool) -> Page:
        """Give the next page, or raise it."""
        self.asked.append((str(url), trusted))
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page


def _no_default(reason: str, place: str = PLACE) -> Default:
    return Default(Source.WELL_KNOWN, None, f"{place}: {reason}")


async def test_the_document_of_the_specification() -> None:
    """The specification's own example names a default, found with one request."""
    fetch = Script(Page())

    assert await find_default(USER, fetch) == FOUND
    assert fetch.asked == [(FIRST, True)]


@pytest.mark.parametrize(
    ("user_id", "url"),
    [
        ("@alice:example.com", FIRST),
        ("@alice:EXAMPLE.com", FIRST),
        ("@alice:example.com:8448", FIRST),
        ("@:example.com", FIRST),
        ("@a/b:example.com", FIRST),
        ("@alice:localhost", "https://localhost/.well-known/matrix/client"),
        ("@alice:192.0.2.1:8448", "https://192.0.2.1/.well-known/matrix/client"),
        ("@alice:[2001:db8::1]", "https://[2001:db8::1]/.well-known/matrix/client"),
        ("@alice:[2001:DB8::1]:8448", "https://[2001:db8::1]/.well-known/matrix/client"),
        (
            "@alice:xn--bcher-kva.example",
            "https://xn--bcher-kva.example/.well-known/matrix/client",
        ),
        (
            "@alice:b\u00fccher.example",
            "https://xn--bcher-kva.example/.well-known/matrix/client",
        ),
    ],
)
async def test_where_it_is_looked_for(user_id: str, url: str) -> None:
    """The host of the user's server name is asked, without its port, over https."""
    fetch = Script(Page())
    await find_default(user_id, fetch)

    assert [url] == [asked for asked, _ in fetch.asked]


@pytest.mark.parametrize(
    "user_id",
    [
        "",
        "alice",
        "@alice",
        "@alice:",
        "@alice::",
        "@alice:a b",
        "@alice:u@example.com",
        "@alice:example.com?x",
        "@alice:127.1",
        "@alice:[::1",
        "@alice:example.com:0",
        "@alice:a..b",
        "@alice:\ud800.example",
    ],
)
async def test_user_ids_without_a_server_name(user_id: str) -> None:
    """A user id without a usable server name has no default, and nobody is asked."""
    fetch = Script()
    default = await find_default(user_id, fetch)

    assert (default.source, default.base_url) == (Source.WELL_KNOWN, None)
    assert default.reason.endswith(": the user id has no usable server name")
    assert fetch.asked == []


async def test_a_user_id_without_a_colon() -> None:
    """Where there is no server name, the reason does not show an empty one."""
    expected = _no_default(
        "the user id has no usable server name", ".well-known/matrix/client of the user"
    )

    assert expected == await find_default("alice", Script())


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page(404), "there is none (404)"),
        (Page(404, b'{"errcode":"M_NOT_FOUND"}'), "there is none (404)"),
        (Page(500), "HTTP 500"),
        (Page(503, b"<html>"), "HTTP 503"),
        (Page(403), "HTTP 403"),
        (Page(201), "HTTP 201"),
        (Page(204, b""), "HTTP 204"),
        (Page(200, b""), "it is not JSON: it is not valid JSON"),
        (Page(200, b"<html></html>"), "it is not JSON: it is not valid JSON"),
        (Page(200, b"\xff"), "it is not JSON: it is not UTF-8"),
        (Page(200, b'{"a":1,"a":1}'), "it is not JSON: an object has the same key twice"),
        (Page(200, b"{}"), "it names no identity server"),
        (Page(200, b"[]"), "it names no identity server"),
        (Page(200, b'"m.identity_server"'), "it names no identity server"),
        (Page(200, b'{"m.homeserver":{}}'), "it names no identity server"),
        (Page(200, b'{"m.identity_server":null}'), "it names no identity server"),
        (Page(200, b'{"m.identity_server":{}}'), "its m.identity_server has no base_url"),
        (Page(200, b'{"m.identity_server":[]}'), "its m.identity_server has no base_url"),
        (Page(200, b'{"m.identity_server":false}'), "its m.identity_server has no base_url"),
        (
            Page(200, b'{"m.identity_server":"https://id.example.org"}'),
            "its m.identity_server has no base_url",
        ),
        (
            Page(200, b'{"m.identity_server":{"base_url":null}}'),
            "not the base URL of an identity server: a string is needed, not NoneType",
        ),
        (
            Page(200, b'{"m.identity_server":{"base_url":""}}'),
            "not the base URL of an identity server: it is empty",
        ),
        (
            Page(200, b'{"m.identity_server":{"base_url":"https://a:b@id.example.org"}}'),
            "not the base URL of an identity server: it holds a user name or password",
        ),
        (
            Page(200, b'{"m.identity_server":{"base_url":"http://id.example.org"}}'),
            "its identity server is not https",
        ),
    ],
)
async def test_no_default(page: Page, reason: str) -> None:
    """Whatever is wrong with the document means "no default", and says why."""
    assert _no_default(reason) == await find_default(USER, Script(page))


@pytest.mark.parametrize(
    "error",
    [
        CannotConnect("https://example.com", "connection refused"),
        ForbiddenAddress("https://example.com", "127.0.0.1 is not public"),
    ],
    ids=str,
)
@pytest.mark.parametrize("before", [[], [_redirect("/other")]], ids=["at first", "redirected"])
async def test_no_answer(error: IdentityServerError, before: list[Page]) -> None:
    """A server that does not answer has no default either."""
    assert _no_default(str(error)) == await find_default(USER, Script(*before, error))


async def test_a_bug_is_not_hidden() -> None:
    """What is not one of our errors is nobody's reason to have no default."""
    with pytest.raises(RuntimeError, match=r"^bug$"):
        await find_default(USER, Script(RuntimeError("bug")))


@pytest.mark.parametrize("count", range(MOST_REDIRECTS + 1))
async def test_redirects_are_followed(count: int) -> None:
    """Up to five redirects are followed; only the user's own host may be private."""
    pages = [_redirect(f"https://host{number}.example/{number}") for number in range(count)]
    fetch = Script(*pages, Page())

    assert await find_default(USER, fetch) == FOUND
    assert [
        (FIRST, True),
        *((f"https://host{number}.example/{number}", False) for number in range(count)),
    ] == fetch.asked


async def test_a_sixth_redirect_is_not_followed() -> None:
    """Six redirects are too many."""
    fetch = Script(*(_redirect(f"/{number}") for number in range(6)), Page())

    assert _no_default("HTTP 302") == await find_default(USER, fetch)
    assert len(fetch.asked) == 6


async def test_a_loop_ends() -> None:
    """A document that redirects to itself is asked for six times, no more."""
    fetch = Script(*(_redirect(FIRST) for _ in range(10)))

    assert _no_default("HTTP 302") == await find_default(USER, fetch)
    assert fetch.asked == [(FIRST, True)] + [(FIRST, False)] * 5


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_every_kind_of_redirect(status: int) -> None:
    """Each of the five statuses that redirect a GET is followed."""
    fetch = Script(_redirect("https://www.example.com/", status), Page())

    assert await find_default(USER, fetch) == FOUND


async def test_a_choice_of_places_is_followed_where_it_points() -> None:
    """A 300 that names a place, which is its server's own preference, is followed there."""
    fetch = Script(_redirect("https://www.example.com/", 300), Page())

    assert await find_default(USER, fetch) == FOUND


async def test_an_error_that_names_a_place_is_not_followed() -> None:
    """A 400 is no redirect, whatever its ``Location`` says."""
    fetch = Script(_redirect("https://www.example.com/", 400), Page())

    assert await find_default(USER, fetch) == _no_default("HTTP 400")
    assert fetch.asked == [(FIRST, True)]


@pytest.mark.parametrize("status", [300, 302, 304])
async def test_a_redirect_to_nowhere(status: int) -> None:
    """A redirect without a target is no answer."""
    fetch = Script(_redirect(None, status))

    assert _no_default(f"HTTP {status}") == await find_default(USER, fetch)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/other", "https://example.com/other"),
        ("other", "https://example.com/.well-known/matrix/other"),
        ("../x", "https://example.com/.well-known/x"),
        ("?a=b", f"{FIRST}?a=b"),
        ("//www.example.com/x", "https://www.example.com/x"),
        ("https://www.example.com", "https://www.example.com/"),
        ("https://www.example.com:8443/x?y=z", "https://www.example.com:8443/x?y=z"),
        ("HTTPS://WWW.example.com/x", "https://www.example.com/x"),
        ("https://xn--bcher-kva.example/x", "https://xn--bcher-kva.example/x"),
        # Whether these may be contacted is decided at the connection, and they are not trusted.
        ("https://127.0.0.1/x", "https://127.0.0.1/x"),
        ("https://169.254.169.254/latest/", "https://169.254.169.254/latest/"),
        ("https://[::1]/x", "https://[::1]/x"),
    ],
)
async def test_targets(location: str, target: str) -> None:
    """A relative target is joined to where it came from, and no target is trusted."""
    fetch = Script(_redirect(location), Page())
    await find_default(USER, fetch)

    asked, trusted = fetch.asked[1]
    assert (URL(target), False) == (URL(asked), trusted)


@pytest.mark.parametrize(
    "location",
    [
        "http://example.com/x",
        "file:///etc/passwd",
        "ftp://example.com/x",
        "javascript:alert(1)",
        "data:application/json,{}",
        "https://alice@example.com/x",
        "https://a:b@example.com/x",
        "https://:b@example.com/x",
        "https://[::1",
        "https://a_b.example/",
        "https://127.1/x",
        "https://2130706433/",
        "https://example.com:0/",
        "https://a..b/",
        "https://example.com:99999/",
        "https://exa%6dple.com/",
        "https://example.org%00.evil/",
        "https://\ud800/",
        "//alice@www.example.com/",
    ],
)
async def test_targets_that_are_not_plain(location: str) -> None:
    """A redirect to anything but a plain https URL is not followed, and not repeated."""
    fetch = Script(_redirect(location))

    assert _no_default(NOT_PLAIN) == await find_default(USER, fetch)
    assert len(fetch.asked) == 1


async def test_a_downgrade_on_the_way() -> None:
    """The second redirect is looked at like the first."""
    fetch = Script(_redirect("https://www.example.com/"), _redirect("http://www.example.com/"))

    assert _no_default(NOT_PLAIN) == await find_default(USER, fetch)
    assert len(fetch.asked) == 2


async def test_the_end_of_a_redirect_is_read_like_any_page() -> None:
    """A target that is missing is missing."""
    fetch = Script(_redirect("/other"), Page(404))

    assert _no_default("there is none (404)") == await find_default(USER, fetch)


def _anything(build: Callable[[Any], Page]) -> st.SearchStrategy[Page]:
    any_json = st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["m.identity_server", "base_url"]), inner)
        ),
        max_leaves=6,
    )
    return any_json.map(build)


@settings(max_examples=200, deadline=None)
@given(
    _anything(lambda value: Page(200, json.dumps(value).encode()))
    | st.builds(Page, st.integers(100, 999), st.binary(), st.none())
    | st.text(st.characters(exclude_categories=())).map(_redirect)
    | st.text().map(lambda text: _redirect(f"https://{text}"))
)
async def test_any_answer(page: Page) -> None:
    """Any answer at all is a default or a reason, and never an exception."""
    default = await find_default(USER, Script(page, Page(404)))

    assert (default.base_url is None) is default.reason.startswith(f"{PLACE}: ")


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=())).map("@alice:".__add__) | st.text())
async def test_any_user_id(user_id: str) -> None:
    """Any user id at all has a default or a reason, and only https is asked for."""
    fetch = Script(Page())
    default = await find_default(user_id, fetch)

    assert isinstance(default, Default)
    assert all(url.startswith("https://") for url, _ in fetch.asked)
