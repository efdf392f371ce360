"""One run of a program on a tty, from its start to its end, and all who look at it.

The program outlives every connection. All methods run on the event loop's thread; none waits.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from brihaspati_agent import modes, places, ring, ttys, viewers, wire

_READ_BYTES = 64 * 1024
_MORE_LIKELY_BYTES = 2048
_NUDGE_SECONDS = 0.06
_INTERRUPT = b"\x03"


@dataclass(frozen=True, slots=True)
class Telling:
    """What a run tells whoever keeps it."""

    typed: Callable[[], None]
    ended: Callable[[Run], None]
    now: Callable[[], int]


class Run:
    """A running (or ended) program: its ring of output, its viewers, its waiting input."""

    def __init__(
        self,
        terminal: places.Terminal,
        epoch: str,
        size: tuple[int, int],
        limits: viewers.Limits,
        telling: Telling,
    ) -> None:
        self.epoch = epoch
        self.size = size
        self.viewers: list[viewers.Viewer] = []
        self.ended_at: int | None = None
        self.typed_at = 0
        self.ring = ring.Ring(limits.ring_bytes)
        self._terminal = terminal
        self._limits = limits
        self._telling = telling
        self._loop = asyncio.get_running_loop()
        self._fd = terminal.fileno()
        self._tail = b""
        self._tail_timer: asyncio.TimerHandle | None = None
        self._pending = bytearray()
        self._unwatched = 0
        self._reading = False
        self._leader: viewers.Viewer | None = None
        self._resume()

    # --- viewers ---------------------------------------------------------------------------
    def attach(self, outlet: viewers.Outlet, visitor: viewers.Visitor, name: str) -> viewers.Viewer:
        """Add a viewer, say hello and bring its screen up to date."""
        viewer = viewers.Viewer(outlet, visitor, self._limits)
        since = visitor.since
        resumed = (
            since is not None
            and visitor.epoch == self.epoch
            and self.ring.start <= since <= self.ring.end
        )
        start = since if resumed and since is not None else self.ring.end
        if visitor.writer and self.ended_at is None:
            self.resize(None, visitor.columns, visitor.rows)
        self.viewers.append(viewer)
        outlet.hello(self._hello(name, start, viewer, resumed=resumed))
        if resumed:
            viewer.begin(start)
            viewer.catch_up(self.ring)
        else:
            self._repaint(viewer, self._limits.ring_bytes)
        self._tell_viewers()
        self._unwatched = 0
        self._flow()
        return viewer

    def _hello(
        self, name: str, seq: int, viewer: viewers.Viewer, *, resumed: bool
    ) -> dict[str, Any]:
        return {
            "type": "hello",
            "terminal": name,
            "epoch": self.epoch,
            "seq": seq,
            "resumed": resumed,
            "columns": self.size[0],
            "rows": self.size[1],
            "viewers": len(self.viewers),
            "writer": viewer.visitor.writer,
            "ended": None if self.ended_at is None else {"at": self.ended_at},
        }

    def detach(self, viewer: viewers.Viewer) -> None:
        """Forget a viewer; the program goes on."""
        if viewer not in self.viewers:
            return
        self.viewers.remove(viewer)
        if self._leader is viewer:
            self._leader = None
        self._tell_viewers()
        self._flow()

    def tell(self, message: Mapping[str, Any], but: viewers.Viewer | None = None) -> None:
        """An event for every viewer except `but`."""
        for viewer in list(self.viewers):
            if viewer is not but:
                viewer.event(message)

    def close_viewers(self, code: int, words: str) -> None:
        """End every connection."""
        for viewer in list(self.viewers):
            viewer.outlet.close(code, words)

    def _tell_viewers(self) -> None:
        for viewer in list(self.viewers):
            viewer.event(
                {
                    "type": "viewers",
                    "viewers": len(self.viewers),
                    "people": [_as_seen(other, viewer) for other in self.viewers],
                    "writer": viewer.visitor.writer,
                }
            )

    def _repaint(self, viewer: viewers.Viewer, bytes_max: int) -> None:
        picture, state = self.ring.repaint(bytes_max)
        viewer.repaint(picture, self.ring.end)
        if state.alternate and self.ring.modes.alternate and self.ended_at is None:
            self._nudge()

    def _nudge(self) -> None:
        """Have a full-screen program draw all again: what it drew first is no longer kept."""
        columns, rows = self.size
        self._terminal.resize(columns, rows - 1 if rows > 1 else rows + 1)
        self._loop.call_later(_NUDGE_SECONDS, self._restore_size)

    def _restore_size(self) -> None:
        if self.ended_at is None:
            self._terminal.resize(*self.size)

    def acknowledge(self, viewer: viewers.Viewer, seq: int) -> None:
        """A viewer has drawn all before `seq`. Raises wire.Bad."""
        viewer.acknowledge(seq)
        if viewer.sent < self.ring.end:
            self._catch_up(viewer)
        if not self._reading:
            self._flow()

    def _catch_up(self, viewer: viewers.Viewer) -> None:
        if viewer.sent >= self.ring.start:
            viewer.catch_up(self.ring)
        elif viewer.unacknowledged == 0:
            viewer.event({"type": "skipped", "seq": self.ring.end})
            self._repaint(viewer, self._limits.skipped_repaint_bytes)

    # --- size and input --------------------------------------------------------------------
    def resize(self, viewer: viewers.Viewer | None, columns: int, rows: int) -> None:
        """The last writer who resizes wins; the others are told."""
        if self.ended_at is not None or self.size == (columns, rows):
            return
        self.size = (columns, rows)
        self._terminal.resize(columns, rows)
        self.tell({"type": "resize", "columns": columns, "rows": rows}, but=viewer)

    def type(self, viewer: viewers.Viewer, data: bytes) -> None:
        """Input from a viewer. Raises wire.Bad if far too much waits for the program to read."""
        if self.ended_at is not None or not viewer.visitor.writer or not data:
            return
        if len(self.viewers) > 1 and modes.is_reply(data):
            # Every viewer's terminal answers the program's question; one answer is right.
            if viewer is not (self._leader or self.viewers[0]):
                return
        else:
            self._leader = viewer
        self.typed_at = self._telling.now()
        self._telling.typed()
        if _INTERRUPT in data:
            data = self._interrupting(data)
        if not self._pending:
            self._write(data)
        elif len(self._pending) + len(data) <= self._limits.input_pending_bytes:
            self._pending += data
        else:
            raise wire.Bad(wire.TOO_FAST, "the program does not read what is typed")

    def _interrupting(self, data: bytes) -> bytes:
        """What to write of input with an interrupt in it, with nothing left that goes before it.

        The kernel drops input that waits when it sees an interrupt; but it cannot see one behind
        a paste that fills its buffer and that the program does not read.
        """
        if not ttys.flush_for_interrupt(self._fd):
            return data
        if self._pending:
            self._pending.clear()
            self._loop.remove_writer(self._fd)
        return data[data.rindex(_INTERRUPT) :]

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._fd, data)
        except BlockingIOError:
            written = 0
        except OSError:
            return
        if written < len(data):
            self._pending += data[written:]
            self._loop.add_writer(self._fd, self._writable)

    def _writable(self) -> None:
        try:
            written = os.write(self._fd, self._pending)
        except BlockingIOError:
            return
        except OSError:
            written = len(self._pending)
        del self._pending[:written]
        if not self._pending:
            self._loop.remove_writer(self._fd)

    # --- output ----------------------------------------------------------------------------
    def _readable(self) -> None:
        try:
            data = self._read()
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        if self._tail:
            data, self._tail = self._tail + data, b""
        held = ring.incomplete_tail(data)
        if held:
            data, self._tail = data[:-held], data[-held:]
            if self._tail_timer is None:
                seconds = self._limits.half_character_seconds
                self._tail_timer = self._loop.call_later(seconds, self._flush_tail)
        if data:
            self._output(data)

    def _read(self) -> bytes:
        """What the tty has, up to a frame's worth: it hands out at most a page at a time."""
        data = os.read(self._fd, _READ_BYTES)
        if len(data) < _MORE_LIKELY_BYTES:
            return data
        pieces, total = [data], len(data)
        while total + 4096 <= wire.OUTPUT_BYTES_MAX - 4:
            try:
                data = os.read(self._fd, 4096)
            except OSError:
                break
            if not data:
                break
            pieces.append(data)
            total += len(data)
        return b"".join(pieces)

    def _flush_tail(self) -> None:
        self._tail_timer = None
        if self._tail:
            data, self._tail = self._tail, b""
            self._output(data)

    def _output(self, data: bytes) -> None:
        self.ring.append(data)
        end = self.ring.end
        for viewer in self.viewers:
            viewer.offer(data, end)
        if not self.viewers:
            self._unwatched += len(data)
        self._flow()

    def _flow(self) -> None:
        """Read only while someone keeps up, or while little has been read that nobody saw."""
        if self.ended_at is not None:
            return
        if not self.viewers:
            wanted = self._unwatched < self._limits.unwatched_bytes
        else:
            ahead = self.ring.end - max(viewer.acked for viewer in self.viewers)
            window = self._limits.window_bytes
            wanted = ahead < (window if self._reading else window - window // 4)
        if wanted and not self._reading:
            self._resume()
        elif self._reading and not wanted:
            self._pause()

    def _resume(self) -> None:
        self._reading = True
        self._loop.add_reader(self._fd, self._readable)

    def _pause(self) -> None:
        self._reading = False
        self._loop.remove_reader(self._fd)

    # --- the end ---------------------------------------------------------------------------
    def _end(self) -> None:
        if self.ended_at is not None:
            return
        self._flush_tail()
        self.stop()
        self.tell({"type": "ended", "at": self.ended_at})
        self._telling.ended(self)

    def finish(self) -> None:
        """End the program because a person wants it; viewers are told, as when it ends itself."""
        self._end()

    def stop(self) -> None:
        """Let go of the descriptor; the terminal itself is closed by `hang_up`, which blocks."""
        if self.ended_at is not None:
            return
        self.ended_at = self._telling.now()
        if self._reading:
            self._pause()
        if self._pending:
            self._pending.clear()
            self._loop.remove_writer(self._fd)
        if self._tail_timer is not None:
            self._tail_timer.cancel()

    def hang_up(self) -> None:
        """End the program and reap it. Blocks; runs in a worker thread after `stop`."""
        self._terminal.close()


def _as_seen(other: viewers.Viewer, by: viewers.Viewer) -> dict[str, Any]:
    """One of those who look, as told to another (or to themselves: that is theirs too)."""
    mine = other.visitor.user == by.visitor.user
    return {"name": other.visitor.name, "writer": other.visitor.writer, "mine": mine}
