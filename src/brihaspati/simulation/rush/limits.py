"""How much of something there is in a second, and what was counted when there was no more."""

from __future__ import annotations

import collections
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from brihaspati.simulation.agenda import START


@dataclass(slots=True)
class Bucket:
    """`rate` tokens a second, at most `most` at a time. A large request may leave a debt."""

    rate: float
    most: float
    level: float = field(init=False)
    _at: int = field(init=False, default=START)

    def __post_init__(self) -> None:
        self.level = self.most

    def take(self, now: int, units: float = 1) -> bool:
        """Whether there was something left; it is taken then."""
        passed, self._at = max(0, now - self._at), max(now, self._at)
        self.level = min(self.most, self.level + passed * self.rate / 1000)
        if self.level <= 0:
            return False
        self.level -= units
        return True


class Sliding:
    """At most so many requests in any stretch of so many seconds, for each (count, seconds)."""

    def __init__(self, *windows: tuple[int, int]) -> None:
        self._windows = windows
        self._taken: list[collections.deque[int]] = [collections.deque() for _ in windows]

    def take(self, now: int) -> float:
        """0: there was room. Else how many seconds until there may be."""
        for (count, seconds), taken in zip(self._windows, self._taken, strict=True):
            while taken and taken[0] <= now - seconds * 1000:
                taken.popleft()
            if len(taken) >= count:
                return max(0.1, (taken[0] - now) / 1000 + seconds)
        for taken in self._taken:
            taken.append(now)
        return 0.0


@dataclass(slots=True)
class Tally:
    """What was counted: refusals by kind, and what is paid for, by part of a lesson and price.

    Parts are `start`, `hour` (what goes on while a lab runs), `end`, and `upkeep`, which nobody in
    particular causes.
    """

    throttles: Counter[str] = field(default_factory=Counter)
    used: defaultdict[str, defaultdict[str, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )
    busiest: dict[str, tuple[float, str]] = field(default_factory=dict)
    _second: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)

    def throttled(self, kind: str) -> None:
        """Somebody was refused."""
        self.throttles[kind] += 1

    def use(self, part: str, price: str, units: float) -> None:
        """Something was used that is paid for."""
        self.used[part][price] += units

    def load(self, kind: str, key: str, now: int, units: float) -> None:
        """So much in this second for one key; the busiest second of all is remembered."""
        second = now // 1000
        at, sum_ = self._second.get((kind, key), (second, 0.0))
        sum_ = sum_ + units if at == second else units
        self._second[kind, key] = (second, sum_)
        if sum_ > self.busiest.get(kind, (0.0, ""))[0]:
            self.busiest[kind] = (sum_, key)
