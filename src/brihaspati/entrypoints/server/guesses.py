"""Join codes are few enough to be guessed by a machine: wrong ones are counted by source address.

Right codes cost nothing, so that a whole class behind one address joins at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from brihaspati.entrypoints.http import gate, problems
from brihaspati.entrypoints.server import sources

WRONG_AT_ONCE = 30
WRONG_A_MINUTE = 30
SOURCES_MAX = 10_000

Event = Mapping[str, Any]
Answer = dict[str, Any]


class Guesses:
    """The API behind a limit on wrong join codes. Used by one thread at a time, as the API is.

    `seconds` is a clock that never goes back. Of more sources than `sources_max` the one that
    guessed longest ago is forgotten.
    """

    def __init__(
        self,
        answer: Callable[[Event], Answer],
        seconds: Callable[[], float],
        *,
        sources_max: int = SOURCES_MAX,
    ) -> None:
        self._answer = answer
        self._seconds = seconds
        self._sources_max = sources_max
        # When a source's wrong codes are all forgotten; in the order of their last guesses.
        self._forgotten_at: dict[str, float] = {}

    def __call__(self, event: Event) -> Answer:
        """The API's answer; a problem 429 when too many wrong codes came from this source."""
        if not _is_guess(event):
            return self._answer(event)
        source = sources.network(event["requestContext"]["http"]["sourceIp"])
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


def _too_many(seconds: int) -> Answer:
    answer = problems.response(
        429,
        "too_many_guesses",
        "Too many wrong class codes came from your network.",
        "Wait a minute, and compare the code with the one your trainer shows.",
    )
    answer.headers = {"Retry-After": str(seconds)}
    return gate.whole(answer)
