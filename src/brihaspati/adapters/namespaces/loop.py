"""One thread waiting for everything: descriptors, ended children, moments."""

from __future__ import annotations

import heapq
import itertools
import os
import selectors
import signal
import time
import traceback
from collections.abc import Callable
from functools import partial

Act = Callable[[], None]
_READ = selectors.EVENT_READ


class Loop:
    """Calls back when a descriptor is readable, a child ended, a time has come."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, Callable[[int], None]] = {}
        self._moments: list[tuple[float, int, Act]] = []
        self._order = itertools.count()
        self._stopped = False
        waker, self._woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(waker, _READ, lambda: self._ended(waker))
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def watch(self, fd: int, act: Act) -> None:
        """Call `act` whenever the descriptor is readable or closed at its other end."""
        self._selector.register(fd, _READ, act)

    def forget(self, fd: int) -> None:
        """Stop watching; fine if we never did."""
        try:
            self._selector.unregister(fd)
        except KeyError:
            return

    def on_exit(self, pid: int, act: Callable[[int], None]) -> None:
        """Call `act` with the wait status when this child has ended. It may not be ours yet."""
        self._children[pid] = act

    def after(self, seconds: float, act: Act) -> None:
        """Call `act` once, later."""
        heapq.heappush(self._moments, (time.monotonic() + seconds, next(self._order), act))

    def stop(self) -> None:
        """Let `run` return."""
        self._stopped = True

    def run(self) -> None:
        """Wait and call back until stopped."""
        while not self._stopped:
            self._turn()

    def _turn(self) -> None:
        wait = None
        if self._moments:
            wait = max(0.0, self._moments[0][0] - time.monotonic())
        self._hear(wait)
        while self._moments and self._moments[0][0] <= time.monotonic():
            _survive(heapq.heappop(self._moments)[2])

    def _hear(self, wait: float | None) -> None:
        for key, _ in self._selector.select(wait):
            if key.fd in self._selector.get_map():
                _survive(key.data)

    def _ended(self, waker: int) -> None:
        try:
            while os.read(waker, 512):
                pass
        except BlockingIOError:
            pass
        self.after(0, self._reap)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            act = self._children.pop(pid, None)
            # What it said, or what was said of it, before it ended is heard first.
            self._hear(0)
            act = act or self._children.pop(pid, None)
            if act is not None:
                _survive(partial(act, status))


def _survive(act: Act) -> None:
    """Every lab hangs on this process: a fault in one act must not end the others."""
    try:
        act()
    except Exception:  # noqa: BLE001
        traceback.print_exc()
