"""Requests that wait: `Prefer: wait=5` (RFC 7240) asks for the answer once nothing is under way.

Under way is a sandbox that starts or stops, and a check or a solution that runs in it.
"""

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


def run_in(sandbox: str) -> str:
    """What to wait for until the scripts that run in a sandbox are done."""
    return f"{sandbox}/run"


class Bell:
    """Wakes requests when what they wait for has settled.

    That is a sandbox, by its id: ready, failed or gone; or what runs in one, by `run_in(id)`.
    `rung` and `checking` may be called from any thread, the rest on the loop's.
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
        self._note(sandbox.id, settled=sandbox.phase not in UNDER_WAY)

    def checking(self, sandbox: str, busy: bool) -> None:  # noqa: FBT001 - the world's signature
        """Checks of a sandbox began or ended."""
        self._note(run_in(sandbox), settled=not busy)

    def _note(self, what: str, *, settled: bool) -> None:
        self._settled.pop(what, None)
        if not settled or self._loop is None:
            return
        self._settled[what] = None
        if len(self._settled) > SETTLED_REMEMBERED:
            self._settled.pop(next(iter(self._settled)), None)
        # Noted first, asked then; who comes to wait does it the other way round: none is missed.
        if what in self._waiting:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                self._loop.call_soon_threadsafe(self._wake, what)

    def waiting(self, what: str) -> asyncio.Future[None]:
        """Done when it has settled. Give it back with `leave`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(what, set()).add(future)
        if what in self._settled:
            future.set_result(None)
        return future

    def leave(self, what: str, future: asyncio.Future[None]) -> None:
        """Wait no more."""
        others = self._waiting.get(what, set())
        others.discard(future)
        if not others:
            self._waiting.pop(what, None)

    def _wake(self, what: str) -> None:
        for future in self._waiting.get(what, ()):
            if not future.done():
                future.set_result(None)
