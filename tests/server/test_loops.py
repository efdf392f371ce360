"""The threads of a server, on an engine in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable

from brihaspati.adapters import memory
from brihaspati.engine.sweeping import Swept
from brihaspati.entrypoints.server.loops import Loops, Rhythm
from house import House


class Awake(memory.Queue):
    """A queue that nobody sleeps on for long."""

    def wait(self, timeout_seconds: float) -> bool:  # noqa: ARG002
        return threading.Event().wait(0.01)


def test_labs_that_ended_by_themselves_are_swept_for_without_waiting_for_the_next_sweep() -> None:
    house = House()
    swept, news = threading.Semaphore(0), threading.Event()

    def sweep(*, everything: bool = False) -> Swept:
        if not everything:
            swept.release()
        return Swept()

    def once() -> bool:
        said = news.is_set()
        news.clear()
        return said

    house.engine.sweeping.sweep = sweep  # type: ignore[method-assign]
    nothing: Callable[[], object] = lambda: None  # noqa: E731
    seldom = Rhythm(alarms=0.01, hear=3600, sweep=3600, tidy=3600)
    queue = Awake(house.clock)
    loops = Loops(house.engine, queue, memory.Timer(queue), nothing, seldom, has_lost_labs=once)
    loops.start(workers=1)
    try:
        assert not swept.acquire(timeout=0.1)
        news.set()
        assert swept.acquire(timeout=30)
        assert not swept.acquire(timeout=0.1)
    finally:
        loops.stop()


class SlowIssuer:
    """Names whose issuer does not answer until it is let."""

    def __init__(self) -> None:
        self.asked, self.let = threading.Event(), threading.Event()

    def sweep_zone(self) -> None:
        """Nothing is strange there."""

    def sweep(self) -> None:
        """Nothing ends."""

    def fill(self) -> int:
        self.asked.set()
        self.let.wait(30)
        return 0


def test_an_issuer_that_takes_minutes_keeps_no_sweep_from_its_turn() -> None:
    house, issuer, swept = House(), SlowIssuer(), threading.Semaphore(0)

    def sweep(*, everything: bool = False) -> Swept:
        if not everything:
            swept.release()
        return Swept()

    house.engine.sweeping.sweep = sweep  # type: ignore[method-assign]
    house.engine.names = issuer  # type: ignore[assignment]
    nothing: Callable[[], object] = lambda: None  # noqa: E731
    quick = Rhythm(alarms=0.01, hear=0.01, sweep=0.01, tidy=3600)
    queue = Awake(house.clock)
    loops = Loops(house.engine, queue, memory.Timer(queue), nothing, quick)
    loops.start(workers=1)
    try:
        assert issuer.asked.wait(30)
        for _ in range(3):
            assert swept.acquire(timeout=30)
        assert not issuer.let.is_set()
    finally:
        issuer.let.set()
        loops.stop()
