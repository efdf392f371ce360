"""The master of a pty: the end of a terminal that its server holds."""

from __future__ import annotations

import contextlib
import os
import termios
import threading


class Master:
    """A pty's master, owned by this object until it is closed: then its number may be another's."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def fileno(self) -> int:
        """The non-blocking descriptor; -1 once closed."""
        return self._descriptor

    def resize(self, columns: int, rows: int) -> None:
        """Set the window size; the kernel sends SIGWINCH."""
        with self._lock, contextlib.suppress(termios.error):
            if self._descriptor >= 0:
                termios.tcsetwinsize(self._descriptor, (rows, columns))

    def hang_up(self) -> bool:
        """Close it; False when it was closed before."""
        with self._lock:
            if self._descriptor < 0:
                return False
            os.close(self._descriptor)
            self._descriptor = -1
            return True
