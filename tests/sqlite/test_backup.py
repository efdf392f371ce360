"""A backup is whole, checked, and made while others go on writing."""

from __future__ import annotations

from pathlib import Path

import pytest

from brihaspati.adapters import clocks, sqlite
from brihaspati.ports import Key, Put
from sqlite.running import Running

CLOCK = clocks.SystemClock()


def _pairs(path: Path) -> tuple[int, int]:
    with sqlite.Database(path) as database:
        assert database.check() == []
        counted = database.rows("SELECT partition, count(*) FROM items GROUP BY 1 ORDER BY 1")
    counts = dict(counted)
    return counts.get("left", 0), counts.get("right", 0)


def test_backups_under_load_are_whole_and_stop_no_writer(path: Path, tmp_path: Path) -> None:
    with sqlite.Database(path) as database, Running("pairs", path) as writer:
        for n in range(5):
            writer.until(50 * (n + 1))
            target = tmp_path / f"backup{n}.db"
            database.backup(target)
            left, right = _pairs(target)
            assert left == right >= 50 * (n + 1)
        writer.until(len(writer.lines) + 50)


def test_a_backup_is_one_private_file_and_replaces_the_last(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup" / "nightly.db"
    target.parent.mkdir()
    with sqlite.Database(path) as database:
        store = sqlite.Store(database, CLOCK)
        for n in range(2):
            store.transact([Put(Key("left", str(n)), {})])
            database.backup(target)
            assert [p.name for p in target.parent.iterdir()] == ["nightly.db"]
            assert target.stat().st_mode & 0o777 == 0o600
            content = target.read_bytes()
            assert content[18:20] == b"\1\1"  # no WAL: readable on a read-only disk too
            assert _pairs(target) == (n + 1, 0)
            target.with_name("nightly.db.gate").unlink()
            target.write_bytes(content)


def test_a_backup_put_in_the_place_of_a_lost_file_works_on(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    with sqlite.Database(path) as database:
        sqlite.Store(database, CLOCK).transact([Put(Key("p", "a"), {"n": 1})])
        database.backup(target)
        sqlite.Store(database, CLOCK).transact([Put(Key("p", "a"), {"n": 2})])
    path.unlink()
    target.rename(path)
    with sqlite.Database(path) as database:
        store = sqlite.Store(database, CLOCK)
        assert store.transact([Put(Key("p", "a"), {"n": 3}, 1)]) == (2,)


def test_a_backup_over_the_database_itself_is_refused(path: Path) -> None:
    with sqlite.Database(path) as database:
        with pytest.raises(ValueError, match="needs another name"):
            database.backup(path.parent / ".." / path.parent.name / path.name)
        assert database.check() == []


@pytest.mark.parametrize(
    ("start", "damage"),
    [
        pytest.param(8192, b"\xff" * 40_000, id="pages"),
        pytest.param(36, b"\0\0\0\5", id="the count of free pages"),
    ],
)
def test_a_damaged_database_does_not_replace_a_good_backup(
    path: Path, tmp_path: Path, start: int, damage: bytes
) -> None:
    target = tmp_path / "backup.db"
    with sqlite.Database(path) as database:
        store = sqlite.Store(database, CLOCK)
        store.transact([Put(Key("left", f"{n:03}"), {"a": "x" * 3000}) for n in range(100)])
        database.backup(target)
    good = target.read_bytes()
    content = bytearray(path.read_bytes())
    content[start : start + len(damage)] = damage
    path.write_bytes(content)
    with sqlite.Database(path) as database, pytest.raises(sqlite.Broken, match="damaged"):
        database.backup(target)
    assert target.read_bytes() == good
    assert sorted(p.name for p in tmp_path.iterdir()) == ["backup.db", "data"]
