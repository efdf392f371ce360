"""The last bytes of a terminal's output, numbered from its beginning.

Memory grows with what was written, up to the capacity and a little more. The front is cut only
where a reader can begin: after a line, before a control sequence, between two characters.
"""

from __future__ import annotations

from brihaspati_agent import modes

_SLACK = 16 * 1024
_LOOK_AHEAD = 4096
_STRING_LOOK_BACK = 4096
_STRING_OPENERS = (b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b^")


class Ring:
    """Output bytes `start` to `end` (sequence numbers; `end` is the next byte's)."""

    __slots__ = ("_data", "capacity", "modes", "start")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.start = 0
        self.modes = modes.Modes()
        self._data = bytearray()

    @property
    def end(self) -> int:
        """The sequence number of the byte that comes next."""
        return self.start + len(self._data)

    def append(self, data: bytes) -> None:
        """Add output; what falls out at the front leaves its modes in `modes`."""
        self._data += data
        if len(self._data) > self.capacity + _SLACK:
            self._trim(safe_cut(self._data, len(self._data) - self.capacity))

    def _trim(self, count: int) -> None:
        self.modes.read(bytes(self._data[:count]))
        del self._data[:count]
        self.start += count

    def since(self, seq: int, bytes_max: int) -> bytes:
        """Up to `bytes_max` bytes from `seq` on, which must lie between `start` and `end`."""
        place = seq - self.start
        return bytes(self._data[place : place + bytes_max])

    def tail(self, bytes_max: int) -> bytes:
        """The last bytes, at most so many. May be called from any thread."""
        return bytes(self._data[-bytes_max:])

    def repaint(self, bytes_max: int) -> tuple[bytes, modes.Modes]:
        """What brings an empty screen to now, and the modes that it ends in.

        Begins with a reset and the modes in force where the kept output begins. `bytes_max`
        bounds the output replayed; questions to the terminal are left out.
        """
        state = self.modes.copy()
        begin = 0
        if len(self._data) > bytes_max:
            begin = safe_cut(self._data, len(self._data) - bytes_max)
            state.read(bytes(self._data[:begin]))
        prefix = state.prefix()
        rest = bytes(self._data[begin:])
        state.read(rest)
        return prefix + modes.without_queries(rest), state


def safe_cut(data: bytearray, wanted: int) -> int:
    """The first place at or after `wanted` where output can be cut, in at most a few KiB.

    After a line end if there is one near, else before an escape, else between two characters;
    never inside a string sequence (title, sixel) whose end is near.
    """
    line = data.find(b"\n", wanted, wanted + _LOOK_AHEAD)
    if line >= 0:
        cut = line + 1
    else:
        escape = data.find(b"\x1b", wanted, wanted + _LOOK_AHEAD)
        cut = escape if escape >= 0 else _character_after(data, wanted)
    return _after_string(data, cut)


def _character_after(data: bytearray, place: int) -> int:
    for _ in range(3):
        if place < len(data) and data[place] & 0xC0 == 0x80:
            place += 1
    return place


def _after_string(data: bytearray, cut: int) -> int:
    since = max(0, cut - _STRING_LOOK_BACK)
    opened = max(data.rfind(opener, since, cut) for opener in _STRING_OPENERS)
    if opened < 0:
        return cut
    ended = _string_end(data, opened + 2, cut)
    if ended >= 0:
        return cut
    ended = _string_end(data, cut, cut + 16 * _LOOK_AHEAD)
    return ended if ended >= 0 else cut


def _string_end(data: bytearray, since: int, until: int) -> int:
    ends = [
        place + len(mark)
        for mark in (b"\x07", b"\x1b\\")
        if (place := data.find(mark, since, until)) >= 0
    ]
    return min(ends, default=-1)


def incomplete_tail(data: bytes) -> int:
    """How many of the last bytes (0 to 3) begin a UTF-8 character that is not all here."""
    if not data or data[-1] < 0x80:
        return 0
    for count in range(1, min(3, len(data)) + 1):
        byte = data[-count]
        if byte & 0xC0 == 0x80:
            continue
        needed = 2 if byte >> 5 == 0b110 else 3 if byte >> 4 == 0b1110 else 4
        return count if byte >= 0xC2 and byte < 0xF5 and needed > count else 0
    return 0
