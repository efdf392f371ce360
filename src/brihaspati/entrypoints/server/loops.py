"""The threads that move sandboxes on: workers take from the queue, the clock fires and sweeps."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from brihaspati import ports
from brihaspati.engine.engine import Engine
from brihaspati.engine.names import Names

log = logging.getLogger(__name__)

VISIBLE_AFTER_SECONDS = 60
BACKOFF_SECONDS_MAX = 30


class LocalQueue(ports.Queue, Protocol):
    """A queue whose takers can sleep until there is something."""

    def wait(self, timeout_seconds: float) -> bool:
        """Return when something may be visible, or after the time."""
        ...


class LocalTimer(ports.Timer, Protocol):
    """A timer that is fired by us."""

    def fire(self, now: ports.Moment) -> int:
        """Put the messages of due alarms on the queue; how many."""
        ...


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often the clock does what, in seconds."""

    alarms: float = 0.1
    hear: float = 5
    sweep: float = 15
    tidy: float = 300


def nothing_lost() -> bool:
    """Nobody says that labs have ended by themselves: only sweeps find out."""
    return False


class Loops:
    """Starts and stops the threads. Nothing here decides anything.

    `has_lost_labs` says once that labs have just ended by themselves: then a sweep does not wait.
    """

    def __init__(
        self,
        engine: Engine,
        queue: LocalQueue,
        timer: LocalTimer,
        tidy: Callable[[], object],
        rhythm: Rhythm = Rhythm(),
        *,
        has_lost_labs: Callable[[], bool] = nothing_lost,
    ) -> None:
        self.engine = engine
        self.queue = queue
        self.timer = timer
        self.tidy = tidy
        self.rhythm = rhythm
        self.has_lost_labs = has_lost_labs
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, workers: int = 6) -> None:
        """Look at everything once, then start the threads."""
        self._guard(lambda: self.engine.sweeping.sweep(everything=True))
        self._guard(self.engine.sweeping.fill_pools)
        names = [f"worker-{n}" for n in range(workers)]
        self._threads = [threading.Thread(target=self._work, name=n, daemon=True) for n in names]
        self._threads.append(threading.Thread(target=self._tick, name="clock", daemon=True))
        if self.engine.names is not None:
            # Not waited for at the end: an issuer may take minutes, and what was begun is found.
            keep = functools.partial(self._keep_names, self.engine.names)
            threading.Thread(target=keep, name="names", daemon=True).start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let every thread finish what it has in hand, and end."""
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def _work(self) -> None:
        while not self._over.is_set():
            try:
                taken = self.queue.take(1, visible_after_seconds=VISIBLE_AFTER_SECONDS)
                if not taken:
                    self.queue.wait(0.5)
                for one in taken:
                    self._handle(one)
            except Exception:
                log.exception("worker stumbled")
                self._over.wait(1)

    def _handle(self, one: ports.Taken) -> None:
        try:
            self.engine.handle(one.message)
        except Exception:
            log.exception("message failed", extra={"topic": one.message.topic, "tries": one.tries})
            self.queue.again(one, delay_seconds=min(2**one.tries, BACKOFF_SECONDS_MAX))
        else:
            self.queue.done(one)

    def _tick(self) -> None:
        sweeping = self.engine.sweeping
        duties: list[tuple[float, Callable[[], object]]] = [
            (self.rhythm.alarms, lambda: self.timer.fire(self.engine.world.clock.now())),
            (self.rhythm.hear, sweeping.hear),
            (self.rhythm.sweep, sweeping.sweep),
            (self.rhythm.sweep, sweeping.fill_pools),
            (self.rhythm.tidy, self.tidy),
        ]
        last = [time.monotonic()] * len(duties)
        while not self._over.wait(self.rhythm.alarms):
            if self.has_lost_labs():
                self._guard(sweeping.sweep)
            for place, (seconds, duty) in enumerate(duties):
                if time.monotonic() - last[place] >= seconds:
                    last[place] = time.monotonic()
                    self._guard(duty)

    def _keep_names(self, names: Names) -> None:
        """Make names and take them back."""
        strays_at = time.monotonic()
        while not self._over.is_set():
            if time.monotonic() >= strays_at:
                strays_at = time.monotonic() + self.rhythm.tidy
                self._guard(names.sweep_zone)
            self._guard(names.sweep)
            self._guard(names.fill)
            self._over.wait(self.rhythm.hear)

    def _guard(self, duty: Callable[[], object]) -> None:
        """A duty that fails is told, and tried again at its next time."""
        try:
            duty()
        except Exception:
            log.exception("duty failed")
