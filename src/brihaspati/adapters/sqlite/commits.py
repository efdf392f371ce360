"""Commits shared by the threads of a process: many transactions, one wait for the disk.

A thread that is done with its transaction while another waits for its turn passes the open
transaction of SQLite on, and the last one commits for all. Each is a savepoint of its own, so one
that fails undoes only itself; nobody returns before what they wrote, and saw, is durable.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator

from brihaspati import ports
from brihaspati.adapters.sqlite.gate import Gate

TOGETHER_MAX = 64


class _Group:
    """Transactions that one commit ends."""

    def __init__(self, behind: contextlib.ExitStack) -> None:
        self.behind = behind
        self.size = 0
        self.over = threading.Event()
        self.failed: BaseException | None = None


class Commits:
    """The turns of the threads of one process, behind the gate between processes."""

    def __init__(self, gate: Gate, timeout_seconds: float) -> None:
        self._gate = gate
        self._timeout_seconds = timeout_seconds
        self._turn = threading.Condition()
        self._taken = False
        self._waiting = 0
        self._group: _Group | None = None

    @contextlib.contextmanager
    def transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        """One transaction: durable when the block ends, undone when it raises.

        Raises Busy, or sqlite3.Error when it or the commit it shared failed.
        """
        self._take_turn(connection)
        group = self._joined(connection)
        fault: BaseException | None = None
        try:
            connection.execute("SAVEPOINT one")
            yield
            connection.execute("RELEASE one")
        except BaseException as error:  # noqa: BLE001 - raised below, when the turn was passed on
            fault = error
            _undo(connection, group, error)
        self._pass_on(connection, group)
        group.over.wait()
        problem = group.failed or fault
        if problem is not None:
            raise problem

    def _take_turn(self, connection: sqlite3.Connection) -> None:
        try:
            with self._turn:
                self._waiting += 1
                try:
                    if not self._turn.wait_for(lambda: not self._taken, self._timeout_seconds):
                        raise ports.Busy(f"a thread wrote for {self._timeout_seconds:g} s")
                    self._taken = True
                finally:
                    self._waiting -= 1
        except BaseException:
            self._give_up(connection)
            raise

    def _give_up(self, connection: sqlite3.Connection) -> None:
        """Wait no more. If the turn had just come to us, so had the duty to commit."""
        with self._turn:
            group = self._group
            if self._taken or self._waiting or group is None:
                self._turn.notify()
                return
            self._taken = True
        self._commit(connection, group)

    def _joined(self, connection: sqlite3.Connection) -> _Group:
        """The open group, or a new one with SQLite's transaction begun."""
        if self._group is None:
            with contextlib.ExitStack() as behind:
                try:
                    behind.enter_context(self._gate.entered())
                    connection.execute("BEGIN IMMEDIATE")
                except BaseException:
                    self._give_turn()
                    raise
                self._group = _Group(behind.pop_all())
        self._group.size += 1
        return self._group

    def _pass_on(self, connection: sqlite3.Connection, group: _Group) -> None:
        """Let the next one in, or commit when nobody waits."""
        with self._turn:
            open_still = group.failed is None and group.size < TOGETHER_MAX
            if open_still and self._waiting:
                self._taken = False
                self._turn.notify()
                return
        self._commit(connection, group)

    def _commit(self, connection: sqlite3.Connection, group: _Group) -> None:
        try:
            if group.failed is None:
                connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - each of the group raises it
            group.failed = error
        finally:
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            self._group = None
            group.behind.close()
            self._give_turn()
            group.over.set()

    def _give_turn(self) -> None:
        with self._turn:
            self._taken = False
            self._turn.notify()


def _undo(connection: sqlite3.Connection, group: _Group, error: BaseException) -> None:
    """Undo one transaction. Where SQLite has undone them all by itself, the group has failed."""
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO one")
            connection.execute("RELEASE one")
        else:
            group.failed = error
    except sqlite3.Error as worse:
        group.failed = worse
