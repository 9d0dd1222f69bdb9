"""The address of an identity server: parsed once, strictly, into one normal form.

Pure: nothing here looks up a name or opens a connection. Whether the address may be *contacted*
is decided in :mod:`nio_identity_server.addresses`.
"""

from __future__ import annotations

import ipaddress
import re
import string
from urllib.parse import urlsplit

import attrs
import idna
from yarl import URL

from nio_identity_server.errors import InvalidBaseUrl

MAX_LENGTH = 2048
"""Longest accepted text, in characters. Browsers and proxies agree on about this much."""

DEFAULT_PORTS = {"https": 443, "http": 80}

# RFC 3986: scheme "://" authority path. Query, fragment and anything odd must not be there at all.
_SHAPE = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/]*)(?P<path>/.*)?", re.IGNORECASE | re.ASCII
)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# WHATWG URL, "ends in a number": a host like this is read as an IPv4 address by somebody.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
# RFC 3986 pchar without sub-delims that no deployed path needs, plus percent-encoded octets.
_SEGMENT = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
_ENCODED_TROUBLE = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff]|2[EeFf]|5[Cc])")
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
# IDNA would read these as dots; a host name with two kinds of dot is a trick.
_OTHER_DOTS = frozenset("\u3002\uff0e\uff61")


@attrs.frozen(order=False)  # which is so anyway, but mypy has to be told
class BaseUrl:
    """The base URL of an identity server, always valid and in normal form.

    The normal form is lower case up to the path, has A-labels for names outside ASCII, no default
    port and no ``/`` at the end; ``str()`` gives it. Made by :func:`parse_base_url` only.

    Attributes:
        scheme: ``https`` or ``http``.
        host: A-label name or canonical IP address; IPv6 without brackets.
        port: 1 to 65535.
        path: Empty, or ``/`` and more, never ending in ``/``.
    """

    scheme: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.id_server}"

    def __repr__(self) -> str:
        return f"BaseUrl({str(self)!r})"

    @property
    def id_server(self) -> str:
        """The form that homeservers take as ``id_server``: host[:port][/path], no scheme.

        The homeserver puts ``https://`` before it (matrix-spec#2056).
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{host}{port}{self.path}"

    @property
    def unicode_host(self) -> str:
        """The host for people, in U-labels, to be shown beside ``host`` and never compared."""
        return idna.decode(self.host) if "xn--" in self.host else self.host


def parse_base_url(text: object) -> BaseUrl:
    """Read the base URL of an identity server.

    One slash or several at the end are dropped: values written years ago have them
    (matrix-ios-sdk#1897). A path is kept.

    Args:
        text: A string from account data, ``.well-known``, configuration or a person; or a
            :class:`BaseUrl`, which is returned as it is.

    Raises:
        InvalidBaseUrl: With the first rule that the text breaks, never with the text.
    """
    if isinstance(text, BaseUrl):
        return text
    if not isinstance(text, str):
        raise InvalidBaseUrl(f"a string is needed, not {type(text).__name__}")
    _check_characters(text)
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise InvalidBaseUrl("it must begin with https:// and a host")
    scheme = shape["scheme"].lower()
    host, port = _parse_authority(shape["authority"], scheme)
    url = BaseUrl(scheme, host, port, _parse_path(shape["path"] or ""))
    if len(str(url)) > MAX_LENGTH:  # A-labels are longer than what they stand for
        raise InvalidBaseUrl(f"it is longer than {MAX_LENGTH} characters")
    _check_that_others_agree(url)
    return url


def _check_characters(text: str) -> None:
    if not text:
        raise InvalidBaseUrl("it is empty")
    if len(text) > MAX_LENGTH:
        raise InvalidBaseUrl(f"it is longer than {MAX_LENGTH} characters")
    if any(char <= " " or char == "\x7f" for char in text):
        raise InvalidBaseUrl("it holds blanks or control characters")
    for char, name in (("\\", "a backslash"), ("?", "a query"), ("#", "a fragment")):
        if char in text:
            raise InvalidBaseUrl(f"it has {name}")


def _parse_authority(authority: str, scheme: str) -> tuple[str, int]:
    if "@" in authority:
        raise InvalidBaseUrl("it holds a user name or password")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise InvalidBaseUrl("host or port cannot be read")
    port = DEFAULT_PORTS[scheme] if match["port"] is None else int(match["port"])
    if not 0 < port < 2**16:
        raise InvalidBaseUrl("the port must be 1 to 65535")
    host = match["host"]
    return (_parse_ipv6(host[1:-1]) if host.startswith("[") else _parse_name(host)), port


def _parse_ipv6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        pass
    raise InvalidBaseUrl("the IPv6 address is malformed")


def _parse_name(host: str) -> str:
    """The A-label form of a host name, or a canonical IPv4 address."""
    name = _to_a_labels(host)
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):  # noqa: PLR2004 - RFC 1035
        raise InvalidBaseUrl("the host is not a valid name")
    if _NUMERIC_LABEL.fullmatch(labels[-1]) and not _is_canonical_ipv4(name):
        raise InvalidBaseUrl("the host looks like an IPv4 address but is not written as one")
    return name


def _to_a_labels(host: str) -> str:
    if _OTHER_DOTS.intersection(host):
        raise InvalidBaseUrl("the host is not a valid name")
    if host.isascii() and "xn--" not in host.lower():
        return host.lower()
    # Strict IDNA 2008, without UTS 46 mapping and lower-casing ASCII only: full-width or circled
    # letters and the Kelvin sign are refused, not turned into the ASCII name that they imitate.
    try:
        a_labels = idna.encode(host.translate(_ASCII_LOWER)).decode("ascii")
        idna.decode(a_labels)
    except UnicodeError:  # idna.IDNAError is one
        pass
    else:
        return a_labels
    raise InvalidBaseUrl("the host is not a valid internationalised name")


def _is_canonical_ipv4(name: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(name)) == name
    except ValueError:
        return False


def _parse_path(path: str) -> str:
    path = path.rstrip("/")
    for segment in path.split("/")[1:]:
        if segment in {".", ".."} or not _SEGMENT.fullmatch(segment):
            raise InvalidBaseUrl("the path is malformed")
        if _ENCODED_TROUBLE.search(segment):
            raise InvalidBaseUrl("the path hides a dot, a slash or a control character")
    return path


def _check_that_others_agree(url: BaseUrl) -> None:
    """Refuse what two widely used parsers would read differently (belt and braces)."""
    text = str(url)
    ours = (url.scheme, url.host, url.port, url.path)
    split, yarl = urlsplit(text), URL(text, encoded=True)
    theirs = (
        (split.scheme, split.hostname, split.port or DEFAULT_PORTS[url.scheme], split.path),
        (yarl.scheme, yarl.raw_host, yarl.port, yarl.raw_path.rstrip("/")),
    )
    if any(other != ours for other in theirs):
        raise InvalidBaseUrl("URL parsers do not agree on what it means")
