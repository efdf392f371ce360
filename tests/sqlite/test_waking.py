"""What is put in this process wakes a waiter at once, however rarely it polls for others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati.adapters import clocks, sqlite

CLOCK = clocks.SystemClock()
MESSAGE = ports.Message("t", {})


def _put(database: sqlite.Database) -> None:
    sqlite.Queue(database, CLOCK).put(MESSAGE)


def _fire(database: sqlite.Database) -> None:
    timer = sqlite.Timer(database)
    timer.set("a", 0, MESSAGE)
    timer.fire(CLOCK.now())


def _again(database: sqlite.Database) -> None:
    queue = sqlite.Queue(database, CLOCK)
    queue.again(queue.dead()[0], delay_seconds=0)


@pytest.mark.parametrize("news", [_put, _fire, _again])
def test_news_wakes_a_waiter_at_once(path: Path, news: Callable[[sqlite.Database], None]) -> None:
    with sqlite.Database(path) as database:
        queue = sqlite.Queue(database, CLOCK, tries_max=1, poll_seconds=60)
        queue.put(MESSAGE)
        queue.take(1, visible_after_seconds=0)
        assert queue.take(1, visible_after_seconds=0) == []  # one dead message, none to wait for
        answers: list[bool] = []
        waiter = threading.Thread(target=lambda: answers.append(queue.wait(60)))
        waiter.start()
        deadline = time.monotonic() + 30
        while not database.news._waiters and time.monotonic() < deadline:  # type: ignore[attr-defined]
            time.sleep(0.001)
        started = time.monotonic()
        news(database)
        waiter.join()
        assert answers == [True]
        assert time.monotonic() - started < 20
