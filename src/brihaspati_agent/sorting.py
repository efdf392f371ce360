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
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from brihaspati_agent.door import is_for_agent

_HEAD_BYTES_MAX = 8 * 1024
_FIRST_BYTES_SECONDS = 30
_HANDSHAKE_SECONDS = 10
_BACKLOG = 256
# A machine is one student's, with those who watch: more than this is nobody's lab. Below what the
# service may have open, so that terminals and files still find a number.
OPEN_MAX = 512
WAITING_MAX = 128


def _answer(status: bytes, words: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
    more = b"Connection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n%b"
    return (head + more) % (status, len(words), words)


_NOTHING = _answer(b"404 Not Found", b"Nothing here.\n")
_FULL = _answer(b"503 Service Unavailable", b"Too many connections; try again.\n")

Make = Callable[[], asyncio.Protocol]


class Crowd:
    """All connections of one agent, on whatever port: strangers must not use the machine up.

    Who has not said yet what they want makes room for others, the oldest first; when too many are
    served nobody more is.
    """

    def __init__(self, open_max: int = OPEN_MAX, waiting_max: int = WAITING_MAX) -> None:
        self._open_max = open_max
        self._waiting_max = waiting_max
        self._waiting: dict[asyncio.Transport, None] = {}
        self._served: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()

    def wait(self, transport: asyncio.Transport) -> None:
        """Somebody came."""
        self._waiting[transport] = None
        if len(self._waiting) > self._waiting_max:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.abort()

    def leave(self, transport: asyncio.Transport) -> None:
        """They wait no more."""
        self._waiting.pop(transport, None)

    def serve(self, transport: asyncio.Transport) -> bool:
        """Whether there is room to serve them; they wait no more."""
        self.leave(transport)
        if sum(not one.is_closing() for one in self._served) >= self._open_max:
            return False
        self._served.add(transport)
        return True


@dataclass(frozen=True, slots=True)
class Ways:
    """What serves whom on a port.

    `agent` makes what serves the agent's own paths, by the first bytes; None: it has none here.
    `other` serves the rest at a host that `is_ours`. Nothing is served at others.
    """

    other: Make
    is_ours: Callable[[bytes], bool]
    agent: Callable[[bytes], asyncio.Protocol] | None = None


class Sorter(asyncio.Protocol):
    """Takes the first bytes of one connection and hands it on."""

    def __init__(self, ways: Ways, crowd: Crowd, seconds: float = _FIRST_BYTES_SECONDS) -> None:
        self._ways = ways
        self._crowd = crowd
        self._seconds = seconds
        self._head = bytearray()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._crowd.wait(transport)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._seconds, transport.abort)

    def data_received(self, data: bytes) -> None:
        """The first bytes, or some of them."""
        self._head += data
        head = bytes(self._head)
        whole = b"\r\n\r\n" in head
        agent = self._ways.agent
        if agent is not None and is_for_agent(head):
            self._go_on(functools.partial(agent, head))
        elif whole and self._ways.is_ours(head):
            self._go_on(self._ways.other)
        elif whole or len(head) > _HEAD_BYTES_MAX:
            self._end(_NOTHING)

    def connection_lost(self, exception: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """Gone before it said what it wants."""
        assert self._timer is not None
        assert self._transport is not None
        self._timer.cancel()
        self._crowd.leave(self._transport)

    def _end(self, answer: bytes) -> None:
        assert self._transport is not None
        self._transport.write(answer)
        self._transport.close()

    def _go_on(self, make: Make) -> None:
        assert self._transport is not None
        assert self._timer is not None
        if not self._crowd.serve(self._transport):
            self._end(_FULL)
            return
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
        transport.pause_reading()  # what has come is enough to begin with
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
        if not self._transport.is_closing():
            self._transport.resume_reading()


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
