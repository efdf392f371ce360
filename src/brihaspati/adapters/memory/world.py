"""Time and chance that a test holds in its hand."""

from __future__ import annotations

import random

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


class ManualClock:
    """A clock that moves only when told to; it starts on a fixed, recognisable day."""

    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self._now = now

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass; negative seconds set the clock back."""
        self._now += round(seconds * 1000)

    def set(self, now: int) -> None:
        """Jump to a moment."""
        self._now = now


class SeededChance:
    """The same names and numbers again for the same seed. Never for real secrets."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable is the point

    def name(self, length: int) -> str:
        """`length` lower-case base32 characters."""
        return "".join(self._random.choices(_BASE32, k=length))

    def pick(self, count: int) -> int:
        """A number from 0 to count - 1."""
        return self._random.randrange(count)
