"""The system's clock and the system's chance."""

from __future__ import annotations

import secrets
import time

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


class SystemClock:
    """The wall clock of this machine. It may jump; nothing here assumes that it does not."""

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000


class SystemChance:
    """The operating system's random numbers: unguessable, fit for names that are secrets."""

    def name(self, length: int) -> str:
        """`length` lower-case base32 characters, 5 bits each."""
        return "".join([_BASE32[byte & 31] for byte in secrets.token_bytes(length)])

    def pick(self, count: int) -> int:
        """A number from 0 to count - 1, each as likely."""
        return secrets.randbelow(count)
