"""Our own count of what we ask, so that a provider never has to tell us to stop."""

from __future__ import annotations

import collections
import math
import threading
from collections.abc import Callable


class Governor:
    """At most `count` requests in any `seconds`; who is less urgent finds it full earlier.

    The provider's headers have the last word: `heard` takes them.
    """

    def __init__(self, count: int, seconds: float, now: Callable[[], float]) -> None:
        self._count = count
        self._seconds = seconds
        self._now = now
        self._sent: collections.deque[float] = collections.deque()
        self._closed_until = 0.0
        self._scarce_until = 0.0
        self._lock = threading.Lock()

    def admit(self, share: float) -> float:
        """0.0: go, it is counted. Else how many seconds until it is worth asking again.

        `share` of the limit is open to this kind of request; 1.0 is for what cannot wait.
        """
        with self._lock:
            now = self._now()
            self._forget(now)
            if now < self._closed_until:
                return self._closed_until - now
            if share < 1 and now < self._scarce_until:
                return self._scarce_until - now
            room = math.ceil(self._count * share)
            if len(self._sent) >= room:
                return max(0.1, self._sent[-room] + self._seconds - now)
            self._sent.append(now)
            return 0.0

    def used(self) -> float:
        """Which share of the limit is used now."""
        with self._lock:
            self._forget(self._now())
            return len(self._sent) / self._count

    @property
    def count(self) -> int:
        """The limit as it is known by now."""
        return self._count

    def learn(self, count: int) -> None:
        """The provider told its limit."""
        with self._lock:
            self._count = max(1, count)

    def close(self, seconds: float) -> None:
        """The provider said: not before then."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._now() + seconds)

    def keep_for_deletes(self, seconds: float) -> None:
        """What a longer window has left is for what cannot wait."""
        with self._lock:
            self._scarce_until = max(self._scarce_until, self._now() + seconds)

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0] <= now - self._seconds:
            self._sent.popleft()
