"""One sandbox as the agent sees it; whatever is asked is done by a visitor inside it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brihaspati.adapters.bubblewrap import visits
from brihaspati_agent import places, ptys

_HANG_UP_SECONDS = 2


class Terminal(ptys.Master):
    """A program on a tty of the sandbox's own devpts."""

    def __init__(self, visit: visits.Visit, master: int) -> None:
        super().__init__(master)
        self._visit = visit

    def close(self) -> None:
        """Hang up: the kernel tells the program, and what ignores that is ended soon after."""
        if self.hang_up():
            threading.Thread(target=self._see_off, daemon=True).start()

    def _see_off(self) -> None:
        with self._visit, contextlib.suppress(subprocess.TimeoutExpired):
            self._visit.process.wait(_HANG_UP_SECONDS)


class Place:
    """One running sandbox. `pid` finds its first process and raises NoSuchMachine."""

    def __init__(self, pid: Callable[[], int], user: str, environment: Mapping[str, str]) -> None:
        self._pid = pid
        self._user = user
        self._environment = dict(environment)

    def _job(self, op: str, **more: Any) -> dict[str, Any]:
        return {"op": op, "pid": self._pid(), "environment": self._environment, **more}

    def terminal(self, command: Sequence[str] | None, columns: int, rows: int) -> places.Terminal:
        """See places.Place."""
        # A login shell's name begins with "-", by old custom.
        argv = list(command) if command else [f"-{self._environment['SHELL']}"]
        job = self._job("terminal", argv=argv, columns=columns, rows=rows)
        job["environment"] = {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | (
            self._environment
        )
        visit = visits.Visit(job)
        try:
            master = visit.descriptor()
        except BaseException:
            visit.__exit__()
            raise
        return Terminal(visit, master)

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_seconds: float = 30,
        output_bytes_max: int = 65536,
        user: str | None = None,
    ) -> places.Outcome:
        """See places.Place. A sandbox has one user id: root and its own user are the same."""
        if user not in {None, "root", self._user}:
            raise places.PlaceError(f"no such user: {user}")
        ends = time.monotonic() + timeout_seconds
        with visits.Visit(self._job("run", argv=list(argv)), streams=True) as visit:
            visit.answer()
            drain = visits.Drain(visit, stdin, output_bytes_max)
            in_time = drain.until(ends)
            if not in_time:
                visit.process.terminate()
                drain.until(time.monotonic() + 2)
            code = int(visit.answer()[0]["code"]) if in_time else -9
        return places.Outcome(
            code=code,
            output=bytes(drain.kept[0]),
            error=bytes(drain.kept[1]),
            timed_out=not in_time,
            truncated=drain.truncated,
        )

    def read(self, path: str, bytes_max: int) -> bytes:
        """See places.Place."""
        with visits.Visit(self._job("read", path=_absolute(path))) as visit:
            body, descriptor = visit.answer()
            assert descriptor is not None
            with os.fdopen(descriptor, "rb") as file:
                data = file.read(bytes_max + 1) if body["size"] <= bytes_max else None
        if data is None or len(data) > bytes_max:
            raise places.PlaceError(f"{path}: larger than {bytes_max} bytes")
        return data

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """See places.Place."""
        with visits.Visit(self._job("write", path=_absolute(path), mode=mode)) as visit:
            try:
                with os.fdopen(visit.descriptor(), "wb") as file:
                    file.write(data)
            except OSError as error:
                raise places.PlaceError(f"{path}: {error.strerror}") from error
            visit.channel.sendall(b"\n")
            visit.answer()

    def connect(self, port: int, *, timeout_seconds: float = 5) -> socket.socket:
        """See places.Place."""
        with visits.Visit(self._job("connect", port=port, seconds=timeout_seconds)) as visit:
            return socket.socket(fileno=visit.descriptor())


def _absolute(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise places.PlaceError(f"{path!r}: give an absolute path")
    return path
