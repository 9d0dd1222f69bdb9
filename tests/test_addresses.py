from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings, strategies as st

from nio_identity_server.addresses import is_public
from tests.vectors.addresses import FORBIDDEN, PUBLIC


def test_the_tables_are_as_long_as_promised() -> None:
    """The threat model asks for 28 forbidden addresses."""
    assert len(set(FORBIDDEN.values())) >= 28
    assert len(set(PUBLIC.values())) >= 10


@pytest.mark.parametrize("text", FORBIDDEN.values(), ids=FORBIDDEN)
def test_forbidden(text: str) -> None:
    """An address of special use, in whatever wrapping, is not public."""
    assert [is_public(text), is_public(ip_address(text))] == [False, False]


@pytest.mark.parametrize("text", PUBLIC.values(), ids=PUBLIC)
def test_public(text: str) -> None:
    """An address of the public internet is public, also where it is the neighbour of a block."""
    assert [is_public(text), is_public(ip_address(text))] == [True, True]


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f.0.0.1", "1.2.3.04", "[::1]"])
def test_what_is_no_address(text: str) -> None:
    """A text that is no IP address is neither public nor not."""
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
        is_public(text)


@settings(max_examples=300, deadline=None)
@given(st.ip_addresses(v=4))
def test_carriers_are_judged_by_what_they_carry(inner: IPv4Address) -> None:
    """An IPv4 address is as public inside an IPv6 address as it is by itself."""
    number = int(inner)
    carriers = [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(number),
        IPv6Address(0x0064FF9B << 96 | number),
        IPv6Address(0x2002 << 112 | number << 80 | 1),
    ]

    assert [is_public(inner)] * 4 == [is_public(carrier) for carrier in carriers]


@settings(max_examples=300, deadline=None)
@given(st.ip_addresses(v=4))
def test_stricter_than_the_standard_library(address: IPv4Address) -> None:
    """What Python calls private or multicast is never public here."""
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast
