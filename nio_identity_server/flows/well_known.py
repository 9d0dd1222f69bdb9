"""The default identity server that the user's own server name publishes.

https://spec.matrix.org/v1.16/client-server-api/#well-known-uris
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Protocol

from yarl import URL

from nio_identity_server import strict_json
from nio_identity_server.base_url import BaseUrl, parse_base_url
from nio_identity_server.errors import IdentityServerError, InvalidBaseUrl
from nio_identity_server.preference.resolution import Default, Source

MOST_REDIRECTS = 5


class Page(Protocol):
    """An HTTP answer."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def body(self) -> bytes:
        """The whole body."""
        ...

    @property
    def location(self) -> str | None:
        """The ``Location`` header."""
        ...


class Fetch(Protocol):
    """GETs one URL without a token and without following a redirect."""

    async def __call__(self, url: URL, *, trusted: bool) -> Page:
        """Fetch it; ``trusted`` tells whether its host may have private addresses."""
        ...


async def find_default(user_id: str, fetch: Fetch) -> Default:
    """Look up ``m.identity_server`` in ``.well-known/matrix/client`` of the user's server name.

    Whatever is wrong with it means "no default", with the reason: it must never stand in the way
    of anything else (MSC2284). The specification wants the host name without the port, ``https``,
    and redirects followed.

    Args:
        user_id: Whose server name; split at the first colon.
        fetch: How to GET a URL.
    """
    try:
        url = _well_known_url(user_id)
        page = await fetch(url, trusted=True)  # the user's own server may be a private one
        for _ in range(MOST_REDIRECTS):
            if not _is_redirect(page.status) or page.location is None:
                break
            url = _redirect_target(url, page.location)
            page = await fetch(url, trusted=False)
        return Default(Source.WELL_KNOWN, _read_page(page))
    except (_NoDefault, IdentityServerError) as error:
        return Default(Source.WELL_KNOWN, reason=f"{_place(user_id)}: {error}")


class _NoDefault(Exception):
    """Why the document gives no default."""


def _place(user_id: str) -> str:
    return f".well-known/matrix/client of {user_id.partition(':')[2] or 'the user'}"


def _well_known_url(user_id: str) -> URL:
    server_name = user_id.partition(":")[2]
    try:
        host = parse_base_url(f"https://{server_name}").host
    except InvalidBaseUrl:
        raise _NoDefault("the user id has no usable server name") from None
    return URL.build(scheme="https", host=host, path="/.well-known/matrix/client")


def _is_redirect(status: int) -> bool:
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


def _redirect_target(url: URL, location: str) -> URL:
    try:
        target = url.join(URL(location))
        parse_base_url(str(target.origin()))
    except Exception:  # noqa: BLE001 - yarl raises IndexError, too, for what it cannot read
        target = URL()
    if target.scheme != "https" or target.user is not None or target.password is not None:
        raise _NoDefault("it redirects to something that is not a plain https URL")
    return target


def _read_page(page: Page) -> BaseUrl:
    if page.status == HTTPStatus.NOT_FOUND:
        raise _NoDefault("there is none (404)")
    if page.status != HTTPStatus.OK:
        raise _NoDefault(f"HTTP {page.status}")
    try:
        document = strict_json.loads(page.body)
    except strict_json.NotJson as error:
        raise _NoDefault(f"it is not JSON: {error}") from None
    part = document.get("m.identity_server") if isinstance(document, dict) else None
    if part is None:
        raise _NoDefault("it names no identity server")
    if not isinstance(part, dict) or "base_url" not in part:
        raise _NoDefault("its m.identity_server has no base_url")
    base_url = parse_base_url(part["base_url"])
    if base_url.scheme != "https":
        raise _NoDefault("its identity server is not https")
    return base_url
