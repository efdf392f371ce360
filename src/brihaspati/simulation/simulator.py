"""Many histories side by side, and the breaks that they must notice."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import multiprocessing
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Any

from brihaspati import ports
from brihaspati.adapters import sqlite
from brihaspati.simulation import quiet
from brihaspati.simulation.history import History, NewStore, in_memory, live
from brihaspati.simulation.mutants import MUTANTS, Mutant
from brihaspati.simulation.rush.rusher import rush
from brihaspati.simulation.shrinking import shrink
from brihaspati.simulation.vices import VICES

AT_ONCE = 16
# Where this process has a store on disk just now.
_FOLDERS: set[str] = set()


@dataclass(frozen=True)
class Caught:
    """Which seed noticed a break, and by which broken promise; None: none did."""

    mutant: str
    seed: int | None
    broken: str


@dataclass(frozen=True)
class Wanted:
    """What every world of a run has in common. `store`: memory or sqlite."""

    students: int
    store: str = "memory"
    vices: frozenset[str] | None = None


class Simulator:
    """Lives seeds on every core: in a pool of processes, for the engine is one thread's work.

    `vices` names the faults there may be; empty for all of them, `none` for none. Raises ValueError
    for one that nobody knows.
    """

    def histories(
        self, first: int, seeds: int, students: int, store: str, vices: Sequence[str]
    ) -> Iterator[History]:
        """Every seed's history, in whatever order they end."""
        return _histories(Wanted(students, store, chosen(vices)), range(first, first + seeds))

    def mutants(self, first: int, seeds: int, students: int) -> Iterator[Caught]:
        """For each break the first seed that notices it."""
        wanted = Wanted(students)
        with _pool() as pool:
            hunt = functools.partial(_hunted, wanted, first, seeds)
            yield from pool.map(hunt, range(len(MUTANTS)))

    def shrunk(self, seed: int, students: int, store: str, vices: Sequence[str]) -> list[str]:
        """The smallest world of a failing seed: its trace, and the command to live it again."""
        with quiet.quiet(), _store(store) as new_store:
            small = shrink(seed, students, new_store, chosen(vices))
        if small is None:
            return []
        kept = "" if store == "memory" else f" --store {store}"
        return [*small.trace, f"broken: {small.broken}", f"again: {small.command}{kept}"]

    def rush(
        self, wanted: Mapping[str, Any], progress: Callable[[str, float | None], None]
    ) -> dict[str, Any]:
        """Everybody presses Play at once in the cloud mode; what it came to, as plain values."""
        return rush(wanted, progress)

    def traced(self, seed: int, students: int, store: str, vices: Sequence[str]) -> list[str]:
        """All that happens in a seed's world, with times."""
        told: list[str] = []
        with quiet.quiet(), _store(store) as new_store:
            live(
                seed,
                students=students,
                only=chosen(vices),
                new_store=new_store,
                tell=told.append,
            )
        return told


def chosen(vices: Sequence[str]) -> frozenset[str] | None:
    """The vices of these names; None for all. Raises ValueError."""
    if not vices:
        return None
    unknown = [vice for vice in vices if vice not in VICES and vice != "none"]
    if unknown:
        raise ValueError(f"--vice {unknown[0]!r} is none of: {', '.join(VICES)}")
    return frozenset(vices) - {"none"}


def _histories(wanted: Wanted, seeds: range) -> Iterator[History]:
    with _pool() as pool:
        waiting: set[concurrent.futures.Future[History]] = set()
        for seed in seeds:
            waiting.add(pool.submit(_lived, wanted, seed))
            if len(waiting) >= AT_ONCE:
                when = concurrent.futures.FIRST_COMPLETED
                done, waiting = concurrent.futures.wait(waiting, return_when=when)
                yield from (one.result() for one in done)
        yield from (one.result() for one in concurrent.futures.as_completed(waiting))


@contextlib.contextmanager
def _pool() -> Iterator[concurrent.futures.ProcessPoolExecutor]:
    """Workers on every core. What nobody waits for any more is not begun."""
    context = multiprocessing.get_context("forkserver")
    pool = concurrent.futures.ProcessPoolExecutor(
        os.cpu_count() or 1, mp_context=context, initializer=_end_with_parent
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """A worker ends when whoever wants its worlds is gone, in whatever way that went."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            connection.wait([parent.sentinel])
            for folder in _FOLDERS:
                shutil.rmtree(folder, ignore_errors=True)
            os._exit(1)  # in the middle of a world, with nobody left to tell

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _lived(wanted: Wanted, seed: int) -> History:
    with quiet.quiet(), _store(wanted.store) as new_store:
        return live(seed, students=wanted.students, only=wanted.vices, new_store=new_store)


def _hunted(wanted: Wanted, first: int, seeds: int, number: int) -> Caught:
    mutant: Mutant = MUTANTS[number]
    with mutant():
        for seed in range(first, first + seeds):
            try:
                broken = _lived(wanted, seed).broken
            except Exception as error:  # noqa: BLE001 - an engine that falls is noticed
                return Caught(mutant.name, seed, f"{type(error).__name__}: {error}")
            if broken:
                return Caught(mutant.name, seed, broken[0])
    return Caught(mutant.name, None, "")


@contextlib.contextmanager
def _store(name: str) -> Iterator[NewStore]:
    if name == "memory":
        yield in_memory
        return
    with tempfile.TemporaryDirectory(prefix="brihaspati-") as folder:

        def on_disk(clock: ports.Clock, index_lag_ms: int) -> ports.Store:  # noqa: ARG001
            path = Path(folder) / "brihaspati.db"
            path.unlink(missing_ok=True)
            return sqlite.Store(sqlite.Database(path), clock)

        _FOLDERS.add(folder)
        yield on_disk
        _FOLDERS.discard(folder)
