"""A full disk: nothing acknowledged is lost, reading goes on, and writing once there is room."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati.adapters import clocks, sqlite
from brihaspati.ports import Key, Put
from disks import small_disk

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="mounting a tmpfs needs root on Linux"
    ),
]
CLOCK = clocks.SystemClock()
DISK_BYTES = 3 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes."""
    with small_disk(tmp_path / "disk", DISK_BYTES) as point:
        yield point


def _fill(disk: Path) -> Path:
    """Take every last byte; the file that holds them."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (65_536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def test_a_store_that_fills_its_disk_keeps_all_it_acknowledged(disk: Path) -> None:
    with sqlite.Database(disk / "a.db") as database:
        store = sqlite.Store(database, CLOCK)
        written = 0
        with pytest.raises(ports.StoreFull, match=r"the disk under .*a\.db is full"):  # noqa: PT012
            for n in range(10_000):
                keys = [Key("left", f"{n:05}"), Key("right", f"{n:05}")]
                store.transact([Put(key, {"a": "x" * 5000}, 0) for key in keys])
                written += 1
        assert written > 50
        counts = database.rows("SELECT partition, count(*) FROM items GROUP BY 1 ORDER BY 1")
        assert counts == [("left", written), ("right", written)]
        assert store.get(Key("left", f"{written - 1:05}")) is not None
        assert database.check() == []


def test_everything_that_writes_says_full_and_works_again_with_room(disk: Path) -> None:
    with sqlite.Database(disk / "a.db") as database:
        store, timer = sqlite.Store(database, CLOCK), sqlite.Timer(database)
        queue = sqlite.Queue(database, CLOCK)
        queue.put(ports.Message("t", {"n": 1}))
        filler = _fill(disk)
        long = {"a": "x" * 20_000}
        for write in (
            lambda: store.transact([Put(Key("p", "a"), long)]),
            lambda: queue.put(ports.Message("t", long)),
            lambda: timer.set("a", 1, ports.Message("t", long)),
        ):
            with pytest.raises(ports.StoreFull):
                write()
        assert store.get(Key("p", "a")) is None
        assert timer.next_at() is None
        assert database.check() == []
        filler.unlink()
        assert store.transact([Put(Key("p", "a"), long, 0)]) == (1,)
        assert [t.message.body for t in queue.take(5, visible_after_seconds=9)] == [{"n": 1}]


def test_a_database_is_not_made_on_a_full_disk_and_is_made_later(disk: Path) -> None:
    filler = _fill(disk)
    with pytest.raises(ports.StoreFull):
        sqlite.Database(disk / "a.db")
    filler.unlink()
    with sqlite.Database(disk / "a.db") as database:
        assert sqlite.Store(database, CLOCK).transact([Put(Key("p", "a"), {}, 0)]) == (1,)


def test_a_database_opens_on_a_disk_that_was_full_when_its_process_died(disk: Path) -> None:
    with sqlite.Database(disk / "a.db") as database:
        sqlite.Store(database, CLOCK).transact([Put(Key("p", "a"), {"n": 1}, 0)])
    filler = _fill(disk)
    with pytest.raises(ports.StoreFull):
        sqlite.Database(disk / "a.db")
    filler.unlink()
    with sqlite.Database(disk / "a.db") as database:
        assert sqlite.Store(database, CLOCK).get(Key("p", "a")) is not None


def test_a_backup_on_a_full_disk_keeps_the_last_one(disk: Path, tmp_path: Path) -> None:
    with sqlite.Database(tmp_path / "a.db") as database:
        store = sqlite.Store(database, CLOCK)
        database.backup(disk / "b.db")
        good = (disk / "b.db").read_bytes()
        store.transact([Put(Key("p", str(n)), {"a": "x" * 40_000}) for n in range(90)])
        with pytest.raises(ports.StoreFull):
            database.backup(disk / "b.db")
        assert (disk / "b.db").read_bytes() == good
        assert [path.name for path in disk.iterdir()] == ["b.db"]
