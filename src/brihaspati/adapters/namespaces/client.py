"""The server's line to the keeper: find it or start it, ask, and take answers from many threads."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import brihaspati
from brihaspati.adapters.namespaces import wire

_START_SECONDS_MAX = 15.0
_RETRY_SECONDS = 0.02
_PROBLEM_MAX = 4096
_KEEPER = "brihaspati.adapters.namespaces.keeper"


class Unavailable(Exception):  # noqa: N818
    """There is no keeper and none can be started; the text says why."""


class Lost(Exception):  # noqa: N818
    """The keeper went away, or did not answer in time, after it was asked."""


class HungUp(Lost):
    """The keeper ended before it answered; it may have done what it was asked."""


class Line:
    """The end on which one request is answered. Close it: the keeper notices."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def fileno(self) -> int:
        """For waiting on."""
        return self._line.fileno()

    def answer(self, timeout_seconds: float | None) -> tuple[dict[str, Any], list[int]]:
        """The next answer and its descriptors. Raises Lost."""
        self._line.settimeout(timeout_seconds)
        try:
            got = wire.receive(self._line)
        except (OSError, wire.Broken) as problem:
            raise Lost(f"the keeper of labs did not answer: {problem}") from problem
        if got is None:
            raise HungUp("the keeper of labs hung up")
        return got

    def say(self, message: dict[str, Any]) -> None:
        """Go on with the request. Raises Lost."""
        try:
            wire.send(self._line, message)
        except OSError as problem:
            raise Lost(f"the keeper of labs hung up: {problem}") from problem

    def close(self) -> None:
        """Hang up; safe to repeat."""
        self._line.close()


class Client:
    """One connection to the keeper of a folder, shared by all threads."""

    def __init__(self, folder: Path, orphan_seconds: float) -> None:
        self._folder = folder.absolute()
        self._orphan_seconds = orphan_seconds
        self._connection: socket.socket | None = None
        self._mourned: socket.socket | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Connect, starting a keeper if there is none. Raises Unavailable."""
        self._connected()

    def close(self) -> None:
        """Hang up. The keeper goes on for a while."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def has_ended(self) -> bool:
        """Whether the keeper we are connected to has ended; said once."""
        with self._lock:
            connection = self._connection
            if connection is None or connection is self._mourned:
                return False
            line = select.poll()
            line.register(connection, select.POLLHUP)
            if line.poll(0):
                self._mourned = connection
            return self._mourned is connection

    def begin(
        self, message: dict[str, Any], *, payload: bytes | None = None, timeout_seconds: float = 15
    ) -> tuple[Line, dict[str, Any], list[int]]:
        """Request and first answer with its descriptors, and the line for what follows.

        A keeper about to end does nothing more: then its successor is asked.
        Raises Unavailable, Lost, OSError.
        """
        deadline = time.monotonic() + _START_SECONDS_MAX
        while True:
            line = self._open(message, payload)
            try:
                answer, fds = line.answer(timeout_seconds)
            except BaseException:
                line.close()
                raise
            if answer.get("kind") != "ending":
                return line, answer, fds
            line.close()
            if time.monotonic() > deadline:
                raise Unavailable("the keeper of labs is ending, and has been for too long")
            time.sleep(_RETRY_SECONDS)
            self.close()

    def shut_down(self, timeout_seconds: float) -> None:
        """End all labs and the keeper, and wait for that. Raises Unavailable, Lost, OSError."""
        line, _, _ = self.begin({"op": "shutdown"}, timeout_seconds=timeout_seconds)
        with contextlib.closing(line), contextlib.suppress(HungUp):
            line.answer(timeout_seconds)

    def _open(self, message: dict[str, Any], payload: bytes | None) -> Line:
        mine, its = wire.pair()
        fds = [its.fileno()]
        try:
            if payload is not None:
                fds.append(wire.payload(payload))
            self._send(message, fds)
        except BaseException:
            mine.close()
            raise
        finally:
            its.close()
            for fd in fds[1:]:
                os.close(fd)
        return Line(mine)

    def ask(
        self, message: dict[str, Any], *, timeout_seconds: float = 15
    ) -> tuple[dict[str, Any], list[int]]:
        """Request and only answer, of what is safe to repeat. Raises Unavailable, Lost, OSError."""
        try:
            line, answer, fds = self.begin(message, timeout_seconds=timeout_seconds)
        except HungUp:
            line, answer, fds = self.begin(message, timeout_seconds=timeout_seconds)
        line.close()
        return answer, fds

    def _send(self, message: dict[str, Any], fds: list[int]) -> None:
        connection = self._connected()
        try:
            wire.send(connection, message, fds)
        except (BrokenPipeError, ConnectionError, OSError) as problem:
            if isinstance(problem, OSError) and not _is_dead(problem):
                raise
            # Nothing was delivered, so asking another keeper is no repetition.
            self._drop(connection)
            wire.send(self._connected(), message, fds)

    def _drop(self, connection: socket.socket) -> None:
        with self._lock:
            if self._connection is connection:
                connection.close()
                self._connection = None

    def _connected(self) -> socket.socket:
        with self._lock:
            if self._connection is None:
                self._connection = self._connect()
            return self._connection

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + _START_SECONDS_MAX
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            connection = self._try_connect()
            if connection is not None:
                return connection
            self._spawn(deadline)
            connection = self._try_connect()
            if connection is not None:
                return connection
            # Another keeper holds the folder: just starting, or just ending.
            if time.monotonic() > deadline:
                raise Unavailable(f"the keeper of labs in {self._folder} does not answer")
            time.sleep(_RETRY_SECONDS)

    def _try_connect(self) -> socket.socket | None:
        at = wire.open_folder(self._folder)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            connection.connect(wire.address(at))
        except OSError:
            connection.close()
            return None
        finally:
            os.close(at)
        return connection

    def _spawn(self, deadline: float) -> None:
        """Start a keeper and wait until it listens, or ends because there is one already."""
        ready, its = os.pipe()
        try:
            root = str(Path(brihaspati.__file__).resolve().parent.parent)
            folder, seconds = str(self._folder), str(self._orphan_seconds)
            path = os.environ.get("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            with (self._folder / "keeper.log").open("ab") as log:
                starter = subprocess.Popen(
                    [sys.executable, "-S", "-s", "-m", _KEEPER, folder, seconds, str(its)],
                    env={"PYTHONPATH": root, "PATH": path, "LANG": "C.UTF-8"},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(its,),
                )
            os.close(its)
            starter.wait()
            told = b""
            while not told.endswith(b"\n"):
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([ready], [], [], left)[0]:
                    break
                chunk = os.read(ready, _PROBLEM_MAX)
                if not chunk:
                    break
                told += chunk
        finally:
            os.close(ready)
        if told.strip():
            raise Unavailable(told.decode(errors="replace").strip())


def _is_dead(problem: OSError) -> bool:
    return isinstance(problem, BrokenPipeError | ConnectionResetError | ConnectionRefusedError) or (
        problem.errno == 9  # another thread found it dead first
    )


def close_all(fds: list[int]) -> None:
    """Close descriptors that came with an answer nobody wants."""
    for fd in fds:
        with contextlib.suppress(OSError):
            os.close(fd)
