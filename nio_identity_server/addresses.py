"""Which IP addresses a server named by somebody else may have.

A URL from account data or ``.well-known`` is somebody else's word. Followed blindly, it would let
any login of the user reach into the network that the bot runs in (Sydent CVE-2021-29431, Synapse
CVE-2021-21273 and -21392 were this mistake).
"""

from __future__ import annotations

import ipaddress

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# ipaddress.is_global is not enough: on Python 3.11 it is True for multicast, NAT64 and 6to4 forms
# of private addresses, and for the metadata services of some clouds.
_FORBIDDEN_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's metadata and health service
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_FORBIDDEN_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments, Teredo among them
        "2001:db8::/32",
        "3fff::/20",
    )
)
# Addresses that carry an IPv4 address in some 32 of their bits; the shift brings it down.
_CARRIERS = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped
    (ipaddress.IPv6Network("::/96"), 0),  # IPv4-compatible, long deprecated
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
)


def is_public(address: IPAddress | str) -> bool:
    """Tell whether an address is one of the public internet.

    IPv4 addresses inside IPv6 ones (mapped, compatible, NAT64, 6to4) are judged by the inner
    address; Teredo and every block of special use are not public.

    Args:
        address: An address, or its text (a zone id makes it link-local, so not public).

    Raises:
        ValueError: If the text is no IP address.
    """
    if isinstance(address, str):
        address = ipaddress.ip_address(address)
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _FORBIDDEN_V4)
    if address.scope_id:
        return False
    for network, shift in _CARRIERS:
        if address in network:
            return is_public(ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF))
    return address in _GLOBAL_V6 and not any(address in network for network in _FORBIDDEN_V6)
