"""The file itself: damage, other programs, newer versions, steps forward, connections."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati.adapters import clocks, memory, sqlite
from brihaspati.adapters.sqlite import database as module
from brihaspati.adapters.sqlite import schema
from brihaspati.ports import Key, Put

CLOCK = clocks.SystemClock()
A = Key("p", "a")
MENDING = r"Stop the server, move brihaspati\.db, brihaspati\.db-wal and .* copy the latest backup"


def _filled(path: Path, count: int = 300) -> None:
    with sqlite.Database(path) as database:
        store = sqlite.Store(database, CLOCK)
        for n in range(0, count, 100):
            keys = [Key("p", f"{n + i:05}") for i in range(100)]
            store.transact([Put(key, {"a": "x" * 500}, None, {"due": key}) for key in keys])


def test_a_new_file_and_its_folder_are_for_their_owner_alone(path: Path) -> None:
    with sqlite.Database(path) as database:
        sqlite.Store(database, CLOCK).transact([Put(A, {})])
        modes = {p.name: p.stat().st_mode & 0o777 for p in path.parent.iterdir()}
        assert set(modes.values()) == {0o600}
        assert {"brihaspati.db", "brihaspati.db-wal", "brihaspati.db.gate"} <= set(modes)
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_closed_database_is_one_file_again(path: Path) -> None:
    _filled(path)
    assert {p.name for p in path.parent.iterdir()} == {"brihaspati.db", "brihaspati.db.gate"}


def test_every_connection_is_durable_and_maps_no_memory(path: Path) -> None:
    with sqlite.Database(path) as database:
        for pragma, value in (("synchronous", 2), ("mmap_size", 0), ("journal_mode", "wal")):
            assert database.rows(f"PRAGMA {pragma}") == [(value,)]
            with database.writing() as connection:
                assert connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)


def test_a_file_of_something_else_is_refused_with_the_remedy(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"This is a letter, and no database at all. " * 100)
    with pytest.raises(sqlite.Broken, match=f"{path} is not a database. {MENDING}"):
        sqlite.Database(path)
    assert path.read_bytes().startswith(b"This is a letter")


def test_a_database_of_another_program_is_refused_untouched(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(sqlite.Broken, match="a database of another program"):
        sqlite.Database(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("size", [1, 511, 512, 5000])
def test_a_file_cut_off_in_its_first_page_is_refused_untouched(path: Path, size: int) -> None:
    path.parent.mkdir()
    path.write_bytes(b"S" * size)
    with pytest.raises(sqlite.Broken, match="is not a database"):
        sqlite.Database(path)
    assert path.read_bytes() == b"S" * size


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with sqlite.Database(path) as database:
        assert sqlite.Store(database, CLOCK).transact([Put(A, {}, 0)]) == (1,)


def test_damaged_pages_are_found_by_the_check_and_named_on_use(path: Path) -> None:
    _filled(path)
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)
    broken = pytest.raises(sqlite.Broken, match=f"{path} is damaged .*{MENDING}")
    with broken, sqlite.Database(path) as database:
        assert database.check() != []
        sqlite.Store(database, CLOCK).query("p")
    path.unlink()
    sqlite.Database(path).close()


def test_a_file_cut_in_half_is_found_by_the_check(path: Path) -> None:
    _filled(path)
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    broken = pytest.raises(sqlite.Broken, match="damaged")
    with broken, sqlite.Database(path) as database:
        assert database.check() != []
        for n in range(300):
            sqlite.Store(database, CLOCK).get(Key("p", f"{n:05}"))


def test_a_sound_file_passes_the_check(path: Path) -> None:
    _filled(path)
    with sqlite.Database(path) as database:
        assert database.check() == []


def test_a_newer_schema_is_refused_with_the_remedy(path: Path) -> None:
    newer = (*schema.MIGRATIONS, ("CREATE TABLE of_the_future (a)",))
    sqlite.Database(path, migrations=newer).close()
    with pytest.raises(sqlite.Newer, match=r"schema 2, this one knows up to 1\): upgrade"):
        sqlite.Database(path)


def test_an_older_file_steps_forward_and_keeps_its_items(path: Path) -> None:
    _filled(path)
    newer = (*schema.MIGRATIONS, ("ALTER TABLE items ADD COLUMN extra",), ("CREATE TABLE t (a)",))
    with sqlite.Database(path, migrations=newer) as database:
        assert database.rows("PRAGMA user_version") == [(3,)]
        assert database.rows("SELECT count(*), count(extra) FROM items") == [(300, 0)]


def test_a_step_that_fails_leaves_the_version_before_it(path: Path) -> None:
    _filled(path)
    wrong = (*schema.MIGRATIONS, ("CREATE TABLE t (a)",), ("CREATE TABLE u (a)", "NONSENSE"))
    with pytest.raises(sqlite3.OperationalError, match="NONSENSE"):
        sqlite.Database(path, migrations=wrong)
    with sqlite.Database(path, migrations=wrong[:2]) as database:
        assert database.rows("PRAGMA user_version") == [(2,)]
        assert database.rows("SELECT count(*) FROM sqlite_schema WHERE name = 'u'") == [(0,)]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(sqlite.Broken, match=f"cannot write in {tmp_path / 'file'}"):
        sqlite.Database(tmp_path / "file" / "brihaspati.db")
    with pytest.raises(sqlite.Broken, match="cannot write"):
        sqlite.lock(tmp_path / "file")


def test_a_folder_in_the_place_of_the_file_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(sqlite.Broken, match=f"{path} cannot be opened"):
        sqlite.Database(path)


def test_a_closed_database_says_so(path: Path) -> None:
    database = sqlite.Database(path)
    database.close()
    database.close()
    with pytest.raises(RuntimeError, match="is closed"):
        database.rows("SELECT 1")
    with pytest.raises(RuntimeError, match="is closed"), database.writing():
        pass


def test_threads_that_come_and_go_leave_no_connections_behind(path: Path) -> None:
    with sqlite.Database(path) as database:
        store = sqlite.Store(database, CLOCK)
        for _ in range(30):
            thread = threading.Thread(target=store.get, args=(A,))
            thread.start()
            thread.join()
        assert len(database._readers) == 1


def test_a_queue_opened_after_the_clock_was_set_back_frees_what_was_hidden(path: Path) -> None:
    clock = memory.ManualClock()
    with sqlite.Database(path) as database:
        queue = sqlite.Queue(database, clock)
        queue.put(ports.Message("t", {}))
        queue.take(1, visible_after_seconds=30)
        clock.advance(-86_400)
        later = sqlite.Queue(database, clock)
        assert later.take(1, visible_after_seconds=30) == []
        clock.advance(30)
        assert len(later.take(1, visible_after_seconds=30)) == 1


@pytest.mark.parametrize(
    ("version", "bad"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_the_versions_with_the_wal_reset_bug_are_known(
    version: tuple[int, ...], *, bad: bool
) -> None:
    assert module._has_wal_reset_bug(version) == bad


def test_the_version_for_the_log_names_sqlite() -> None:
    assert sqlite.version().startswith(f"SQLite {sqlite3.sqlite_version}")
