"""Threads for what may take a minute: the scripts of labs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Aside:
    """Does things in threads of their own, so many at once, in no promised order.

    They hold up nothing, the end of the server neither: what is left undone then is only a check,
    and its student presses again.
    """

    def __init__(self, at_once: int) -> None:
        self._turns = threading.BoundedSemaphore(at_once)

    def __call__(self, call: Callable[[], None]) -> None:
        """Do it soon."""
        threading.Thread(target=self._do, args=(call,), name="aside", daemon=True).start()

    def _do(self, call: Callable[[], None]) -> None:
        with self._turns:
            try:
                call()
            except Exception:
                log.exception("the end of a script was not written down")
