"""A program's WebSocket to an agent: blocking, and of one thread.

`websockets`' own blocking client reads in a thread beside the one that writes. OpenSSL does not
allow that of one TLS connection: of about a hundred connections one lost its request while the
server's session tickets came in (Python 3.11, OpenSSL 3.0). Its parts would also stay in memory.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from websockets.client import ClientProtocol
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Origin
from websockets.uri import parse_uri

_PIECE_BYTES = 16 * 1024
_MESSAGE_BYTES_MAX = 1024 * 1024
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


@dataclass(frozen=True, slots=True)
class Call:
    """Whom to call: an address, by the name of its certificate (`tls` None: without one)."""

    address: tuple[str, int]
    host: str
    path: str
    tls: ssl.SSLContext | None
    origin: str | None = None

    def protocol(self) -> ClientProtocol:
        """What is to be said."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "ws" if self.tls is None else "wss"
        url = parse_uri(f"{scheme}://{shown}:{self.address[1]}{self.path}")
        origin = None if self.origin is None else Origin(self.origin)
        return ClientProtocol(url, origin=origin, max_size=_MESSAGE_BYTES_MAX)


@contextlib.contextmanager
def dial(call: Call, seconds_max: float) -> Iterator[Line]:
    """An open WebSocket for a while. Raises OSError, also where `websockets` has its own errors."""
    try:
        with socket.create_connection(call.address, seconds_max) as plain:
            wrap = None if call.tls is None else call.tls.wrap_socket
            with plain if wrap is None else wrap(plain, server_hostname=call.host) as there:
                line = Line(there, call.protocol())
                line.open(seconds_max)
                yield line
                line.close()
    except WebSocketException as error:
        raise OSError(str(error)) from error


class Line:
    """An open WebSocket, for one thread."""

    def __init__(self, there: socket.socket, protocol: ClientProtocol) -> None:
        self._there = there
        self._protocol = protocol
        self._come: deque[Frame] = deque()

    def open(self, seconds: float) -> None:
        """Ask for it. Raises OSError, WebSocketException."""
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        ends = time.monotonic() + seconds
        while self._protocol.state is State.CONNECTING and self._protocol.handshake_exc is None:
            self._take(ends)
        if self._protocol.handshake_exc is not None:
            raise self._protocol.handshake_exc

    def send(self, data: str | bytes) -> None:
        """A message: text or binary. Raises OSError, WebSocketException."""
        if self._protocol.state is not State.OPEN:
            raise OSError(self._ended())
        if isinstance(data, str):
            self._protocol.send_text(data.encode())
        else:
            self._protocol.send_binary(data)
        self._flush()

    def recv(self, seconds: float) -> str | bytes:
        """The next message. Raises OSError: none came in time, or the line ended and says why."""
        ends = time.monotonic() + seconds
        pieces: list[Frame] = []
        while not pieces or not pieces[-1].fin:
            while not self._come:
                self._take(ends)
            frame = self._come.popleft()
            if frame.opcode is Opcode.CLOSE:
                raise OSError(self._ended())
            if frame.opcode in _DATA:
                pieces.append(frame)
        data = b"".join(bytes(piece.data) for piece in pieces)
        return data.decode() if pieces[0].opcode is Opcode.TEXT else data

    def close(self) -> None:
        """Say goodbye; nobody waits for the answer."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            with contextlib.suppress(OSError):
                self._flush()

    def _take(self, ends: float) -> None:
        """Wait for what comes next, until a moment of the steady clock."""
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self._there.settimeout(left)
        data = self._there.recv(_PIECE_BYTES)
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        self._flush()
        events = self._protocol.events_received()
        self._come.extend(event for event in events if isinstance(event, Frame))
        if not data and not self._come and self._protocol.handshake_exc is None:
            raise OSError(self._ended())

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._there.sendall(data)

    def _ended(self) -> str:
        said = self._protocol.close_rcvd
        why = f"{said.code} {said.reason}" if said is not None else "without a word"
        return f"the line ended: {why}"
