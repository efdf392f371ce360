"""One SQLite file: opening it, reading, writing behind the gate, backup.

Every connection is used by one thread at a time; there is one for writing and as many for reading
as threads ever read at once. The file is never opened by other means in this process: closing
such a handle would drop SQLite's own locks.
"""

from __future__ import annotations

import collections
import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from brihaspati.adapters.sqlite import faults, schema
from brihaspati.adapters.sqlite.commits import Commits
from brihaspati.adapters.sqlite.gate import Gate

_BUSY_SECONDS = 10.0
_PAGE_BYTES_MIN = 512
_WAL_BYTES_KEPT = 16 * 1024 * 1024
_FIXED_IN = ((3, 51, 3), (3, 50, 7), (3, 44, 6))


def version() -> str:
    """SQLite's version for the log, with a word on the WAL-reset bug where it has it."""
    text = f"SQLite {sqlite3.sqlite_version}"
    if _has_wal_reset_bug(sqlite3.sqlite_version_info):
        text += (
            " (has the WAL-reset bug, fixed in 3.51.3; harmless here, as writers and checkpoints"
            " take turns: open the file with other tools only while Brihaspati is stopped)"
        )
    return text


def _has_wal_reset_bug(found: tuple[int, ...]) -> bool:
    if found < (3, 7, 0) or found >= _FIXED_IN[0]:
        return False
    return not any(found[:2] == fixed[:2] and found >= fixed for fixed in _FIXED_IN)


class Database:
    """The file behind `Store`, `Queue` and `Timer`; any number of processes may open it.

    Raises Broken (not ours, damaged, no permission), Newer, StoreFull or Busy.
    """

    def __init__(
        self,
        path: Path,
        *,
        busy_seconds: float = _BUSY_SECONDS,
        migrations: tuple[tuple[str, ...], ...] = schema.MIGRATIONS,
    ) -> None:
        self.path = path
        self.news = threading.Condition()  # somebody here put a message on the queue
        self.news_count = 0
        self._busy_seconds = busy_seconds
        self._process = os.getpid()
        self._closed = False
        self._readers: collections.deque[sqlite3.Connection] = collections.deque()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._gate = Gate(path.with_name(path.name + ".gate"), busy_seconds)
        except OSError as error:
            raise faults.Broken(
                f"cannot write in {path.parent}: {error.strerror}; run as its owner, or choose"
                " another data folder"
            ) from error
        self._commits = Commits(self._gate, busy_seconds)
        try:
            with self._gate.entered():
                self._writer = self._opened(migrations)
        except BaseException:
            self._gate.close()
            raise

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one SELECT, as of one moment."""
        connection = self._reader()
        try:
            return connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise faults.translated(error, self.path) from error
        finally:
            self._give_back(connection)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: durable when the block ends, undone when it raises."""
        self._check_usable()
        try:
            with self._commits.transaction(self._writer):
                yield self._writer
        except sqlite3.Error as error:
            raise faults.translated(error, self.path) from error

    def announce(self, count: int) -> None:
        """Wake as many takers as there are new messages."""
        with self.news:
            self.news_count += count
            self.news.notify(count)

    def check(self) -> list[str]:
        """Damage that SQLite's quick check finds, one line each; empty when all is well."""
        try:
            found = self.rows("PRAGMA quick_check")
        except faults.Broken as error:
            return [str(error)]
        return [line for (line,) in found if line != "ok"]

    def backup(self, target: Path) -> None:
        """Copy the whole file as of one moment to `target`, checked, while others go on writing.

        An older backup of this name is replaced only by a good one. Raises Broken when the copy
        is damaged (so is the original then), StoreFull or OSError.
        """
        if target.resolve() == self.path.resolve():
            raise ValueError(f"{target} is the database itself; a backup needs another name")
        part = target.with_name(target.name + ".part")
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        try:
            self._copy(part)
            _flush(part)
            part.replace(target)
            _flush(target.parent)
        finally:
            part.unlink(missing_ok=True)

    def close(self) -> None:
        """Close every connection behind the gate, as the last one checkpoints; repeatable."""
        if self._closed or self._process != os.getpid():
            return
        with self._gate.entered():
            self._closed = True
            while self._readers:
                self._readers.pop().close()
            self._writer.close()
        self._gate.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self, migrations: tuple[tuple[str, ...], ...]) -> sqlite3.Connection:
        """The writing connection of a file that is ours and of the newest schema."""
        with contextlib.suppress(FileExistsError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            os.close(os.open(self.path, flags, 0o600))
        if 0 < self.path.stat().st_size < _PAGE_BYTES_MIN:  # SQLite would write over it
            raise faults.no_database(self.path)
        connection = self._connect()
        try:
            found = schema.check(connection, self.path, len(migrations))
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise faults.Broken(
                    f"the file system under {self.path} cannot share memory between programs"
                    " (a network share?): put the data folder on a local disk"
                )
            if found < len(migrations):
                schema.migrate(connection, found, migrations)
                _flush(self.path.parent)
        except sqlite3.Error as error:
            connection.close()
            raise faults.translated(error, self.path) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self.path,
                timeout=self._busy_seconds,
                isolation_level=None,
                check_same_thread=False,
            )
            for pragma in (
                "synchronous = FULL",
                "mmap_size = 0",  # an amplifier of the WAL-reset bug
                "trusted_schema = OFF",
                "temp_store = MEMORY",
                f"journal_size_limit = {_WAL_BYTES_KEPT}",
            ):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            raise faults.translated(error, self.path) from error
        return connection

    def _reader(self) -> sqlite3.Connection:
        self._check_usable()
        try:
            return self._readers.pop()
        except IndexError:
            return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if not self._closed:
            self._readers.append(connection)
            return
        with contextlib.suppress(Exception), self._gate.entered():  # closed while we read
            connection.close()

    def _check_usable(self) -> None:
        if self._process != os.getpid():
            raise RuntimeError("the database was opened before a fork; the child opens its own")
        if self._closed:
            raise RuntimeError(f"{self.path} is closed")

    def _copy(self, part: Path) -> None:
        source = self._reader()
        copy = sqlite3.connect(part, isolation_level=None)
        try:
            # All pages in one step: other writers do not make it start over, nor does it stop them.
            source.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode = DELETE")
            problems = [line for (line,) in copy.execute("PRAGMA quick_check") if line != "ok"]
        except sqlite3.Error as error:
            raise faults.translated(error, part) from error
        finally:
            copy.close()
            self._give_back(source)
        if problems:
            raise faults.Broken(f"the copy of {self.path} is damaged: {problems[0]}")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
