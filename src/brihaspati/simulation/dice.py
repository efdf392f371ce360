"""All chance of a simulation, from one seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


class Dice:
    """Repeatable chance. `part` gives another, independent dice for each name."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 - repeatable is the point
        self.share = self._random.random
        """A number from 0 to 1, without it."""

    def part(self, name: str) -> Dice:
        """Chance of its own for one part of the world: more of it there changes nothing here."""
        return Dice(f"{self._seed}/{name}")

    def happens(self, chance: float) -> bool:
        """True with this probability."""
        return chance > 0 and self.share() < chance

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high."""
        return self._random.randrange(low, high + 1)

    def normal(self) -> float:
        """A number from the bell curve: 0 on average, most of them from -1 to 1."""
        return self._random.gauss(0, 1)

    def choose(self, among: Sequence[_T]) -> _T:
        """One of several."""
        return self._random.choice(among)
