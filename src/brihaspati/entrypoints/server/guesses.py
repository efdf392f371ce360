"""Join codes are few enough to be guessed by a machine: wrong ones are counted by source address.

Right codes cost nothing, so that a whole class behind one address joins at once.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Mapping
from typing import Any

from brihaspati.entrypoints.http import gate, problems

WRONG_AT_ONCE = 30
WRONG_A_MINUTE = 30
SOURCES_MAX = 10_000
# Whoever has a million addresses of IPv6 has them in one network of this size.
_IPV6_BITS = 64

Event = Mapping[str, Any]
Answer = dict[str, Any]


class Guesses:
    """The API behind a limit on wrong join codes. Used by one thread at a time, as the API is.

    `seconds` is a clock that never goes back. Behind a proxy on this machine (`proxied`) the source
    is the last that X-Forwarded-For names, which is the one that the proxy saw. Of more sources
    than `sources_max` the one that guessed longest ago is forgotten.
    """

    def __init__(
        self,
        answer: Callable[[Event], Answer],
        seconds: Callable[[], float],
        *,
        proxied: bool,
        sources_max: int = SOURCES_MAX,
    ) -> None:
        self._answer = answer
        self._seconds = seconds
        self._proxied = proxied
        self._sources_max = sources_max
        # When a source's wrong codes are all forgotten; in the order of their last guesses.
        self._forgotten_at: dict[str, float] = {}

    def __call__(self, event: Event) -> Answer:
        """The API's answer; a problem 429 when too many wrong codes came from this source."""
        if not _is_guess(event):
            return self._answer(event)
        source = _source(event, proxied=self._proxied)
        wait = self._wait(source)
        if wait > 0:
            return _too_many(math.ceil(wait))
        answer = self._answer(event)
        if answer["statusCode"] == problems.STATUS["not_found"]:
            self._count(source)
        return answer

    def _wait(self, source: str) -> float:
        """Seconds until this source may guess again; 0 or less: now."""
        full = (WRONG_AT_ONCE - 1) * 60 / WRONG_A_MINUTE
        return self._forgotten_at.get(source, -math.inf) - self._seconds() - full

    def _count(self, source: str) -> None:
        now = self._seconds()
        begin = max(now, self._forgotten_at.pop(source, now))
        self._forgotten_at[source] = begin + 60 / WRONG_A_MINUTE
        if len(self._forgotten_at) > self._sources_max:
            self._forgotten_at.pop(next(iter(self._forgotten_at)))


def _is_guess(event: Event) -> bool:
    method, path = str(event["requestContext"]["http"]["method"]), str(event["rawPath"])
    return (method == "POST" and path.rstrip() == "/v1/join") or path.startswith("/v1/join/")


def _source(event: Event, *, proxied: bool) -> str:
    """The address that a request came from, or its network."""
    address = _address(event["requestContext"]["http"]["sourceIp"])
    if proxied and address is not None and address.is_loopback:
        named = event.get("headers", {}).get("x-forwarded-for", "").rpartition(",")[2]
        address = _address(named.strip()) or address
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _IPV6_BITS), strict=False))
    return str(address)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _too_many(seconds: int) -> Answer:
    answer = problems.response(
        429,
        "too_many_guesses",
        "Too many wrong class codes came from your network.",
        "Wait a minute, and compare the code with the one your trainer shows.",
    )
    answer.headers = {"Retry-After": str(seconds)}
    return gate.whole(answer)
