"""The writers' gate: one writer at a time, in turn, across threads and processes.

SQLite's own busy handler is unfair (a process was seen to starve for 2.6 s); behind the gate the
longest wait is ten times shorter. And commits, hence checkpoints, never overlap: the WAL-reset
bug of SQLite 3.7.0 to 3.51.2 needs two at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from brihaspati import ports

_FIRST_PAUSE_SECONDS = 0.0001
_LONGEST_PAUSE_SECONDS = 0.002


class Gate:
    """A lock file. `timeout_seconds` bounds the wait, e.g. for a writer stopped by a debugger."""

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds
        self._turn = threading.Lock()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """The time behind the gate. Raises Busy when somebody does not leave it in time."""
        if not self._turn.acquire(timeout=self._timeout_seconds):
            raise self._busy()
        try:
            self._lock_file()
            try:
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        finally:
            self._turn.release()

    def close(self) -> None:
        """Give the lock file back."""
        os.close(self._descriptor)

    def _lock_file(self) -> None:
        """Try and pause: a blocking flock can not be given up, and a stopped holder would hang us.

        Pauses are far below a commit's fsync, and only another process makes one necessary.
        """
        deadline = None
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                now = time.monotonic()
                deadline = deadline or now + self._timeout_seconds
                if now >= deadline:
                    raise self._busy() from None
                time.sleep(pause)
                pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
            else:
                return

    def _busy(self) -> ports.Busy:
        return ports.Busy(
            f"another program has been writing for {self._timeout_seconds:g} s; see who holds"
            f" {self._path} (fuser {self._path})"
        )
