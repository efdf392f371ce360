"""User ids for labs: 65,536 each, from a part of the id space nobody hands out.

Several keepers may run on one host, so blocks of ranges are reserved by locks the kernel drops
when their holder dies.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

COUNT = 65536
# Above what systemd gives to containers (up to 1,878,982,655), below 2^31.
FIRST = 0x70000000
_BLOCK = 256
_BLOCKS = 15


class Exhausted(Exception):  # noqa: N818
    """Every range is in use."""


class Ranges:
    """Hands out the first id of a range; a range is free again only when given back."""

    def __init__(self, locks: Path) -> None:
        self._locks = locks
        self._held: dict[int, int] = {}
        self._free: list[int] = []

    def _reserve(self) -> None:
        """Lock one more block. Raises Exhausted, OSError."""
        self._locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        for block in range(_BLOCKS):
            if block in self._held:
                continue
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            fd = os.open(self._locks / f"ids-{block}.lock", flags, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(fd)
                continue
            self._held[block] = fd
            starts = range(block * _BLOCK, (block + 1) * _BLOCK)
            self._free += [FIRST + number * COUNT for number in reversed(starts)]
            return
        raise Exhausted(f"all {_BLOCKS * _BLOCK} ranges of user ids of this host are in use")

    def take(self) -> int:
        """The first of 65,536 host ids nobody else has. Raises Exhausted, OSError."""
        if not self._free:
            self._reserve()
        return self._free.pop()

    def give_back(self, first: int) -> None:
        """Make a range free; nothing of its lab may be left."""
        self._free.append(first)
