"""The agent's WebSockets by picows: `/agent/terminal`, `/agent/files` and `/agent/control`.

What is said on them is told in `terminal_socket`, `files` and `control`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiofastnet
import picows
from picows import picows as picows_core

from brihaspati_agent import connections
from brihaspati_agent.reception import FRAME_BYTES_MAX, Reception

_parser_logger = logging.getLogger(f"{__name__}.parser")
_parser_logger.setLevel(logging.CRITICAL)  # what it reports is the client's fault, not news


class Sockets:
    """Serves accepted TCP connections."""

    def __init__(self, service: connections.Service) -> None:
        self._reception = Reception(service)

    def protocol(self) -> asyncio.BaseProtocol:
        """A protocol for one accepted TCP connection."""
        self._reception.look_round()
        return websocket_protocol(self._listener)

    def close(self) -> None:
        """Cut every connection."""
        self._reception.close()

    def _listener(self, request: picows.WSUpgradeRequest) -> picows.WSListener | None:
        origins = request.headers.getall("Origin", [])
        path = request.path.decode("latin-1")
        return self._reception.welcome(path, origins, cookie="Cookie" in request.headers)


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
