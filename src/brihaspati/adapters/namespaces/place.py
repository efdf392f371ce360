"""A lab as the agent sees it: terminals, commands, files, ports (`brihaspati_agent.places`)."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import time
from collections.abc import Sequence
from typing import Any

from brihaspati.adapters.namespaces import client
from brihaspati_agent import places, ptys

_ANSWER_SECONDS = 15.0
_LEFTOVER_SECONDS = 0.1
_CHUNK = 65536
_KILLED = -9


class Terminal(ptys.Master):
    """A program on a tty of the lab; we hold the tty's other end."""

    def close(self) -> None:
        """Hang up; safe to repeat."""
        self.hang_up()


class Place:
    """One lab, by its label."""

    def __init__(self, keeper: client.Client, label: str) -> None:
        self._keeper = keeper
        self._label = label

    def terminal(self, command: Sequence[str] | None, columns: int, rows: int) -> Terminal:
        """Start a program on a tty of the lab's own. Raises PlaceError, NoSuchMachine."""
        what = {"command": None if command is None else list(command), "size": [columns, rows]}
        _, fds = self._ask("terminal", what)
        return Terminal(fds[0])

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_seconds: float = 30,
        output_bytes_max: int = 65536,
        user: str | None = None,
    ) -> places.Outcome:
        """Run a command to its end, at most the time. Raises PlaceError, NoSuchMachine."""
        deadline = time.monotonic() + timeout_seconds
        line, _, fds = self._begin("exec", {"argv": list(argv), "user": user})
        try:
            return _Running(line, fds, stdin, output_bytes_max).outcome(deadline)
        finally:
            line.close()

    def read(self, path: str, bytes_max: int) -> bytes:
        """A regular file, read as the machine's own user. Raises PlaceError, NoSuchMachine."""
        answer, fds = self._ask("read", {"path": _absolute(path)})
        with os.fdopen(fds[0], "rb") as file:
            data = file.read(bytes_max + 1) if answer["size"] <= bytes_max else None
        if data is None or len(data) > bytes_max:
            raise places.PlaceError(f"{path} is larger than {bytes_max} bytes")
        return data

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Replace a file as the machine's own user. Raises PlaceError, NoSuchMachine."""
        self._ask("write", {"path": _absolute(path), "mode": mode & 0o777}, data)

    def connect(self, port: int, *, timeout_seconds: float = 5) -> socket.socket:
        """Connect to a server in the lab. Raises PlaceError, NoSuchMachine."""
        _, fds = self._ask("socket", {})
        connection = socket.socket(fileno=fds[0])
        try:
            connection.settimeout(timeout_seconds)
            connection.connect(("127.0.0.1", port))
        except (OSError, OverflowError) as problem:
            connection.close()
            raise places.PlaceError(f"nothing answers on port {port}: {problem}") from problem
        connection.settimeout(None)
        return connection

    def _begin(
        self, op: str, what: dict[str, Any], payload: bytes | None = None
    ) -> tuple[client.Line, dict[str, Any], list[int]]:
        """Ask, and take the first answer. Raises PlaceError, NoSuchMachine."""
        try:
            line, answer, fds = self._keeper.begin(
                {"op": op, "label": self._label, **what},
                payload=payload,
                timeout_seconds=_ANSWER_SECONDS,
            )
        except client.Unavailable as problem:
            raise places.NoSuchMachine(self._label) from problem
        except client.Lost as problem:
            raise places.PlaceError("the machine did not answer") from problem
        except OSError as problem:
            raise places.PlaceError(f"cannot ask the machine: {problem.strerror}") from problem
        if "ok" in answer:
            return line, answer, fds
        line.close()
        client.close_all(fds)
        text = str(answer.get("problem", "the machine did not answer"))
        raise (
            places.NoSuchMachine(text) if answer.get("kind") == "gone" else places.PlaceError(text)
        )

    def _ask(
        self, op: str, what: dict[str, Any], payload: bytes | None = None
    ) -> tuple[dict[str, Any], list[int]]:
        line, answer, fds = self._begin(op, what, payload)
        line.close()
        return answer, fds


def _absolute(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise places.PlaceError(f"not an absolute path: {path!r}")
    return path


class _Running:
    """A command's three pipes and the line on which its end is told."""

    def __init__(self, line: client.Line, fds: list[int], stdin: bytes, bytes_max: int) -> None:
        self._line = line
        self._input, self._output, self._error = fds
        self._stdin = memoryview(stdin)
        self._bytes_max = bytes_max
        self._got = {self._output: bytearray(), self._error: bytearray()}
        self._truncated = False
        self._code: int | None = None
        self._selector = selectors.DefaultSelector()
        for fd in fds:
            os.set_blocking(fd, False)

    def outcome(self, deadline: float) -> places.Outcome:
        """Feed, read and wait until the end, or the deadline (a moment of time.monotonic)."""
        self._selector.register(self._input, selectors.EVENT_WRITE, self._feed)
        for fd in self._got:
            self._selector.register(fd, selectors.EVENT_READ, self._take)
        self._selector.register(self._line.fileno(), selectors.EVENT_READ, self._hear)
        try:
            late = self._until(deadline)
        finally:
            for fd in (self._input, self._output, self._error):
                self._close(fd)
            self._selector.close()
        return places.Outcome(
            code=_KILLED if self._code is None else self._code,
            output=bytes(self._got[self._output]),
            error=bytes(self._got[self._error]),
            timed_out=late,
            truncated=self._truncated,
        )

    def _until(self, deadline: float) -> bool:
        """True when the deadline came first."""
        while self._code is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return True
            self._turn(left)
        # What it wrote is in the pipes; a child in the background may keep them open for ever.
        end = min(deadline, time.monotonic() + _LEFTOVER_SECONDS)
        while self._reading() and time.monotonic() < end:
            if not self._turn(0):
                break
        return False

    def _reading(self) -> bool:
        return any(fd in self._selector.get_map() for fd in self._got)

    def _turn(self, seconds: float) -> bool:
        ready = self._selector.select(seconds)
        for key, _ in ready:
            key.data(key.fd)
        return bool(ready)

    def _close(self, fd: int) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(fd)
            os.close(fd)

    def _feed(self, fd: int) -> None:
        try:
            written = os.write(fd, self._stdin[:_CHUNK]) if self._stdin else 0
        except BlockingIOError:
            return
        except OSError:
            self._close(fd)  # it does not read any more, which is its right
            return
        self._stdin = self._stdin[written:]
        if not self._stdin:
            self._close(fd)

    def _take(self, fd: int) -> None:
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._close(fd)
            return
        room = self._bytes_max - len(self._got[fd])
        self._truncated |= len(data) > room
        self._got[fd] += data[: max(room, 0)]

    def _hear(self, fd: int) -> None:
        self._selector.unregister(fd)
        try:
            answer, fds = self._line.answer(_ANSWER_SECONDS)
        except client.Lost as problem:
            raise places.PlaceError("the machine ended") from problem
        client.close_all(fds)
        self._code = int(answer.get("exit", _KILLED))
