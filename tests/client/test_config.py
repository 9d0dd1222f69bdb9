from __future__ import annotations

import ssl

import attrs
import pytest

import nio_identity_server
from nio_identity_server.base_url import parse_base_url
from nio_identity_server.client.config import WELL_KNOWN, IdentityServerConfig, is_verifying
from nio_identity_server.errors import InvalidBaseUrl

A = parse_base_url("https://a.example.org")
B = parse_base_url("http://b.example.org/path")


def unverifying(*, names: bool) -> ssl.SSLContext:
    """A context that does not check names, nor certificates if it does."""
    context = ssl.create_default_context()
    context.check_hostname = False
    if not names:
        context.verify_mode = ssl.CERT_NONE
    return context


class TestDefault:
    def test_of_the_default(self) -> None:
        """Without a word, the default is what the user's own server name publishes."""
        assert IdentityServerConfig().default is WELL_KNOWN
        assert nio_identity_server.WELL_KNOWN is WELL_KNOWN
        assert repr(WELL_KNOWN) == "WELL_KNOWN"

    @pytest.mark.parametrize("url", ["https://a.example.org", "https://A.Example.org/", A])
    def test_a_url(self, url: object) -> None:
        """A URL is parsed, and http is the operator's own business."""
        assert IdentityServerConfig(default=url).default == A
        assert IdentityServerConfig(default=B).default == B

    def test_none(self) -> None:
        """None means no default."""
        assert IdentityServerConfig(default=None).default is None

    @pytest.mark.parametrize("url", ["", "a.example.org", "ftp://a.example.org", 5, b"https://a.b"])
    def test_nonsense(self, url: object) -> None:
        """Everything else is refused at once."""
        with pytest.raises(InvalidBaseUrl):
            IdentityServerConfig(default=url)


class TestTrusted:
    def test_any_list(self) -> None:
        """Any list of URLs will do."""
        expected = (A, B)

        assert IdentityServerConfig(trusted=[str(A), B]).trusted == expected
        assert IdentityServerConfig(trusted=iter([A, str(B)])).trusted == expected
        assert IdentityServerConfig().trusted == ()

    def test_one_string(self) -> None:
        """One string is not taken for a list of characters."""
        with pytest.raises(TypeError, match="not one string"):
            IdentityServerConfig(trusted="https://a.example.org")

    def test_nonsense(self) -> None:
        """One bad URL is refused."""
        with pytest.raises(InvalidBaseUrl):
            IdentityServerConfig(trusted=[A, "nonsense"])

    def test_named_in_code(self) -> None:
        """Whom the operator named: the trusted ones and a default URL."""
        assert IdentityServerConfig().named_in_code == frozenset()
        assert IdentityServerConfig(default=None, trusted=[A]).named_in_code == {A}
        assert IdentityServerConfig(default=B, trusted=[A]).named_in_code == {A, B}


class TestTimes:
    @pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("-inf")])
    @pytest.mark.parametrize("name", ["sync_wait", "homeserver_timeout"])
    def test_not_positive(self, name: str, seconds: float) -> None:
        """A time that is over before it begins is refused."""
        with pytest.raises(ValueError, match=f"{name}= takes seconds, more than 0"):
            IdentityServerConfig(**{name: seconds})  # type: ignore[arg-type]

    def test_any_other(self) -> None:
        """Any other time is taken."""
        config = IdentityServerConfig(sync_wait=0.001, homeserver_timeout=5)

        assert (config.sync_wait, config.homeserver_timeout) == (0.001, 5)


class TestTls:
    @pytest.mark.parametrize("names", [True, False])
    def test_a_context_that_does_not_verify(self, names: bool) -> None:
        """T17: a context that would believe anybody is refused."""
        context = unverifying(names=names)

        assert not is_verifying(context)
        with pytest.raises(ValueError, match="must verify"):
            IdentityServerConfig(ssl_context=context)

    def test_a_context_that_verifies(self) -> None:
        """Any context that verifies will do."""
        context = ssl.create_default_context()

        assert is_verifying(context)
        assert IdentityServerConfig(ssl_context=context).ssl_context is context


def test_a_config_does_not_change() -> None:
    """A configuration is a value: compared by what it says, and never changed."""
    config = IdentityServerConfig(trusted=[A])

    assert config == IdentityServerConfig(trusted=[str(A)])
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        config.only_trusted = True  # type: ignore[misc]
