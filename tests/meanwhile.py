"""What somebody else does in the very moment between our reading and our writing."""

from __future__ import annotations

from collections.abc import Callable


class Meanwhile:
    """Faults of a memory store: before its next write, `then` happens once.

    `passing` is how many writes go by before. `writes` counts every one.
    """

    def __init__(self) -> None:
        self.then: Callable[[], object] | None = None
        self.passing = 0
        self.writes = 0

    def __call__(self, operation: str) -> None:
        """Called by the store with what it is asked."""
        if operation != "transact":
            return
        self.writes += 1
        if self.then is None:
            return
        if self.passing > 0:
            self.passing -= 1
            return
        then, self.then = self.then, None
        then()
