"""The agent's WebSockets without compiled parts: `websockets`' protocol, without its own I/O."""

from __future__ import annotations

import asyncio
import contextlib
import http

from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.server import ServerProtocol

from brihaspati_agent import connections
from brihaspati_agent.framing import WSMsgType
from brihaspati_agent.reception import FRAME_BYTES_MAX, Reception

_HIGH_WATER_BYTES = 1024 * 1024
# What the protocol says when the other side has just said goodbye.
_GOING = (RuntimeError, InvalidState)


class _Line:
    """What a connection sends through; the part of picows' transport that it uses."""

    def __init__(self, protocol: ServerProtocol, transport: asyncio.Transport) -> None:
        self._protocol = protocol
        self._transport = transport

    def send(self, kind: WSMsgType, data: bytes) -> None:
        """A whole message."""
        with contextlib.suppress(*_GOING):
            if kind == WSMsgType.TEXT:
                self._protocol.send_text(data)
            else:
                self._protocol.send_binary(data)
        self.flush()

    def send_close(self, code: int, reason: bytes | None = None) -> None:
        """Say why we go."""
        with contextlib.suppress(*_GOING):
            self._protocol.send_close(code, (reason or b"").decode())
        self.flush()

    def send_ping(self) -> None:
        """Ask for a sign of life."""
        with contextlib.suppress(*_GOING):
            self._protocol.send_ping(b"")
        self.flush()

    def disconnect(self, graceful: bool = True) -> None:  # noqa: FBT001, FBT002 - picows' own
        """Go, after what was sent or at once."""
        if graceful:
            self._transport.close()
        else:
            self._transport.abort()

    def flush(self) -> None:
        """Pass on what there is to send."""
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)


class _Frame:
    """One frame, in picows' words."""

    def __init__(self, frame: Frame) -> None:
        self.msg_type = WSMsgType(int(frame.opcode))
        self.fin = frame.fin
        self.payload_size = len(frame.data)
        self._data = bytes(frame.data)

    def get_payload_as_bytes(self) -> bytes:
        """Its content."""
        return self._data

    def get_close_code(self) -> int:
        """What a closing frame says; 1000 when it says nothing."""
        return int.from_bytes(self._data[:2], "big") if len(self._data) >= 2 else 1000


class PlainSocket(asyncio.Protocol):
    """Serves one connection whose request is for the agent."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._protocol = ServerProtocol(max_size=FRAME_BYTES_MAX)
        self._transport: asyncio.Transport | None = None
        self._line: _Line | None = None
        self._connection: connections.Connection | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The other side is there."""
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)
        self._transport = transport
        self._line = _Line(self._protocol, transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of the handshake, or of frames."""
        assert self._line is not None
        assert self._transport is not None
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._open(event)
            elif self._connection is not None:
                self._connection.on_ws_frame(self._line, _Frame(event))  # type: ignore[arg-type]
        self._line.flush()
        if self._protocol.close_expected() and not self._transport.is_closing():
            self._transport.close()

    def eof_received(self) -> bool:
        """The other side says no more."""
        return False

    def connection_lost(self, exception: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """The connection ended."""
        if self._connection is not None:
            self._connection.on_ws_disconnected(self._line)  # type: ignore[arg-type]
            self._connection = None

    def _open(self, request: Request) -> None:
        assert self._line is not None
        headers = request.headers
        response = self._protocol.accept(request)
        found = None
        if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS:
            origins = headers.get_all("Origin")
            found = self._reception.welcome(request.path, origins, cookie="Cookie" in headers)
            if found is None:
                response = self._protocol.reject(http.HTTPStatus.NOT_FOUND, "Nothing here.\n")
        self._protocol.send_response(response)
        self._line.flush()
        if found is not None:
            self._connection = found
            self._reception.look_round()
            found.on_ws_connected(self._line)  # type: ignore[arg-type]
