"""The terminal's WebSocket, `/agent/terminal`, and what is said on it.

The client's first message is text,
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
"""

from __future__ import annotations

from typing import Any

from brihaspati_agent import connections, terminals, viewers, wire
from brihaspati_agent.framing import WSMsgType

_BEFORE_HELLO_MAX = 64


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

    def message(self, kind: WSMsgType, data: bytes) -> None:
        """One binary frame of the client."""
        if kind != WSMsgType.BINARY or not data:
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
