"""Calls that wait for each other in virtual time: one runs, until it waits."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from brihaspati.simulation.agenda import Agenda

STACK_BYTES = 512 * 1024


def _closed() -> threading.Lock:
    """A gate that one thread opens and another goes through: the quickest that Python has."""
    gate = threading.Lock()
    gate.acquire()
    return gate


class _Worker(threading.Thread):
    """A thread that does one call after another, each when it is told to go on."""

    def __init__(self, done: Callable[[_Worker, Callable[[], None]], None]) -> None:
        super().__init__(daemon=True)
        self._done = done
        self.go = _closed()
        self.call: Callable[[], None] | None = None
        self.part = ""

    def run(self) -> None:
        """Wait for calls; end when there is none."""
        while True:
            self.go.acquire()
            if self.call is None:
                return
            self._done(self, self.call)


class Tasks:
    """Runs calls side by side, exactly one at any moment: the same seed gives the same history.

    Whatever takes time says so by `spend`. In a task others go on meanwhile; in `at_once` the time
    is only counted, for calls that only read and so meet nobody. `part` is what is paid for.
    """

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda
        self._hub = _closed()
        self._idle: list[_Worker] = []
        self._current: _Worker | None = None
        self._fault: BaseException | None = None
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
        worker = self._idle.pop() if self._idle else self._hired()
        worker.part, worker.call = part, call
        self._switch(worker)

    def _hired(self) -> _Worker:
        before = threading.stack_size(STACK_BYTES)
        worker = _Worker(self._did)
        worker.start()
        threading.stack_size(before)
        return worker

    def spend(self, ms: int) -> None:
        """Let time pass for whoever is calling."""
        worker = self._current
        if worker is None:
            self._counted_ms += ms
            return
        self.agenda.after(ms, lambda: self._switch(worker))
        self._hub.release()
        worker.go.acquire()

    @contextlib.contextmanager
    def at_once(self, part: str) -> Iterator[None]:
        """What is spent inside is counted, and is over with the block; nobody else acts."""
        self._part = part
        try:
            yield
        finally:
            self._counted_ms, self._part = 0, "upkeep"

    def close(self) -> None:
        """End the threads that wait for work."""
        for worker in self._idle:
            worker.call = None
            worker.go.release()
            worker.join()
        self._idle.clear()

    def _switch(self, worker: _Worker) -> None:
        self._current = worker
        worker.go.release()
        self._hub.acquire()
        self._current = None
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault

    def _did(self, worker: _Worker, call: Callable[[], None]) -> None:
        try:
            call()
        except BaseException as fault:  # noqa: BLE001 - raised again where the agenda runs
            self._fault = fault
        finally:
            self._idle.append(worker)
            self._hub.release()
