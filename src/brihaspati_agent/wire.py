"""The frames of the terminal protocol, as bytes. See docs of `sockets` for who sends what."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

OUTPUT: Final = b"\x00"
EVENT: Final = b"\x01"
PONG: Final = b"\x03"
REPAINT: Final = b"\x04"

INPUT: Final = 0x00
RESIZE: Final = 0x01
ACK: Final = 0x02
PING: Final = 0x03
FINISH: Final = 0x04

FIRST_MESSAGE_BYTES_MAX: Final = 8 * 1024
INPUT_BYTES_MAX: Final = 64 * 1024
OUTPUT_BYTES_MAX: Final = 64 * 1024
PING_BYTES_MAX: Final = 16
REASON_BYTES_MAX: Final = 123

BAD_MESSAGE: Final = 4400
TICKET_REFUSED: Final = 4401
WRONG_ORIGIN: Final = 4403
NOT_FOUND: Final = 4404
TOO_LATE: Final = 4408
TOO_MANY: Final = 4409
SANDBOX_ENDED: Final = 4410
TOO_LARGE: Final = 4413
TOO_FAST: Final = 4429
RESTARTED: Final = 1000
BROKEN: Final = 1011

COLUMNS_MAX: Final = 1000
ROWS_MAX: Final = 500

_SIZE = struct.Struct(">HH")
_SEQ = struct.Struct(">Q")


class Bad(Exception):  # noqa: N818 - becomes a close frame
    """A message that ends the connection, with its close code and a text for a person."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def text(message: Mapping[str, Any]) -> bytes:
    """A message as compact JSON."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def reason(words: str) -> bytes:
    """Words cut to what a close frame can carry, never inside a character."""
    return words.encode()[:REASON_BYTES_MAX].decode(errors="ignore").encode()


def size(body: bytes) -> tuple[int, int]:
    """Columns and rows of a resize, brought into what a tty can be. Raises Bad."""
    if len(body) != _SIZE.size:
        raise Bad(BAD_MESSAGE, "a resize has four bytes: columns and rows")
    return sane_size(*_SIZE.unpack(body))


def sane_size(columns: int, rows: int) -> tuple[int, int]:
    """A hidden page measures nonsense; a tty is at least 2 by 1."""
    return min(max(columns, 2), COLUMNS_MAX), min(max(rows, 1), ROWS_MAX)


def seq(body: bytes) -> int:
    """The sequence number of an acknowledgement. Raises Bad."""
    if len(body) != _SEQ.size:
        raise Bad(BAD_MESSAGE, "an acknowledgement has eight bytes")
    found: int = _SEQ.unpack(body)[0]
    return found


def json_object(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises Bad."""
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        raise Bad(BAD_MESSAGE, "this message is not JSON") from None
    if not isinstance(message, dict):
        raise Bad(BAD_MESSAGE, "this message is not a JSON object")
    return message
