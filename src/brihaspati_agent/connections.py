"""What every WebSocket of the agent does alike: first message in time, sizes, rate, closing.

picows calls the listener for each frame; nothing here may raise into it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from brihaspati_agent import hub, tickets, wire
from brihaspati_agent.framing import WSFrame, WSListener, WSMsgType, WSTransport

_logger = logging.getLogger(__name__)

_GOODBYE_SECONDS = 1
_FRAME_COST_BYTES = 64
_CONTROL_FRAMES = (WSMsgType.PING, WSMsgType.PONG)


@dataclass(frozen=True, slots=True)
class Service:
    """What connections need. `origin_allowed` answers for an Origin header's value.

    Who is silent for `quiet_seconds` is asked for a sign of life, and dropped at `dead_seconds`.
    """

    hub: hub.Hub
    gate: tickets.Gate
    origin_allowed: Callable[[str], bool]
    burst_bytes: int = 4 * 1024 * 1024
    bytes_per_second: int = 1024 * 1024
    first_message_seconds: float = 5
    look_round_seconds: float = 10
    quiet_seconds: float = 20
    dead_seconds: float = 50


class Connection(WSListener):
    """A WebSocket whose first message is JSON with a ticket. Subclasses say what follows."""

    # Class attributes, for a connection costs memory as long as a lab lasts.
    sandbox: str | None = None
    _closed = False
    _first_seen = False
    _message_type: WSMsgType | None = None
    _pieces: bytearray | None = None
    _task: asyncio.Task[None] | None = None

    def __init__(self, service: Service, *, welcome: bool) -> None:
        self.service = service
        self._welcome = welcome
        self._transport: WSTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._budget = float(service.burst_bytes)
        self._budget_at = time.monotonic()
        self.heard_at = self._budget_at

    # --- for subclasses ----------------------------------------------------------------------
    message_bytes_max = wire.INPUT_BYTES_MAX + 1

    def first(self, message: dict[str, Any]) -> Coroutine[Any, Any, None]:
        """The conversation begins; the coroutine may raise wire.Bad or tickets.Refused."""
        raise NotImplementedError

    def message(self, kind: WSMsgType, data: bytes) -> None:
        """A whole later message. May raise wire.Bad."""
        raise NotImplementedError

    def gone(self) -> None:
        """The connection ended, from whichever side."""
        raise NotImplementedError

    # --- sending -----------------------------------------------------------------------------
    def frame(self, opcode: bytes, body: bytes) -> None:
        """A binary frame."""
        if self._transport is not None and not self._closed:
            self._transport.send(WSMsgType.BINARY, opcode + body)

    def hello(self, message: Mapping[str, Any]) -> None:
        """A text frame."""
        if self._transport is not None and not self._closed:
            self._transport.send(WSMsgType.TEXT, wire.text(message))

    def close(self, code: int, words: str) -> None:
        """Say why, then go, whether or not the other side answers."""
        if self._closed or self._transport is None:
            return
        self._closed = True
        self._transport.send_close(code, wire.reason(words))  # type: ignore[arg-type]
        loop = asyncio.get_running_loop()
        loop.call_later(_GOODBYE_SECONDS, self._transport.disconnect, False)  # noqa: FBT003 - picows' own signature

    def ping(self) -> None:
        """Ask for a sign of life."""
        if self._transport is not None and not self._closed:
            self._transport.send_ping()

    def drop(self) -> None:
        """Cut the line: nobody is there any more."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    # --- picows calls these ------------------------------------------------------------------
    def on_ws_connected(self, transport: WSTransport) -> None:
        """Wait for the first message, not for long."""
        self._transport = transport
        if not self._welcome:
            self.close(wire.WRONG_ORIGIN, "this page may not open terminals here")
            return
        late = "the first message did not come in time"
        loop = asyncio.get_running_loop()
        seconds = self.service.first_message_seconds
        self._timer = loop.call_later(seconds, self.close, wire.TOO_LATE, late)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Put messages together and hand them on."""
        try:
            self._frame(transport, frame)
        except wire.Bad as bad:
            self.close(bad.code, str(bad))
        except Exception:
            _logger.exception("a message could not be handled")
            self.close(wire.BROKEN, "something went wrong here")

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - picows' own signature
        """Let go of everything."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        self.gone()
        self._transport = None

    # --- frames to messages ------------------------------------------------------------------
    def _frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        self.heard_at = time.monotonic()
        if kind == WSMsgType.CLOSE:
            if not self._closed:
                self._closed = True
                transport.send_close(frame.get_close_code())
            transport.disconnect()
            return
        if self._closed or kind in _CONTROL_FRAMES:
            return
        self._spend(frame.payload_size)
        data = self._whole(frame)
        if data is None:
            return
        message_type, self._message_type = self._message_type, None
        assert message_type is not None
        if self._first_seen:
            self.message(message_type, data)
        else:
            self._begin(message_type, data)

    def _whole(self, frame: WSFrame) -> bytes | None:
        """The message that this frame completes, if it does."""
        continues = frame.msg_type == WSMsgType.CONTINUATION
        if continues != (self._message_type is not None):
            raise wire.Bad(wire.BAD_MESSAGE, "fragments out of order")
        if not continues:
            self._message_type = frame.msg_type
        limit = self.message_bytes_max if self._first_seen else wire.FIRST_MESSAGE_BYTES_MAX
        before = 0 if self._pieces is None else len(self._pieces)
        if before + frame.payload_size > limit:
            raise wire.Bad(wire.TOO_LARGE, f"a message here has at most {limit} bytes")
        if frame.fin and self._pieces is None:
            return frame.get_payload_as_bytes()
        if self._pieces is None:
            self._pieces = bytearray()
        self._pieces += frame.get_payload_as_bytes()
        if not frame.fin:
            return None
        data, self._pieces = bytes(self._pieces), None
        return data

    def _spend(self, count: int) -> None:
        """A bucket of bytes that fills with time: pastes fit, floods do not. Raises wire.Bad."""
        refill = (self.heard_at - self._budget_at) * self.service.bytes_per_second
        self._budget_at = self.heard_at
        self._budget = min(self._budget + refill, self.service.burst_bytes)
        self._budget -= count + _FRAME_COST_BYTES
        if self._budget < 0:
            raise wire.Bad(wire.TOO_FAST, "too much at once")

    def _begin(self, kind: WSMsgType, data: bytes) -> None:
        if kind != WSMsgType.TEXT:
            raise wire.Bad(wire.BAD_MESSAGE, "the first message is text with a ticket")
        message = wire.json_object(data)
        if not isinstance(message.get("ticket"), str):
            raise wire.Bad(wire.BAD_MESSAGE, "the first message has no ticket")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._first_seen = True
        self._task = asyncio.ensure_future(self._carefully(self.first(message)))

    async def _carefully(self, begin: Coroutine[Any, Any, None]) -> None:
        try:
            await begin
        except wire.Bad as bad:
            self.close(bad.code, str(bad))
        except tickets.Refused as refused:
            self.close(wire.TICKET_REFUSED, str(refused))
        except Exception:
            _logger.exception("a connection could not be served")
            self.close(wire.BROKEN, "something went wrong here")
        self._task = None
