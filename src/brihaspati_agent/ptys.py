"""The master of a pty: the end of a terminal that its server holds."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import termios
import threading


class Master:
    """A pty's master, non-blocking; owned by this object, and closed once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._closed = False

    def fileno(self) -> int:
        """Its descriptor."""
        return self._descriptor

    def resize(self, columns: int, rows: int) -> None:
        """Set the window size; the kernel sends SIGWINCH."""
        with contextlib.suppress(OSError):
            packed = struct.pack("HHHH", rows, columns, 0, 0)
            fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, packed)

    def hang_up(self) -> bool:
        """Close it; False when it was closed before."""
        with self._lock:
            if self._closed:
                return False
            self._closed = True
        os.close(self._descriptor)
        return True
