"""Requests that wait: `Prefer: wait=5` (RFC 7240) asks for the answer once nothing is under way."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping

from brihaspati.domain.sandboxes import Phase, Sandbox

WAIT_SECONDS_MAX = 30
SETTLED_REMEMBERED = 4096
UNDER_WAY: frozenset[Phase] = frozenset({"queued", "starting", "stopping"})
_WAIT = re.compile(r"\bwait\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


def seconds_wanted(headers: Mapping[str, str]) -> float:
    """How long the client would wait for a better answer; 0 when it did not say."""
    found = _WAIT.search(headers.get("prefer", ""))
    return min(int(found[1]), WAIT_SECONDS_MAX) if found else 0


class Bell:
    """Wakes requests when their sandbox has settled: ready, failed or gone.

    `rung` may be called from any thread, the rest on the loop's.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._settled: dict[str, None] = {}  # in the order it happened; the latest are enough
        self._loop: asyncio.AbstractEventLoop | None = None

    def serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on there is a loop, in which somebody may wait."""
        self._loop = loop

    def rung(self, sandbox: Sandbox) -> None:
        """A sandbox was saved. Before there is a loop, and after it closed, nobody waits."""
        self._settled.pop(sandbox.id, None)
        if sandbox.phase in UNDER_WAY or self._loop is None:
            return
        self._settled[sandbox.id] = None
        if len(self._settled) > SETTLED_REMEMBERED:
            self._settled.pop(next(iter(self._settled)), None)
        # Noted first, asked then; who comes to wait does it the other way round: none is missed.
        if sandbox.id in self._waiting:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                self._loop.call_soon_threadsafe(self._wake, sandbox.id)

    def waiting(self, sandbox: str) -> asyncio.Future[None]:
        """Done when the sandbox has settled. Give it back with `leave`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(sandbox, set()).add(future)
        if sandbox in self._settled:
            future.set_result(None)
        return future

    def leave(self, sandbox: str, future: asyncio.Future[None]) -> None:
        """Wait no more."""
        others = self._waiting.get(sandbox, set())
        others.discard(future)
        if not others:
            self._waiting.pop(sandbox, None)

    def _wake(self, sandbox: str) -> None:
        for future in self._waiting.get(sandbox, ()):
            if not future.done():
                future.set_result(None)
