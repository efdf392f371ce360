"""Starting `enter.py`, talking to it, and draining a command's streams within bounds."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self

from brihaspati_agent import places

_PROGRAM = str(Path(__file__).with_name("enter.py"))
_ANSWER_SECONDS_MAX = 15
_LINGER_SECONDS = 0.3


class Visit:
    """One running `enter.py`; a context that ends it."""

    def __init__(self, job: Mapping[str, Any], *, streams: bool = False) -> None:
        near, far = socket.socketpair()
        pipe = subprocess.PIPE if streams else subprocess.DEVNULL
        with far:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", _PROGRAM, str(far.fileno())],
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                pass_fds=[far.fileno()],
                env={},
                cwd="/",
                start_new_session=True,
            )
        self.channel = near
        near.settimeout(_ANSWER_SECONDS_MAX)
        self._said = bytearray()
        with contextlib.suppress(OSError):
            near.sendall(json.dumps(job).encode() + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def answer(self) -> tuple[dict[str, Any], int | None]:
        """The next line and the descriptor with it. Raises NoSuchMachine or PlaceError."""
        descriptor: int | None = None
        while b"\n" not in self._said:
            try:
                piece, fds, _, _ = socket.recv_fds(self.channel, 65536, 1)
            except OSError as error:
                raise places.PlaceError("the machine does not answer") from error
            descriptor = fds[0] if fds else descriptor
            if not piece:
                raise places.PlaceError("the machine went away meanwhile")
            self._said += piece
        line, _, rest = bytes(self._said).partition(b"\n")
        self._said = bytearray(rest)
        body: dict[str, Any] = json.loads(line)
        if body.get("problem") == "gone":
            raise places.NoSuchMachine("this machine is gone")
        if "problem" in body:
            raise places.PlaceError(str(body["problem"]))
        return body, descriptor

    def descriptor(self) -> int:
        """The descriptor of the next answer."""
        found = self.answer()[1]
        if found is None:
            raise places.PlaceError("the machine gave no descriptor")
        return found


class Drain:
    """A command's three streams: feeds one, keeps a bounded part of the others."""

    def __init__(self, visit: Visit, stdin: bytes, bytes_max: int) -> None:
        assert visit.process.stdin is not None
        assert visit.process.stdout is not None
        assert visit.process.stderr is not None
        self._visit = visit
        self._waiting = memoryview(stdin)
        self._bytes_max = bytes_max
        self._stdin: IO[bytes] = visit.process.stdin
        self._outputs = {visit.process.stdout.fileno(): 0, visit.process.stderr.fileno(): 1}
        self.kept = (bytearray(), bytearray())
        self.truncated = False
        self._poll = select.poll()
        for fd in self._outputs:
            self._poll.register(fd, select.POLLIN)
        if self._waiting:
            os.set_blocking(self._stdin.fileno(), False)
            self._poll.register(self._stdin.fileno(), select.POLLOUT)
        else:
            self._stdin.close()

    def until(self, ends: float) -> bool:
        """Drain until the command has ended (True) or time is up (False)."""
        while (left := ends - time.monotonic()) > 0:
            if not self._outputs:
                return self._ended(ends)
            ready = self._poll.poll(min(left, _LINGER_SECONDS) * 1000)
            # A child in the background may hold the streams after the command itself has ended.
            if not ready and self._visit.process.poll() is not None:
                return True
            for fd, _ in ready:
                if fd not in self._outputs:
                    self._feed()
                elif not self._take(fd):
                    self._poll.unregister(fd)
                    del self._outputs[fd]
        return False

    def _ended(self, ends: float) -> bool:
        try:
            self._visit.process.wait(max(0.0, ends - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _feed(self) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                sent = os.write(self._stdin.fileno(), self._waiting[:65536])
                self._waiting = self._waiting[sent:]
            except OSError:
                self._waiting = self._waiting[:0]  # it does not read on; that is its right
        if not self._waiting:
            self._poll.unregister(self._stdin.fileno())
            self._stdin.close()

    def _take(self, fd: int) -> bool:
        piece = os.read(fd, 65536)
        into = self.kept[self._outputs[fd]]
        room = self._bytes_max - len(into)
        into += piece[: max(0, room)]
        self.truncated |= len(piece) > room
        return bool(piece)
