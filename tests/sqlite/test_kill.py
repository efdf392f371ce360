"""SIGKILL at any moment loses nothing that was acknowledged and leaves nothing half done."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati.adapters import clocks, memory, sqlite
from sqlite.running import Running

CLOCK = clocks.SystemClock()


def _sorts(store: ports.Store, partition: str) -> set[str]:
    sorts: set[str] = set()
    cursor = None
    while True:
        page = store.query(partition, cursor=cursor)
        sorts |= {item.key.sort for item in page.items}
        cursor = page.cursor
        if cursor is None:
            return sorts


def _index(store: ports.Store) -> list[ports.Key]:
    keys: list[ports.Key] = []
    cursor = None
    while True:
        page = store.query_index("due", "d", cursor=cursor)
        keys += [item.key for item in page.items]
        cursor = page.cursor
        if cursor is None:
            return keys


@pytest.mark.slow
def test_writers_killed_in_mid_flight_leave_whole_acknowledged_transactions(path: Path) -> None:
    chance = random.Random(5)
    told: set[str] = set()
    for attempt in range(8):
        with (
            Running("pairs", path, f"a{attempt}") as one,
            Running("pairs", path, f"b{attempt}") as two,
        ):
            one.until(chance.randrange(1, 150))
            two.until(chance.randrange(1, 150))
            one.kill()
            two.kill()
            told |= set(one.lines) | set(two.lines)
        with sqlite.Database(path) as database:
            store = sqlite.Store(database, CLOCK)
            left, right = _sorts(store, "left"), _sorts(store, "right")
            assert database.check() == []
            assert left == right
            assert told <= left
            assert len(left - told) <= 2 * (attempt + 1)  # committed, but not yet told
            keys = _index(store)
            assert len(keys) == len(set(keys)) == 2 * len(left)


def test_messages_put_before_a_kill_are_all_there(path: Path) -> None:
    with Running("puts", path, "m") as putter:
        putter.until(60)
        putter.kill()
    with sqlite.Database(path) as database:
        queue = sqlite.Queue(database, CLOCK)
        taken = queue.take(10_000, visible_after_seconds=60)
        names = [one.message.body["name"] for one in taken]
        assert len(names) == len(set(names))
        assert set(putter.lines) <= set(names)
        assert len(names) - len(putter.lines) <= 1


def test_what_a_killed_taker_had_in_hand_comes_back_and_what_it_finished_does_not(
    path: Path,
) -> None:
    with sqlite.Database(path) as database:
        queue = sqlite.Queue(database, CLOCK)
        names = {f"n{n}" for n in range(40)}
        for name in names:
            queue.put(ports.Message("t", {"name": name}))
        with Running("takes", path) as taker:
            taker.until(30)
            taker.kill()
        done = {line.removeprefix("done ") for line in taker.lines if line.startswith("done ")}
        assert done
        later = memory.ManualClock(CLOCK.now() + 3_600_000 + 1000)
        again = sqlite.Queue(database, later).take(100, visible_after_seconds=60)
        back = {one.message.body["name"]: one.tries for one in again}
        assert names - set(back) >= done
        assert len(names - set(back) - done) <= 1  # finished, but not yet told
        given = {line.removeprefix("taken ") for line in taker.lines} & set(back)
        assert {back[name] for name in given} == {2}


def test_alarms_fired_at_a_kill_are_on_the_queue_or_still_set_and_never_both(path: Path) -> None:
    total = 400
    with sqlite.Database(path) as database:
        timer = sqlite.Timer(database)
        for n in range(total):
            timer.set(f"alarm{n}", n // 2, ports.Message("wake", {"n": n}))
        with Running("fires", path) as firer:
            firer.until(60)
            firer.kill()
        queue = sqlite.Queue(database, CLOCK)
        came = [t.message.body["n"] for t in queue.take(total, visible_after_seconds=60)]
        assert 2 * len(firer.lines) <= len(came) < total
        timer.fire(total)
        came += [t.message.body["n"] for t in queue.take(total, visible_after_seconds=60)]
        assert sorted(came) == list(range(total))
