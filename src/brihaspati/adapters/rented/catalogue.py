"""Which size a lab's machine is, and what it costs: read hourly, never while people wait."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from brihaspati.adapters.rented.shapes import Size, Trouble
from brihaspati.domain import labs

KEPT_SECONDS = 3600.0
# What the system of a rented machine and the agent need beside the lab.
SYSTEM_MEMORY_MB = 256
SYSTEM_DISK_MB = 4096


class Catalogue:
    """The sizes of a region as last told; old news is better than none."""

    def __init__(self, fetch: Callable[[], list[Size]], now: Callable[[], float]) -> None:
        self._fetch = fetch
        self._now = now
        self._sizes: list[Size] = []
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Read anew what is older than an hour. Raises Trouble only if nothing is known."""
        with self._lock:
            if self._now() - self._read_at < KEPT_SECONDS:
                return
            try:
                sizes = self._fetch()
            except Trouble:
                if self._sizes:
                    return
                raise
            self._sizes = sorted(sizes, key=lambda size: (size.micros_per_hour, size.name))
            self._read_at = self._now()

    def fit(self, spec: labs.MachineSpec) -> Size | None:
        """The cheapest size with room for a machine and its system. Raises Trouble."""
        if not self._sizes:
            self.refresh()
        need = spec.resources
        for size in self._sizes:
            if (
                size.memory_mb >= need.memory_mb + SYSTEM_MEMORY_MB
                and size.cpus >= math.ceil(need.cpus)
                and size.disk_mb >= need.disk_mb + SYSTEM_DISK_MB
            ):
                return size
        return None
