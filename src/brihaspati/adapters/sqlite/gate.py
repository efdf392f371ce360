"""The writers' gate: one writer at a time, in turn, across threads and processes.

SQLite's own busy handler is unfair (with four writers, one was seen to wait a second); behind the
gate the longest wait is ten times shorter. And commits, hence checkpoints, never overlap: the
WAL-reset bug of SQLite 3.7.0 to 3.51.2 needs two at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from brihaspati import ports

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


class Gate:
    """A lock file. `timeout_seconds` bounds the wait, e.g. for a writer stopped by a debugger."""

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds
        self._turn = threading.Lock()  # of this process; the file's lock is between processes
        self._descriptor = os.open(path, _FLAGS, 0o600)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """The time behind the gate. Raises Busy when somebody does not leave it in time."""
        if not self._turn.acquire(timeout=self._timeout_seconds):
            raise self._busy()
        try:
            with self._file_locked():
                yield
        finally:
            self._turn.release()

    def close(self) -> None:
        """Give the lock file back."""
        os.close(self._descriptor)

    @contextlib.contextmanager
    def _file_locked(self) -> Iterator[None]:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with self._in_line().held():
                yield
            return
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _in_line(self) -> _Waiter:
        waiter = _Waiter(self._path)
        if not waiter.has_lock(self._timeout_seconds):
            raise self._busy()
        return waiter

    def _busy(self) -> ports.Busy:
        return ports.Busy(
            f"another program has been writing for {self._timeout_seconds:g} s; see who holds"
            f" {self._path} (fuser {self._path})"
        )


class _Waiter:
    """One wait for another process, in a thread of its own, as a blocking flock knows no timeout.

    Trying again and again instead was measured: waits of 50 to 200 ms where the kernel's line
    needs 10 to 25. It has a descriptor of its own, as locks of one descriptor are one lock.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, _FLAGS, 0o600)
        self._decision = threading.Lock()
        self._locked = threading.Event()
        self._given_up = False
        threading.Thread(target=self._wait, name="gate", daemon=True).start()

    def has_lock(self, timeout_seconds: float) -> bool:
        """Wait for the lock; if in vain, it will be let go as soon as it comes."""
        in_time = False
        try:
            in_time = self._locked.wait(timeout_seconds)
        finally:  # Ctrl-C may end the wait too
            if not in_time:
                self._give_up()
        return in_time

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The time with the lock."""
        try:
            yield
        finally:
            os.close(self._descriptor)

    def _give_up(self) -> None:
        with self._decision:
            self._given_up = True
            if self._locked.is_set():
                os.close(self._descriptor)

    def _wait(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        with self._decision:
            if self._given_up:
                os.close(self._descriptor)
            else:
                self._locked.set()
