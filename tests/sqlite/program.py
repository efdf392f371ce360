"""Another process at work on a database; tests start it and kill it in mid-flight.

It prints one line for each thing that has certainly happened, after it happened.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

from brihaspati import ports
from brihaspati.adapters import clocks, sqlite
from brihaspati.ports import Key, Put

BODY = {"text": "x" * 900}


def _tell(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _pairs(database: sqlite.Database, name: str) -> None:
    """Two items per transaction, in two partitions and an index."""
    store = sqlite.Store(database, clocks.SystemClock())
    for n in itertools.count():
        sort = f"{name}#{n}"
        place = {"due": Key("d", f"{n % 10}")}
        store.transact(
            [Put(Key("left", sort), BODY, 0, place), Put(Key("right", sort), BODY, 0, place)]
        )
        _tell(sort)


def _puts(database: sqlite.Database, name: str) -> None:
    """Messages on the queue."""
    queue = sqlite.Queue(database, clocks.SystemClock())
    for n in itertools.count():
        queue.put(ports.Message("t", {"name": f"{name}#{n}"}))
        _tell(f"{name}#{n}")


def _takes(database: sqlite.Database, _: str) -> None:
    """Take every message and finish each second one."""
    queue = sqlite.Queue(database, clocks.SystemClock())
    for n in itertools.count():
        for taken in queue.take(1, visible_after_seconds=3600):
            _tell(f"taken {taken.message.body['name']}")
            if n % 2:
                queue.done(taken)
                _tell(f"done {taken.message.body['name']}")


def _fires(database: sqlite.Database, _: str) -> None:
    """Fire alarms moment by moment."""
    timer = sqlite.Timer(database)
    for now in itertools.count():
        timer.fire(now)
        _tell(now)


def _counts(database: sqlite.Database, rounds: str) -> None:
    """Add one to each of four items, `rounds` times, beside others who do the same."""
    store = sqlite.Store(database, clocks.SystemClock())
    for n in range(int(rounds)):
        key = Key("count", str(n % 4))
        while True:
            item = store.get(key)
            value, version = (item.body["n"], item.version) if item else (0, 0)
            try:
                store.transact([Put(key, {"n": value + 1}, version)])
                break
            except ports.Conflict:
                continue
    _tell("counted")


def _holds(database: sqlite.Database, _: str) -> None:
    """Stay behind the gate until told to leave."""
    with database.writing():
        _tell("inside")
        sys.stdin.readline()
    _tell("outside")


def _serves(database: sqlite.Database, _: str) -> None:
    """Be the server of the folder until told to leave."""
    with sqlite.lock(database.path.parent):
        _tell("serving")
        sys.stdin.readline()
    _tell("over")


WORK: dict[str, Callable[[sqlite.Database, str], None]] = {
    "pairs": _pairs,
    "puts": _puts,
    "takes": _takes,
    "fires": _fires,
    "counts": _counts,
    "holds": _holds,
    "serves": _serves,
}


def main() -> None:
    work, path, name = sys.argv[1:]
    with sqlite.Database(Path(path)) as database:
        WORK[work](database, name)


if __name__ == "__main__":
    main()
