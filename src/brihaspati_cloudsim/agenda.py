"""What happens later, on a clock that is passed in."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable

Now = Callable[[], int]
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


class Agenda:
    """Runs what is due, in the order of its moments, whenever somebody looks."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, moment_at: int, action: Callable[[], None]) -> None:
        """Run `action` at the first look at or after `moment_at`."""
        heapq.heappush(self._due, (moment_at, next(self._numbers), action))

    def settle(self, now: int) -> None:
        """Do what is due until now."""
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()


class VirtualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, start_at: int = 1_800_000_000_000) -> None:
        self._now = start_at

    def __call__(self) -> int:
        """Now."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += round(seconds * SECOND)


def real_clock(speed: float = 1.0) -> Now:
    """The host's clock, which from now on runs `speed` times as fast."""
    started, wall_at = time.monotonic(), time.time_ns() // 1_000_000
    return lambda: wall_at + int((time.monotonic() - started) * speed * SECOND)
