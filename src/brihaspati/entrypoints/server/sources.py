"""Where a request came from: what rented machines are known by, and guesses are counted by."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

# Whoever has a million addresses of IPv6 has them in one network of this size.
_IPV6_BITS = 64


def source(remote: str, headers: Mapping[str, str], *, proxied: bool) -> str:
    """The address of whoever sent a request with these headers, whose names are in lower case.

    Behind a proxy on this machine (`proxied`) it is the last that X-Forwarded-For names, which is
    the one that the proxy saw. Nobody else is believed.
    """
    address = _address(remote)
    if not proxied or address is None or not address.is_loopback:
        return remote
    named = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return named if _address(named) is not None else remote


def network(source: str) -> str:
    """What counts as one source: an address, of IPv6 its network."""
    address = _address(source)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _IPV6_BITS), strict=False))
    return str(address)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
