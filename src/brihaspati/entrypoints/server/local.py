"""The local server: one port, one process. Door, agent, API, web page, workers and clock."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import uvloop

from brihaspati.entrypoints.server.front import Front
from brihaspati.entrypoints.server.loops import Loops
from brihaspati.entrypoints.server.parts import Parts

SAID = "server.json"
HEALTH_SECONDS_MAX = 2
WORKERS = 8


def running_at(data: Path) -> str | None:
    """The address of the server that works on this data folder and answers, or None."""
    try:
        address = str(json.loads((data / SAID).read_text())["address"])
        with urllib.request.urlopen(f"{address}/v1/health", timeout=HEALTH_SECONDS_MAX) as answer:  # noqa: S310 - an address we wrote ourselves
            return address if answer.status == 200 else None
    except (OSError, ValueError, KeyError):
        return None


class LocalServer:
    """Serves until told to end. `address` is known once it is ready."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.address = ""
        self._loops = Loops(
            parts.engine,
            parts.queue,
            parts.timer,
            parts.tidy,
            has_lost_labs=parts.has_lost_labs,
        )
        self._over: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, ready: Callable[[], None]) -> None:
        """Serve in this thread until SIGINT or SIGTERM. Raises OSError when the port is taken."""
        uvloop.run(self._serve(ready, signals=True))

    @contextlib.contextmanager
    def in_background(self) -> Iterator[None]:
        """Serve in a thread of its own while the context lasts. Raises OSError."""
        ready = threading.Event()
        faults: list[BaseException] = []

        def serve() -> None:
            try:
                uvloop.run(self._serve(ready.set, signals=False))
            except BaseException as fault:  # noqa: BLE001 - handed to the thread that waits
                faults.append(fault)
                ready.set()

        thread = threading.Thread(target=serve, name="server")
        thread.start()
        ready.wait()
        try:
            if faults:
                raise faults[0]
            yield
        finally:
            self.end()
            thread.join()

    def end(self) -> None:
        """Ask the server to end; from any thread, and repeatable."""
        if self._loop is not None and self._over is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._over.set)

    async def _serve(self, ready: Callable[[], None], *, signals: bool) -> None:
        parts = self.parts
        loop = self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        if signals:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self._over.set)
        front = Front(parts)
        self.address = front.open()
        parts.agents.serve(front.hub, loop)
        parts.bell.serve(loop)
        self._loops.start(WORKERS)
        said = {"address": self.address, "pid": os.getpid(), "code": parts.code}
        _write(parts.data / SAID, json.dumps(said))
        # All made so far stays: looking through it again and again would stop every request.
        gc.collect()
        gc.freeze()
        try:
            ready()
            await self._over.wait()
        finally:
            (parts.data / SAID).unlink(missing_ok=True)
            front.shut()
            await loop.run_in_executor(None, self._loops.stop)
            await front.close()


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)
