"""The agent's WebSockets: `/agent/terminal`, `/agent/files` and `/agent/control`.

Terminal: the client's first message is text,
`{"ticket", "terminal", "columns", "rows", "since": seq or null, "epoch": text or null}`, and the
server answers `{"type": "hello", "terminal", "epoch", "seq", "resumed", "columns", "rows",
"viewers", "writer", "ended"}`. After that only binary frames, whose first byte says what they are:

| from | byte | then |
|---|---|---|
| client | 0x00 | input for the program |
| client | 0x01 | new size: columns, rows (two bytes each, big-endian) |
| client | 0x02 | all output before this sequence number is drawn (eight bytes) |
| client | 0x03 | ping, up to 16 bytes, which come back |
| client | 0x04 | end this program; only of one more shell (`main~2`) |
| server | 0x00 | output; its bytes are counted by sequence numbers |
| server | 0x01 | event, JSON: resize, viewers, ended, notice, skipped |
| server | 0x03 | the answer to a ping |
| server | 0x04 | repaint: to draw, not counted |

Files and control: the first message is `{"ticket"}`; then JSON text both ways, see `requests`,
`files` and `control`.
"""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from typing import Any

import aiofastnet
import picows
from picows import picows as picows_core

from brihaspati_agent import connections, control, files, terminals, viewers, wire

_BEFORE_HELLO_MAX = 64
# Larger frames are refused by the parser before they are read, with the standard code 1009.
FRAME_BYTES_MAX = 1024 * 1024 + 64

_parser_logger = logging.getLogger(f"{__name__}.parser")
_parser_logger.setLevel(logging.CRITICAL)  # what it reports is the client's fault, not news


class TerminalSocket(connections.Connection):
    """A browser's terminal; the outlet of one viewer."""

    _run: terminals.Run | None = None
    _viewer: viewers.Viewer | None = None
    _early: list[bytes] | None = None
    _name = ""

    async def first(self, message: dict[str, Any]) -> None:
        """Check the ticket, attach, and send what came in between."""
        visit = _visit(message)
        ticket = self.service.gate.admit(message["ticket"], "terminal", "watch")
        visitor = viewers.Visitor(ticket.name, "terminal" in ticket.may, *visit, ticket.user)
        name = message.get("terminal")
        if not isinstance(name, str):
            raise wire.Bad(wire.BAD_MESSAGE, "which terminal?")
        self.sandbox, self._name = ticket.sandbox, name
        self._run, self._viewer = await self.service.hub.attach(self, ticket, name, visitor)
        early, self._early = self._early or [], None
        for data in early:
            self._handle(data)

    def message(self, kind: picows.WSMsgType, data: bytes) -> None:
        """One binary frame of the client."""
        if kind != picows.WSMsgType.BINARY or not data:
            raise wire.Bad(wire.BAD_MESSAGE, "after the first message only binary frames")
        if self._viewer is not None:
            self._handle(data)
            return
        if self._early is None:
            self._early = []
        if len(self._early) >= _BEFORE_HELLO_MAX:
            raise wire.Bad(wire.TOO_FAST, "wait for the hello")
        self._early.append(data)

    def _handle(self, data: bytes) -> None:
        run, viewer = self._run, self._viewer
        assert run is not None
        assert viewer is not None
        opcode, body = data[0], data[1:]
        if opcode == wire.INPUT:
            run.type(viewer, body)
        elif opcode == wire.ACK:
            run.acknowledge(viewer, wire.seq(body))
        elif opcode == wire.RESIZE:
            size = wire.size(body)
            if viewer.visitor.writer:
                run.resize(viewer, *size)
        elif opcode == wire.PING and len(body) <= wire.PING_BYTES_MAX:
            self.frame(wire.PONG, body)
        elif opcode == wire.FINISH and self.sandbox is not None:
            if viewer.visitor.writer:
                self.service.hub.finish(self.sandbox, self._name, run)
        else:
            raise wire.Bad(wire.BAD_MESSAGE, "no such frame")

    def gone(self) -> None:
        """Leave the terminal; its program goes on."""
        if self._run is not None and self._viewer is not None:
            self._run.detach(self._viewer)
        self._run = self._viewer = None


