"""How fast the SQLite store is here: `python -m bench.store [--json] [--folder DIR]`.

Each row is one kind of work by some threads of some processes on one file, with the writers' gate
or behind SQLite's own busy handler alone. The floors in the same run: one fsync of one page, and
plain SQLite (the same two rows, but no versions, no index, no checks, no gate).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import queue as queues
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from multiprocessing import synchronize
from pathlib import Path

from brihaspati import ports
from brihaspati.adapters import clocks, sqlite
from brihaspati.ports import Key, Put

BODY = {"text": "x" * 880}
SECONDS = 1.0
WARM_UP = 30
ITEMS = 200

Step = Callable[[int], object]


class Ungated(sqlite.Database):
    """The same store without the gate. To measure, never to use."""

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        self._writer.execute("BEGIN IMMEDIATE")
        yield self._writer
        self._writer.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class Work:
    """What is done, by how many, and with the gate or without; `floor` names a row to compare."""

    what: str
    processes: int = 1
    threads: int = 1
    gate: bool = True
    floor: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured: operations of all together, and milliseconds of one."""

    what: str
    processes: int
    threads: int
    gate: bool
    per_second: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    floor: str | None
    times_floor: float | None


WORKS = [
    Work("fsync", gate=False),
    Work("plain transact", gate=False, floor="fsync"),
    Work("transact", gate=False, floor="plain transact"),
    Work("transact", floor="plain transact"),
    Work("transact", threads=16),
    Work("transact", processes=4, gate=False),
    Work("transact", processes=4),
    Work("put message", floor="fsync"),
    Work("get"),
    Work("get", processes=4),
    Work("query of 10"),
    Work("9 gets, 1 transact", processes=4, gate=False),
    Work("9 gets, 1 transact", processes=4),
]


def _store_step(work: Work, path: Path, me: str) -> Step:
    """One operation of the store, by number; `me` keeps workers to items of their own."""
    database = (sqlite.Database if work.gate else Ungated)(path)
    clock = clocks.SystemClock()
    store, queue = sqlite.Store(database, clock), sqlite.Queue(database, clock)

    def transact(n: int) -> object:
        key = Key("left", f"{me}#{n % ITEMS:03}")
        moved = {"due": Key("d", f"{n // ITEMS}")}
        return store.transact([Put(key, BODY, None, moved), Put(Key("right", key.sort), BODY)])

    def get(n: int) -> object:
        return store.get(Key("left", f"{me}#{n % ITEMS:03}"))

    def put(n: int) -> None:
        queue.put(ports.Message("perform", {"sandbox": f"abcdefgh{n}", "effect": "create"}))

    steps: dict[str, Step] = {
        "transact": transact,
        "put message": put,
        "get": get,
        "query of 10": lambda n: store.query("left", f"{me}#{n % 20:02}", limit=10),
        "9 gets, 1 transact": lambda n: get(n) if n % 10 else transact(n),
    }
    if work.what not in {"transact", "put message"}:
        for n in range(ITEMS):
            transact(n)
    return steps[work.what]


def _fsync_step(path: Path) -> Step:
    descriptor = os.open(path.with_suffix(".fsync"), os.O_RDWR | os.O_CREAT, 0o600)

    def step(_: int) -> None:
        os.write(descriptor, b"x" * 4096)
        os.fsync(descriptor)

    return step


