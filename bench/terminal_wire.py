"""Clients for bench.terminal: the same loop over three protocols, as little Python as possible."""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import time
from collections.abc import Iterator

_PIECE_BYTES = 256 * 1024
_ACK_BYTES = 32 * 1024
_PATIENCE_SECONDS = 30
_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
)


class Raw:
    """The floor: bytes on a TCP socket. `seq` counts the output received."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.seq = 0

    def type(self, data: bytes) -> None:
        """Send input."""
        self.socket.sendall(data)

    def receive(self) -> list[bytes]:
        """Pieces of output, at least one byte received; raises EOFError at the end."""
        data = self.socket.recv(_PIECE_BYTES)
        if not data:
            raise EOFError("the server closed the connection")
        pieces = list(self._output(data))
        self.seq += sum(map(len, pieces))
        return pieces

    def _output(self, data: bytes) -> Iterator[bytes]:
        yield data

    def drawn(self, seq: int) -> None:
        """Tell the server what has been drawn, where it wants to know."""

    def ready(self, seconds: float) -> bool:
        """Whether something can be received within the time."""
        return bool(select.select([self.socket], [], [], seconds)[0])

    def until(self, wanted: bytes) -> bytes:
        """All output up to and with some bytes."""
        seen = b""
        while wanted not in seen:
            seen += b"".join(self.receive())
            self.drawn(self.seq)
        return seen

    def take(self, count: int) -> None:
        """Receive so many bytes of output more, drawing them at once."""
        wanted = self.seq + count
        told = self.seq
        while self.seq < wanted:
            self.receive()
            if self.seq - told >= _ACK_BYTES:
                told = self.seq
                self.drawn(told)
        self.drawn(self.seq)

    def close(self) -> None:
        """Leave."""
        self.socket.close()


class _WebSocket(Raw):
    """Frames of a server: what `outputs` lists as first bytes of a payload is output."""

    outputs: frozenset[int] = frozenset()

    def __init__(self, port: int, path: str, more: str = "") -> None:
        super().__init__(port)
        self.socket.sendall(_HANDSHAKE.format(path=path, port=port, more=more).encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.socket.recv(4096)
        if b" 101 " not in head:
            raise ConnectionError(head.decode("latin-1"))
        self._rest = head.partition(b"\r\n\r\n")[2]
        self._left = 0
        self._counts = False

    def send(self, data: bytes, opcode: int = 2) -> None:
        """One masked frame; the mask is zero, which a server must take like any other."""
        size = len(data)
        if size < 126:
            head = struct.pack(">BB", 0x80 | opcode, 0x80 | size)
        else:
            head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, size)
        self.socket.sendall(head + b"\0\0\0\0" + data)

    def _output(self, data: bytes) -> Iterator[bytes]:
        data, self._rest = self._rest + data, b""
        place, end = 0, len(data)
        while place < end:
            if not self._left:
                size = data[place + 1] & 127 if place + 1 < end else 0
                head = 2 if size < 126 else 4 if size == 126 else 10
                if place + head + 1 > end:
                    self._rest = data[place:]
                    return
                if size == 126:
                    size = struct.unpack_from(">H", data, place + 2)[0]
                elif size == 127:
                    size = struct.unpack_from(">Q", data, place + 2)[0]
                if data[place] & 15 == 8:
                    raise EOFError(data[place + head + 2 : place + head + size].decode())
                self._counts = data[place] & 15 != 9 and data[place + head] in self.outputs
                self._left = size - 1
                place += head + 1
            taken = min(self._left, end - place)
            if self._counts and taken:
                yield data[place : place + taken]
            self._left -= taken
            place += taken


class Agent(_WebSocket):
    """Our agent."""

    outputs = frozenset((0,))

    def __init__(self, port: int, ticket: str) -> None:
        super().__init__(port, "/agent/terminal")
        hello = {"ticket": ticket, "terminal": "main", "columns": 80, "rows": 24}
        self.send(json.dumps(hello).encode(), opcode=1)
        self._base: int | None = None
        self._told = 0

    def repainted(self, wanted: bytes) -> bytes:
        """What the screen shows, repaints and output together, up to some bytes."""
        self.outputs = frozenset((0, 4))
        return self.until(wanted)

    def type(self, data: bytes) -> None:
        """Send input."""
        self.send(b"\x00" + data)

    def drawn(self, seq: int) -> None:
        """Acknowledge; a client that begins later counts from where it began."""
        if self.outputs == Agent.outputs:
            self.send(b"\x02" + seq.to_bytes(8, "big"))


class Ttyd(_WebSocket):
    """ttyd, read as fast as it sends."""

    outputs = frozenset(b"0")

    def __init__(self, port: int) -> None:
        super().__init__(port, "/ws", "Sec-WebSocket-Protocol: tty\r\n")
        self.send(json.dumps({"AuthToken": "", "columns": 80, "rows": 24}).encode(), opcode=1)

    def type(self, data: bytes) -> None:
        """Send input."""
        self.send(b"0" + data)


def resident_bytes(pid: int) -> int:
    """Memory of a process."""
    with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123 - a file of the kernel
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def now() -> float:
    """Seconds that only grow."""
    return time.perf_counter()
