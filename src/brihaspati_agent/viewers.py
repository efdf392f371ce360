"""One browser that looks at a terminal: what it has been sent, and what it has drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from brihaspati_agent import ring, wire


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of everything. Bytes, unless the name says otherwise."""

    ring_bytes: int = 256 * 1024
    window_bytes: int = 256 * 1024
    skipped_repaint_bytes: int = 32 * 1024
    unwatched_bytes: int = 1024 * 1024
    input_pending_bytes: int = 1024 * 1024
    half_character_seconds: float = 0.02
    viewers: int = 20
    terminals: int = 8
    guests: int = 16


class Outlet(Protocol):
    """Where a viewer's frames go. None of these calls blocks or raises."""

    def frame(self, opcode: bytes, body: bytes) -> None:
        """A binary frame: one of `wire`'s server opcodes and what follows it."""
        ...

    def hello(self, message: Mapping[str, Any]) -> None:
        """The text that opens the conversation."""
        ...

    def close(self, code: int, words: str) -> None:
        """End the connection with a close code."""
        ...


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who comes to look: a name for the others, and whether they may type.

    `user` is never shown; it tells a person's second device from somebody else.
    """

    name: str
    writer: bool
    columns: int
    rows: int
    since: int | None = None
    epoch: str | None = None
    user: str = ""


class Viewer:
    """Sends a ring's output to one outlet, never more than a window ahead of what was drawn."""

    __slots__ = ("acked", "outlet", "room", "sent", "visitor", "window")

    def __init__(self, outlet: Outlet, visitor: Visitor, limits: Limits) -> None:
        self.outlet = outlet
        self.visitor = visitor
        self.sent = 0
        self.acked = 0
        self.window = limits.window_bytes
        self.room = limits.window_bytes

    @property
    def unacknowledged(self) -> int:
        """Output bytes sent that the browser has not drawn yet."""
        return self.sent - self.acked

    def begin(self, seq: int) -> None:
        """Output will go on at `seq`; all before it counts as drawn."""
        self.sent = self.acked = seq
        self.room = self.window

    def repaint(self, picture: bytes, seq: int) -> None:
        """Draw the screen anew; output then goes on at `seq`.

        A picture counts against the first window (down to half of it), so that the browser's
        queue stays small when a program floods a screen just opened.
        """
        self.begin(seq)
        self.room = max(self.window - len(picture), self.window // 2)
        for place in range(0, len(picture), wire.OUTPUT_BYTES_MAX):
            piece = picture[place : place + wire.OUTPUT_BYTES_MAX]
            self.outlet.frame(wire.REPAINT, piece)

    def offer(self, data: bytes, end: int) -> None:
        """Send output that has just come, if this viewer has all before it and has room."""
        if self.sent + len(data) == end and self.unacknowledged < self.room:
            self.sent = end
            self.outlet.frame(wire.OUTPUT, data)

    def catch_up(self, output: ring.Ring) -> None:
        """Send what is still owed, as far as there is room."""
        while self.sent < output.end and self.unacknowledged < self.room:
            piece = output.since(self.sent, wire.OUTPUT_BYTES_MAX)
            piece = piece[: len(piece) - ring.incomplete_tail(piece)] or piece
            self.sent += len(piece)
            self.outlet.frame(wire.OUTPUT, piece)

    def acknowledge(self, seq: int) -> None:
        """The browser has drawn all output before `seq`. Raises wire.Bad."""
        if seq > self.sent:
            raise wire.Bad(wire.BAD_MESSAGE, "acknowledged more than was sent")
        if seq > self.acked:
            self.acked = seq
            self.room = self.window

    def event(self, message: Mapping[str, Any]) -> None:
        """Tell of something that is not output."""
        self.outlet.frame(wire.EVENT, wire.text(message))
