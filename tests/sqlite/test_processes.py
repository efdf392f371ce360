"""Several processes on one database: no lost update, one server, a gate that cannot hang us."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati.adapters import clocks, sqlite
from brihaspati.ports import Key, Put
from sqlite.running import Running

CLOCK = clocks.SystemClock()
A = Key("p", "a")


def test_two_processes_that_count_on_the_same_items_lose_no_update(path: Path) -> None:
    rounds = 200
    with Running("counts", path, str(rounds)) as one, Running("counts", path, str(rounds)) as two:
        one.until(1)
        two.until(1)
        assert [one.process.wait(), two.process.wait()] == [0, 0]
    with sqlite.Database(path) as database:
        items = sqlite.Store(database, CLOCK).query("count").items
        assert [item.body["n"] for item in items] == [rounds // 2] * 4
        assert database.check() == []


def test_a_put_of_another_process_wakes_a_waiter_here(path: Path) -> None:
    with sqlite.Database(path) as database:
        queue = sqlite.Queue(database, CLOCK, poll_seconds=0.02)
        assert not queue.wait(0)
        with Running("puts", path) as putter:
            putter.until(1)
            assert queue.wait(30)


def test_a_second_server_is_refused_with_the_pid_of_the_first(path: Path) -> None:
    with Running("serves", path) as server:
        server.until(1)
        with pytest.raises(sqlite.AlreadyServed, match=f"process {server.process.pid}"):
            sqlite.lock(path.parent)
        server.tell()
        server.until(2)
        with sqlite.lock(path.parent):
            assert (path.parent / "server.lock").read_text() == f"{os.getpid()}\n"


def test_the_next_server_may_start_at_once_after_a_kill(path: Path) -> None:
    with Running("serves", path) as server:
        server.until(1)
        server.kill()
        (path.parent / "server.lock").write_text("a longer number: 123456789012345\n")
        lock = sqlite.lock(path.parent)
        assert (path.parent / "server.lock").read_text() == f"{os.getpid()}\n"
        with pytest.raises(sqlite.AlreadyServed, match=f"process {os.getpid()}"):
            sqlite.lock(path.parent)
        lock.release()
        lock.release()
        sqlite.lock(path.parent).release()


def test_the_command_line_reads_and_writes_beside_a_server(path: Path) -> None:
    with Running("serves", path) as server:
        server.until(1)
        with sqlite.Database(path) as database:
            store = sqlite.Store(database, CLOCK)
            assert store.transact([Put(A, {"n": 1}, 0)]) == (1,)
            assert store.get(A) == ports.Item(A, 1, {"n": 1})


def test_a_writer_that_never_leaves_the_gate_makes_others_busy_and_not_hang(path: Path) -> None:
    with sqlite.Database(path, busy_seconds=0.2) as database, Running("holds", path) as holder:
        store = sqlite.Store(database, CLOCK)
        holder.until(1)
        os.kill(holder.process.pid, signal.SIGSTOP)
        started = time.monotonic()
        with pytest.raises(ports.Busy, match=r"see who holds .*\.gate"):
            store.transact([Put(A, {})])
        assert 0.2 <= time.monotonic() - started < 60
        assert store.get(A) is None  # reading needs no turn
        os.kill(holder.process.pid, signal.SIGCONT)
        holder.tell()
        holder.until(2)
        assert store.transact([Put(A, {})]) == (1,)


def test_a_writer_killed_behind_the_gate_lets_the_next_in(path: Path) -> None:
    with sqlite.Database(path) as database, Running("holds", path) as holder:
        holder.until(1)
        holder.kill()
        assert sqlite.Store(database, CLOCK).transact([Put(A, {}, 0)]) == (1,)


def test_a_tool_that_locks_the_file_itself_makes_us_busy(path: Path) -> None:
    with sqlite.Database(path, busy_seconds=0.1) as database:
        tool = sqlite3.connect(path, isolation_level=None)
        tool.execute("BEGIN IMMEDIATE")
        store = sqlite.Store(database, CLOCK)
        with pytest.raises(ports.Busy, match="another program keeps"):
            store.transact([Put(A, {})])
        tool.execute("ROLLBACK")
        tool.close()
        assert store.transact([Put(A, {}, 0)]) == (1,)


def test_two_databases_of_one_process_take_turns_too(path: Path) -> None:
    with sqlite.Database(path) as one, sqlite.Database(path, busy_seconds=0.05) as two:
        with one.writing(), pytest.raises(ports.Busy):
            sqlite.Store(two, CLOCK).transact([Put(A, {})])
        assert sqlite.Store(two, CLOCK).transact([Put(A, {}, 0)]) == (1,)
        assert sqlite.Store(one, CLOCK).get(A) is not None


def test_a_forked_child_may_not_use_its_parents_database(path: Path) -> None:
    with sqlite.Database(path) as database:
        store = sqlite.Store(database, CLOCK)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                store.get(A)
            except RuntimeError:
                code = 7
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert store.transact([Put(A, {}, 0)]) == (1,)
