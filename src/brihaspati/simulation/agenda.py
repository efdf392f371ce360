"""Virtual time: what happens next, and who comes between two lines of somebody else's code."""

from __future__ import annotations

import heapq
from collections.abc import Callable

START = 1_800_000_000_000
DEPTH_MAX = 6
Tell = Callable[[str], None]


def quiet(_: str) -> None:
    """Nobody writes it down."""


class Agenda:
    """Events in order of time. `now` only grows; nothing takes real time."""

    def __init__(self, tell: Tell = quiet) -> None:
        self.now = START
        self.steps = 0
        self._tell = tell
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._depth = 0

    def clock_face(self) -> str:
        """The time since the beginning, as minutes and seconds: `12:04.350`."""
        ms = self.now - START
        return f"{ms // 60_000:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"

    def tell(self, what: str) -> None:
        """Write down what happens now, for whoever reads this history."""
        if self._tell is not quiet:
            self._tell(f"{self.clock_face()} {what}")

    def at(self, moment: int, event: Callable[[], None]) -> None:
        """Have something happen at a moment, or at once if that is over."""
        self._count += 1
        heapq.heappush(self._waiting, (max(moment, self.now), self._count, event))

    def after(self, ms: int, event: Callable[[], None]) -> None:
        """Have something happen later."""
        self.at(self.now + ms, event)

    def run(self, until: int) -> None:
        """Let everything happen up to a moment, which is then now."""
        while self._waiting and self._waiting[0][0] <= until:
            at, _, event = heapq.heappop(self._waiting)
            self.now = max(self.now, at)
            self.steps += 1
            event()
        self.now = max(self.now, until)

    def pass_time(self, ms: int) -> None:
        """Let others act while somebody waits `ms` for an answer; nested, but not for ever."""
        if self._depth >= DEPTH_MAX:
            return
        self._depth += 1
        try:
            self.run(self.now + ms)
        finally:
            self._depth -= 1


class SkewedClock:
    """`ports.Clock` of one process: the agenda's time, a little fast or slow."""

    def __init__(self, agenda: Agenda, skew_ms: int = 0) -> None:
        self._agenda = agenda
        self._skew_ms = skew_ms

    def now(self) -> int:
        """Milliseconds since the epoch, as this process believes."""
        return self._agenda.now + self._skew_ms
