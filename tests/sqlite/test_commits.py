"""Transactions of many threads that share a commit: each still stands or falls by itself."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati.adapters.sqlite import Database

THREADS = 12
SECONDS = 20


def put(database: Database, name: str, then: Callable[[], None] = lambda: None) -> None:
    """Write one name in a transaction, in the middle of which `then` happens."""
    with database.writing() as connection:
        connection.execute("INSERT INTO names VALUES (?)", (name,))
        then()


def names(database: Database) -> set[str]:
    return {name for (name,) in database.rows("SELECT name FROM names")}


@pytest.fixture
def database(path: Path) -> Database:
    opened = Database(path, busy_seconds=SECONDS)
    with opened.writing() as connection:
        connection.execute("CREATE TABLE names (name TEXT PRIMARY KEY)")
    return opened


class Crowd:
    """Threads that all want to write while the first of them holds the turn."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.pool = ThreadPoolExecutor(THREADS + 1)
        self.inside, self.go = threading.Event(), threading.Event()
        self.first = self.pool.submit(put, database, "first", self._hold)
        assert self.inside.wait(SECONDS)

    def _hold(self) -> None:
        self.inside.set()
        assert self.go.wait(SECONDS)

    def submit(self, work: Callable[[], None]) -> Future[None]:
        """One more, who is in line when this returns."""
        commits = self.database._commits
        before = commits._waiting
        future = self.pool.submit(work)
        with commits._turn:
            assert not future.done()
        line = threading.Event()
        while commits._waiting == before:
            line.wait(0.001)
        return future


def test_a_crowd_writes_everything_with_few_commits(database: Database) -> None:
    commits: list[str] = []
    database._writer.set_trace_callback(
        lambda sql: commits.append(sql) if sql == "COMMIT" else None
    )
    crowd = Crowd(database)
    asked = [crowd.submit(lambda n=n: put(database, f"n{n}")) for n in range(THREADS)]  # type: ignore[misc]
    crowd.go.set()
    for one in [crowd.first, *asked]:
        one.result(SECONDS)
    assert names(database) == {"first", *(f"n{n}" for n in range(THREADS))}
    assert len(commits) == 1


def test_nobody_returns_before_the_commit_they_share(database: Database) -> None:
    crowd = Crowd(database)
    inside, go = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        assert go.wait(SECONDS)

    second = crowd.submit(lambda: put(database, "second", hold))
    crowd.go.set()
    assert inside.wait(SECONDS)
    assert not crowd.first.done()
    assert names(database) == set()
    go.set()
    crowd.first.result(SECONDS)
    second.result(SECONDS)
    assert names(database) == {"first", "second"}


def test_one_that_fails_undoes_itself_and_nobody_else(database: Database) -> None:
    def fail() -> None:
        raise ports.Conflict({})

    crowd = Crowd(database)
    bad = crowd.submit(lambda: put(database, "bad", fail))
    double = crowd.submit(lambda: put(database, "first"))
    good = crowd.submit(lambda: put(database, "good"))
    crowd.go.set()
    good.result(SECONDS)
    crowd.first.result(SECONDS)
    with pytest.raises(ports.Conflict):
        bad.result(SECONDS)
    with pytest.raises(Exception, match="UNIQUE"):
        double.result(SECONDS)
    assert names(database) == {"first", "good"}


def test_where_sqlite_undoes_all_by_itself_all_hear_of_it(database: Database) -> None:
    def undo() -> None:
        database._writer.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

    crowd = Crowd(database)
    last = crowd.submit(lambda: put(database, "last", undo))
    crowd.go.set()
    for one in (crowd.first, last):
        with pytest.raises(Exception, match="disk I/O error"):
            one.result(SECONDS)
    assert names(database) == set()
    put(database, "after")
    assert names(database) == {"after"}


def test_a_commit_that_fails_fails_all_who_shared_it(database: Database) -> None:
    database.rows("SELECT 1")
    with database.writing() as connection:
        connection.execute(
            "CREATE TABLE kept (name REFERENCES names DEFERRABLE INITIALLY DEFERRED)"
        )
    database._writer.execute("PRAGMA foreign_keys = ON")

    def break_promise() -> None:
        database._writer.execute("INSERT INTO kept VALUES ('nobody')")

    crowd = Crowd(database)
    last = crowd.submit(lambda: put(database, "last", break_promise))
    crowd.go.set()
    for one in (crowd.first, last):
        with pytest.raises(Exception, match="FOREIGN KEY"):
            one.result(SECONDS)
    assert names(database) == set()
    put(database, "after")
    assert names(database) == {"after"}


def test_one_who_gave_up_waiting_does_not_keep_the_others(path: Path) -> None:
    database = Database(path, busy_seconds=0.2)
    with database.writing() as connection:
        connection.execute("CREATE TABLE names (name TEXT PRIMARY KEY)")
    crowd = Crowd(database)
    late = crowd.submit(lambda: put(database, "late"))
    with pytest.raises(ports.Busy):
        late.result(SECONDS)
    crowd.go.set()
    crowd.first.result(SECONDS)
    put(database, "after")
    assert names(database) == {"first", "after"}