def _visit(message: dict[str, Any]) -> tuple[int, int, int | None, str | None]:
    columns, rows = message.get("columns", 80), message.get("rows", 24)
    since, epoch = message.get("since"), message.get("epoch")
    if type(columns) is not int or type(rows) is not int:
        raise wire.Bad(wire.BAD_MESSAGE, "columns and rows are whole numbers")
    if since is not None and (type(since) is not int or since < 0):
        raise wire.Bad(wire.BAD_MESSAGE, "since is a sequence number or null")
    if epoch is not None and not isinstance(epoch, str):
        raise wire.Bad(wire.BAD_MESSAGE, "epoch is text or null")
    return (*wire.sane_size(columns, rows), since, epoch)


_PATHS: dict[str, type[connections.Connection]] = {
    "/agent/terminal": TerminalSocket,
    "/agent/files": files.FilesSocket,
    "/agent/control": control.ControlSocket,
}


class Sockets:
    """Accepts the agent's WebSockets and drops those whose other end has vanished."""

    def __init__(self, service: connections.Service) -> None:
        self._service = service
        self._open: weakref.WeakSet[connections.Connection] = weakref.WeakSet()
        self._timer: asyncio.TimerHandle | None = None

    def protocol(self) -> asyncio.BaseProtocol:
        """A protocol for one accepted TCP connection."""
        if self._timer is None:
            self._look_round_later()
        return websocket_protocol(self._listener)

    def close(self) -> None:
        """Cut every connection."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for connection in list(self._open):
            connection.drop()

    def _listener(self, request: picows.WSUpgradeRequest) -> picows.WSListener | None:
        path = request.path.split(b"?")[0].decode("latin-1")
        kind = _PATHS.get(path)
        if kind is None:
            return None
        connection = kind(self._service, welcome=self._may_come(request))
        self._open.add(connection)
        return connection

    def _may_come(self, request: picows.WSUpgradeRequest) -> bool:
        """A page must come from our portal; a program sends neither Origin nor Cookie."""
        origins = request.headers.getall("Origin", [])
        if not origins:
            return "Cookie" not in request.headers
        return len(origins) == 1 and self._service.origin_allowed(origins[0])

    def _look_round_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._service.look_round_seconds, self._look_round)

    def _look_round(self) -> None:
        self._timer = None
        now = time.monotonic()
        for connection in list(self._open):
            silent = now - connection.heard_at
            if silent > self._service.dead_seconds:
                connection.drop()
            elif silent > self._service.quiet_seconds:
                connection.ping()
        if self._open:
            self._look_round_later()


class _ParserLog(logging.LoggerAdapter[logging.Logger]):
    """Not a Logger, for picows makes a child of a Logger for every connection."""


def websocket_protocol(factory: Any) -> asyncio.BaseProtocol:
    """Picows' protocol, made as its own `ws_create_server` makes it (picows 2.3).

    picows has no public way to serve a socket that somebody else accepted; a test compares this
    call with the signature that the installed version has.
    """
    protocol: asyncio.BaseProtocol = picows_core.WSProtocol(  # type: ignore[attr-defined]
        None,  # host and port: a client's
        None,  # path: a client's
        False,  # is_client_side  # noqa: FBT003
        factory,
        _ParserLog(_parser_logger, {}),
        True,  # disconnect_on_exception  # noqa: FBT003
        5,  # websocket_handshake_timeout, seconds
        False,  # enable_auto_ping: `_look_round` does it with one timer for all  # noqa: FBT003
        20,  # auto_ping_idle_timeout
        20,  # auto_ping_reply_timeout
        picows.WSAutoPingStrategy.PING_WHEN_IDLE,
        True,  # enable_auto_pong  # noqa: FBT003
        FRAME_BYTES_MAX,
        None,  # extra_headers: a client's
        2048,  # read_buffer_init_size: a terminal mostly receives keystrokes
    )
    return protocol


async def serve_accepted(sockets: Sockets, accepted: Any) -> None:
    """Serve one accepted TCP socket.

    With aiofastnet's transport, as picows does itself: frames of more than 8 KiB are sent from
    a buffer that picows uses again, and uvloop's own transport would read it too late.
    """
    loop = asyncio.get_running_loop()
    await aiofastnet.connect_accepted_socket(loop, sockets.protocol, accepted)
