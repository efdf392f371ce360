"""Which protocol an encrypted connection is for, once its first bytes can be read.

`door` looks at a plain connection without taking anything out of it. Behind TLS that is not
possible: here the bytes are taken, and given to whoever goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import socket
import ssl
from collections.abc import Callable

from brihaspati_agent.door import is_for_agent

_HEAD_BYTES_MAX = 8 * 1024
_FIRST_BYTES_SECONDS = 30
_HANDSHAKE_SECONDS = 10
_BACKLOG = 256
_NOTHING = (
    b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n"
    b"Connection: close\r\nX-Content-Type-Options: nosniff\r\n\r\nNothing here.\n"
)

Make = Callable[[], asyncio.Protocol]


class Sorter(asyncio.Protocol):
    """Takes the first bytes of one connection and hands it on.

    `agent` makes what serves the agent's own paths, by the first bytes; `other` what serves the
    rest at a host that `is_ours`. Nothing is served at others.
    """

    def __init__(
        self,
        agent: Callable[[bytes], asyncio.Protocol],
        other: Make,
        is_ours: Callable[[bytes], bool],
    ) -> None:
        self._agent = agent
        self._other = other
        self._is_ours = is_ours
        self._head = bytearray()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_FIRST_BYTES_SECONDS, transport.abort)

    def data_received(self, data: bytes) -> None:
        """The first bytes, or some of them."""
        assert self._transport is not None
        self._head += data
        whole = b"\r\n\r\n" in self._head
        agent = is_for_agent(bytes(self._head))
        if agent:
            self._go_on(functools.partial(self._agent, bytes(self._head)))
        elif whole and self._is_ours(bytes(self._head)):
            self._go_on(self._other)
        elif whole or len(self._head) > _HEAD_BYTES_MAX:
            self._transport.write(_NOTHING)
            self._transport.close()

    def connection_lost(self, exception: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """Gone before it said what it wants."""
        if self._timer is not None:
            self._timer.cancel()

    def _go_on(self, make: Make) -> None:
        assert self._transport is not None
        assert self._timer is not None
        self._timer.cancel()
        protocol = make()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(bytes(self._head))


class Later(asyncio.Protocol):
    """Keeps what comes until a part of the program is loaded, which few connections need."""

    def __init__(self, module: str, make: Make) -> None:
        self._module = module
        self._make = make
        self._kept = bytearray()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Load it in a thread: terminals go on meanwhile."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._task = asyncio.get_running_loop().create_task(self._load())

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self._kept += data

    def connection_lost(self, exception: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """Nobody waits any more."""
        self._transport = None

    async def _load(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, importlib.import_module, self._module)
        if self._transport is None:
            return
        protocol = self._make()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(bytes(self._kept))


async def listen(
    host: str, port: int, tls: ssl.SSLContext | None, make: Make
) -> asyncio.base_events.Server:
    """Serve an address. Raises OSError."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            with contextlib.suppress(OSError):
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((host, port))
        patience = _HANDSHAKE_SECONDS if tls is not None else None
        return await loop.create_server(
            make, sock=listener, ssl=tls, backlog=_BACKLOG, ssl_handshake_timeout=patience
        )
    except OSError:
        listener.close()
        raise
