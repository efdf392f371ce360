"""The words of WebSocket frames: picows' where it is installed, and the same without it.

picows is compiled for one Python and one processor. The agent of a rented machine is one archive
for all of them, and speaks through `plain_sockets` instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from picows import WSFrame, WSListener, WSMsgType, WSTransport
else:
    try:
        from picows import WSFrame, WSListener, WSMsgType, WSTransport
    except ImportError:
        import enum

        WSFrame = WSTransport = Any

        class WSMsgType(enum.IntEnum):
            """Opcodes of RFC 6455."""

            CONTINUATION = 0
            TEXT = 1
            BINARY = 2
            CLOSE = 8
            PING = 9
            PONG = 10

        class WSListener:
            """Whoever is called for each frame."""


__all__ = ["WSFrame", "WSListener", "WSMsgType", "WSTransport"]
