"""Threads for the engine's effects: side by side while somebody waits, or in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

log = logging.getLogger(__name__)


class Crew:
    """A pool of threads; `together` and `soon` are what the engine's `World` asks for."""

    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, "effects")

    def together(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Do all of them, side by side; their results in order."""
        return [future.result() for future in [self._threads.submit(call) for call in calls]]

    def soon(self, call: Callable[[], None]) -> None:
        """Do it in the background; a fault is told, and left to the next sweep."""
        self._threads.submit(_told, call)

    def dismiss(self) -> None:
        """Take no more."""
        self._threads.shutdown(wait=False)


def _told(call: Callable[[], None]) -> None:
    try:
        call()
    except Exception:
        log.exception("left to the next sweep")
