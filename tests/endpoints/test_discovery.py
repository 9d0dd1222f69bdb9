from __future__ import annotations

import pytest

from nio_identity_server.endpoint import BadReply, Receiver
from nio_identity_server.endpoints.discovery import GetVersions, Ping, Versions


def test_versions_as_in_the_specification() -> None:
    """The specification's own example is read."""
    body = b'{"versions": ["r0.2.0", "r0.2.1", "v1.1"]}'

    assert Versions(("r0.2.0", "r0.2.1", "v1.1")) == GetVersions().read(body)


def test_a_server_may_name_no_version() -> None:
    """An empty list of versions is a list of versions."""
    assert Versions(()) == GetVersions().read(b'{"versions": [], "unstable_features": {}}')


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b'["v1.1"]',
        b'{"versions": null}',
        b'{"versions": "v1.1"}',
        b'{"versions": {"v1.1": true}}',
        b'{"versions": ["v1.1", 1]}',
        b'{"versions": [null]}',
        b'{"versions": [["v1.1"]]}',
    ],
)
def test_versions_of_the_wrong_form(body: bytes) -> None:
    """Versions that are not a list of strings are a bad reply."""
    with pytest.raises(BadReply, match=r"^the body has the wrong form: "):
        GetVersions().read(body)


@pytest.mark.parametrize("body", [b"{}", b'{"version": "2.6.1", "more": [1]}'])
def test_ping(body: bytes) -> None:
    """An object answers a ping, whatever is in it."""
    assert isinstance(Ping().read(body), dict)


@pytest.mark.parametrize("body", [b"null", b"[]", b'"pong"', b"true", b"0"])
def test_a_ping_is_answered_by_an_object_only(body: bytes) -> None:
    """Any other value is no identity server's answer."""
    with pytest.raises(BadReply, match=r"^the body has the wrong form: Expected `object`"):
        Ping().read(body)


@pytest.mark.parametrize(
    ("endpoint", "target"),
    [
        (GetVersions(), "/_matrix/identity/versions"),
        (Ping(), "/_matrix/identity/v2"),
    ],
)
def test_requests(endpoint: GetVersions | Ping, target: str) -> None:
    """Both are GETs to the identity server that carry no token and no body."""
    assert ("GET", target, None, Receiver.IDENTITY_SERVER, False) == (
        endpoint.method,
        endpoint.target,
        endpoint.body,
        endpoint.receiver,
        endpoint.authenticated,
    )