def _plain_step(path: Path) -> Step:
    connection = sqlite3.connect(
        path.with_suffix(".plain"), isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE items (p TEXT, s TEXT, v INT, body TEXT, PRIMARY KEY (p, s))")
    text = json.dumps(BODY)

    def step(n: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for side in ("left", "right"):
            values = (side, f"{n % ITEMS:03}", n, text)
            connection.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)", values)
        connection.execute("COMMIT")

    return step


def _step(work: Work, path: Path, me: str) -> Step:
    if work.what == "fsync":
        return _fsync_step(path)
    if work.what == "plain transact":
        return _plain_step(path)
    return _store_step(work, path, me)


def _repeat(step: Step, start: threading.Barrier, shift: int) -> list[float]:
    """Seconds of each operation."""
    taken = []
    start.wait()
    n = shift
    end = time.perf_counter() + SECONDS
    before = time.perf_counter()
    while before < end:
        step(n)
        after = time.perf_counter()
        taken.append(after - before)
        before = after
        n += 1
    return taken


def _process(
    work: Work,
    path: Path,
    number: int,
    start: synchronize.Barrier,
    results: multiprocessing.Queue[list[float]],
) -> None:
    step = _step(work, path, f"w{number}")
    for n in range(WARM_UP):
        step(n)
    taken: list[float] = []
    together = threading.Barrier(work.threads)
    threads = [
        threading.Thread(
            target=lambda shift: taken.extend(_repeat(step, together, shift)), args=(t,)
        )
        for t in range(WARM_UP, WARM_UP + work.threads)
    ]
    start.wait()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(taken)


def measured(work: Work, folder: Path, floors: dict[str, float]) -> Row:
    """Do the work in new processes on a new file. `floors`: medians in ms of earlier rows."""
    spawning = multiprocessing.get_context("spawn")
    start = spawning.Barrier(work.processes)
    results: multiprocessing.Queue[list[float]] = spawning.Queue()
    with tempfile.TemporaryDirectory(dir=folder) as own:
        path = Path(own) / "bench.db"
        workers = [
            spawning.Process(target=_process, args=(work, path, number, start, results))
            for number in range(work.processes)
        ]
        for worker in workers:
            worker.start()
        taken = [one for _ in workers for one in results.get(timeout=60)]
        for worker in workers:
            worker.join()
    return _row(work, sorted(taken), floors)


def _row(work: Work, taken: list[float], floors: dict[str, float]) -> Row:
    p50, p99 = taken[len(taken) // 2] * 1000, taken[len(taken) * 99 // 100] * 1000
    floor_ms = floors.get(work.floor or "")
    return Row(
        what=work.what,
        processes=work.processes,
        threads=work.threads,
        gate=work.gate,
        per_second=round(len(taken) / SECONDS),
        p50_ms=round(p50, 3),
        p99_ms=round(p99, 3),
        max_ms=round(taken[-1] * 1000, 3),
        floor=work.floor,
        times_floor=round(p50 / floor_ms, 2) if floor_ms else None,
    )


def _told(row: Row) -> str:
    floor = f"  {row.times_floor:.2f} x {row.floor}" if row.times_floor else ""
    return (
        f"{row.what:<20}{row.processes:>5}{row.threads:>8}  {'gate' if row.gate else '-':<5}"
        f"{row.per_second:>8}{row.p50_ms:>9.3f}{row.p99_ms:>9.3f}{row.max_ms:>10.3f}{floor}"
    )


def main() -> None:
    """Measure and print: a table, or one JSON object a line."""
    parser = argparse.ArgumentParser(description="Measure the SQLite store.")
    parser.add_argument("--json", action="store_true", help="one JSON object per row")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; a temporary one else")
    arguments = parser.parse_args()
    if not arguments.json:
        sys.stdout.write(f"{sqlite.version()}; {os.cpu_count()} cores\n")
        sys.stdout.write(
            f"{'what':<20}{'procs':>5}{'threads':>8}  {'':<5}"
            f"{'per s':>8}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>10}\n"
        )
    floors: dict[str, float] = {}
    for work in WORKS:
        try:
            row = measured(work, arguments.folder, floors)
        except queues.Empty:
            sys.exit(f"bench.store: the workers of '{work.what}' gave no answer within 60 s")
        floors.setdefault(work.what, row.p50_ms)
        sys.stdout.write((json.dumps(asdict(row)) if arguments.json else _told(row)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
