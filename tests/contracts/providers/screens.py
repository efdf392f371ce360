"""A terminal as a test sees it: type, and wait until the screen shows something."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Iterator

from brihaspati_agent import places

_SECONDS_MAX = 40  # the processor is shared


class Screen:
    """Everything the tty has said so far."""

    def __init__(self, terminal: places.Terminal) -> None:
        self.terminal = terminal
        self.said = b""
        self.ended = False

    def type(self, text: str) -> None:
        os.write(self.terminal.fileno(), text.encode())

    def shows(self, text: bytes) -> None:
        """Wait for a line of exactly this text, or fail with what was there instead."""
        until = time.monotonic() + _SECONDS_MAX
        while not any(line.strip() == text for line in self.said.splitlines()):
            assert not self.ended, self.said
            assert self._more(until), self.said

    def ends(self) -> None:
        """Wait for the end of the program."""
        until = time.monotonic() + _SECONDS_MAX
        while not self.ended:
            assert self._more(until), self.said

    def _more(self, until: float) -> bool:
        fd, left = self.terminal.fileno(), until - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return False
        try:
            piece = os.read(fd, 65536)
        except BlockingIOError:
            return True
        except OSError:
            piece = b""  # EIO is how a tty says that its program has ended
        self.ended = not piece
        self.said += piece
        return True


@contextlib.contextmanager
def opened(terminal: places.Terminal) -> Iterator[Screen]:
    try:
        yield Screen(terminal)
    finally:
        terminal.close()
