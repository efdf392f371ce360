"""Every engine behind the store, queue and timer ports; one that joins later is added here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from brihaspati import ports
from brihaspati.adapters import memory, sqlite

TRIES_MAX = 3


class Store(ports.Store, Protocol):
    def sweep(self) -> int: ...


class Queue(ports.Queue, Protocol):
    def wait(self, timeout_seconds: float) -> bool: ...


class Timer(ports.Timer, Protocol):
    def fire(self, now: ports.Moment) -> int: ...
    def next_at(self) -> ports.Moment | None: ...


@dataclass(frozen=True)
class Engine:
    """One engine at work. The annotations are the type check: each must fit its port."""

    clock: memory.ManualClock
    store: Store
    queue: Queue
    timer: Timer


Opener = Callable[[Path], AbstractContextManager[Engine]]


@contextlib.contextmanager
def _memory(_: Path) -> Iterator[Engine]:
    clock = memory.ManualClock()
    queue = memory.Queue(clock, tries_max=TRIES_MAX)
    yield Engine(clock, memory.Store(clock), queue, memory.Timer(queue))


@contextlib.contextmanager
def _sqlite(folder: Path) -> Iterator[Engine]:
    clock = memory.ManualClock()
    with sqlite.Database(folder / "store.db") as database:
        queue = sqlite.Queue(database, clock, tries_max=TRIES_MAX)
        yield Engine(clock, sqlite.Store(database, clock), queue, sqlite.Timer(database))


OPENERS: dict[str, Opener] = {"memory": _memory, "sqlite": _sqlite}
