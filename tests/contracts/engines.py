"""Every engine behind the store, queue and timer ports; one that joins later is added here."""

from __future__ import annotations

import contextlib
import functools
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import pytest

from brihaspati import ports
from brihaspati.adapters import clocks, dynamodb, memory, sqlite
from emulators import amazon_stand, servers

TRIES_MAX = 3
# What the tests of the contract call indexes; a table must know before.
INDEXES = ("class", "due", "dued", "other")


class Waiting(ports.Queue, Protocol):
    def wait(self, timeout_seconds: float) -> bool: ...


class Timer(ports.Timer, Protocol):
    def fire(self, now: ports.Moment) -> int: ...
    def next_at(self) -> ports.Moment | None: ...


@dataclass(frozen=True)
class Engine:
    """One engine at work. The annotations are the type check: each must fit its port."""

    clock: memory.ManualClock
    store: ports.Store
    queue: ports.Queue
    timer: Timer
    # What this engine does not promise beyond its port; a test that needs it is skipped.
    lacks: frozenset[str] = frozenset()

    def needs(self, *promises: str) -> None:
        missing = self.lacks & set(promises)
        if missing:
            pytest.skip(f"SQS does not promise: {', '.join(sorted(missing))}")


Server = Callable[[], AbstractContextManager[str]]


@dataclass
class Stand:
    """What a test run starts once: servers, each at its first use, and ways to their tables."""

    leaving: ExitStack
    clock_file: Path
    started: dict[Server, str] = field(default_factory=dict)
    connections: dict[tuple[str, ...], dynamodb.Connection] = field(default_factory=dict)

    def address(self, server: Server) -> str:
        if server not in self.started:
            self.started[server] = self.leaving.enter_context(server())
        return self.started[server]

    def amazon(self) -> AbstractContextManager[str]:
        """Every service but DynamoDB, at the moment of the clock file."""
        return servers.amazon(self.clock_file)

    @contextlib.contextmanager
    def table(
        self, server: Server, indexes: tuple[str, ...] = dynamodb.INDEXES
    ) -> Iterator[dynamodb.Connection]:
        """An empty table, gone afterwards; one at a time, as a client takes long to make."""
        address = self.address(server)
        known = self.connections.get((address, *indexes))
        if known is None:
            name = f"t{secrets.token_hex(6)}"
            place = dynamodb.Place(name, servers.REGION, address, servers.KEYS, indexes)
            known = self.connections[address, *indexes] = dynamodb.Connection(place)
        client, name = known.client(), known.place.table
        client.create_table(**dynamodb.definition(name, indexes))
        try:
            yield known
        finally:
            client.delete_table(TableName=name)


Opener = Callable[[Stand, Path], AbstractContextManager[Engine]]


@contextlib.contextmanager
def _memory(_: Stand, __: Path) -> Iterator[Engine]:
    clock = memory.ManualClock()
    queue = memory.Queue(clock, tries_max=TRIES_MAX)
    yield Engine(clock, memory.Store(clock), queue, memory.Timer(queue))


@contextlib.contextmanager
def _sqlite(_: Stand, folder: Path) -> Iterator[Engine]:
    clock = memory.ManualClock()
    with sqlite.Database(folder / "store.db") as database:
        queue = sqlite.Queue(database, clock, tries_max=TRIES_MAX)
        yield Engine(clock, sqlite.Store(database, clock), queue, sqlite.Timer(database))


@contextlib.contextmanager
def _dynamodb(server: Server, stand: Stand, _: Path) -> Iterator[Engine]:
    clock = memory.ManualClock()
    queue = memory.Queue(clock, tries_max=TRIES_MAX)
    with stand.table(server, INDEXES) as connection:
        store = dynamodb.Store(connection, clock, clocks.SystemChance())
        yield Engine(clock, store, queue, memory.Timer(queue))


@contextlib.contextmanager
def _amazon(stand: Stand, _: Path) -> Iterator[Engine]:
    address = stand.address(stand.amazon)
    with amazon_stand.made(address, stand.clock_file, TRIES_MAX) as made:
        yield Engine(made.clock, cast("Any", None), made.queue, made.timer, AMAZON_LACKS)


ORDER, WAIT, SET_BACK = "an order", "to wake a waiter", "to mind a clock set back"
OLD_RECEIPT = "to know an old receipt"
AT_ONCE = "to cancel what was due when it was set"
AMAZON_LACKS = frozenset({ORDER, WAIT, SET_BACK, OLD_RECEIPT, AT_ONCE})

STORES: dict[str, Opener] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "dynamodb": functools.partial(_dynamodb, servers.dynoxide),
}
SECOND_OPINION: Opener = functools.partial(_dynamodb, servers.dynamodb_local)
QUEUES: dict[str, Opener] = {"memory": _memory, "sqlite": _sqlite, "amazon": _amazon}
