"""Calls that wait for each other in virtual time: one runs, until it waits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import greenlet

from brihaspati.simulation.agenda import Agenda


class _Task(greenlet.greenlet):
    """A call with a stack of its own. Threads would do, at a hundred times the price of a switch.

    What it raises goes to whoever let it go on, which is where time is made to pass.
    """

    def __init__(self, part: str, call: Callable[[], None]) -> None:
        super().__init__(call)
        self.part = part


class Tasks:
    """Runs calls side by side, exactly one at any moment: the same seed gives the same history.

    Whatever takes time says so by `spend`. In a task others go on meanwhile; in `at_once` the time
    is only counted, for calls that only read and so meet nobody. `part` is what is paid for.
    """

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda
        self._current: _Task | None = None
        self._counted_ms = 0
        self._part = "upkeep"

    def now(self) -> int:
        """`ports.Clock`: milliseconds since the epoch."""
        return self.agenda.now + self._counted_ms

    @property
    def part(self) -> str:
        """Which part of a lesson the running call belongs to."""
        return self._current.part if self._current is not None else self._part

    def start(self, part: str, call: Callable[[], None]) -> None:
        """Begin a call now; comes back when it waits or is done. Only from the agenda's events."""
        self._go_on(_Task(part, call))

    def spend(self, ms: int) -> None:
        """Let time pass for whoever is calling."""
        task = self._current
        if task is None:
            self._counted_ms += ms
            return
        self.agenda.after(ms, lambda: self._go_on(task))
        assert task.parent is not None
        task.parent.switch()

    @contextlib.contextmanager
    def at_once(self, part: str) -> Iterator[None]:
        """What is spent inside is counted, and is over with the block; nobody else acts."""
        self._part = part
        try:
            yield
        finally:
            self._counted_ms, self._part = 0, "upkeep"

    def _go_on(self, task: _Task) -> None:
        self._current = task
        try:
            task.switch()
        finally:
            self._current = None
