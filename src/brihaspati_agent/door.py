"""One TCP port for everything: the agent's WebSockets and all other HTTP.

The first bytes of a connection say which it is. They are looked at without being taken out, so
that whoever serves the connection finds it untouched.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import socket
from collections.abc import Callable, Coroutine
from typing import Any

_logger = logging.getLogger(__name__)

_BACKLOG = 1024
_ACCEPTS_AT_ONCE = 64
_HEAD_BYTES_MAX = 8 * 1024
_FIRST_BYTES_SECONDS = 30
_WAITING_MAX = 2048
_OUT_OF_DESCRIPTORS_SECONDS = 0.5
_AGENT = b"GET /agent/"
_HOST = re.compile(rb"\r\nhost:[ \t]*([^\r\n]*)", re.IGNORECASE)
_PREVIEW_HOST = re.compile(rb"p[0-9]{1,5}--")

Serve = Callable[[socket.socket], Coroutine[Any, Any, object]]


def is_for_agent(head: bytes) -> bool | None:
    """Whether a request's first bytes are for the agent's sockets; None: too few to tell.

    A lab's own application may well have a page under `/agent/`, so the host counts too.
    """
    begin = head[: len(_AGENT)]
    if begin != _AGENT:
        return None if _AGENT.startswith(begin) else False
    host = _HOST.search(head)
    ended = b"\r\n\r\n" in head
    if host is None or (host.end() == len(head) and not ended):
        return True if ended else False if len(head) >= _HEAD_BYTES_MAX else None
    return _PREVIEW_HOST.match(host[1].lower()) is None


def host_of(head: bytes) -> bytes:
    """What a request's first bytes say its host is, in lower case; b"" if they do not."""
    found = _HOST.search(head)
    return found[1].strip().lower() if found is not None else b""


class Door:
    """Listens on a port and hands each connection to the agent or to the HTTP server.

    `agent` serves an accepted socket; `http` makes an asyncio protocol (aiohttp's `web.Server`).
    """

    def __init__(self, agent: Serve, http: Callable[[], asyncio.BaseProtocol]) -> None:
        self._agent = agent
        self._http = http
        self._listeners: list[socket.socket] = []
        self._waiting: dict[socket.socket, asyncio.TimerHandle] = {}
        self._handing: set[asyncio.Task[object]] = set()
        self._resuming: asyncio.TimerHandle | None = None

    def open(self, host: str, port: int) -> int:
        """Start listening; the port (chosen by the system for 0).

        Raises OSError with a text for a person when the address cannot be had.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except socket.gaierror as error:
            raise OSError(f"{host!r} is not an address of this machine") from error
        family, _, _, _, address = found[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            raise OSError(error.errno, _why_not(error, host, port)) from error
        listener.settimeout(0)
        self._listeners.append(listener)
        asyncio.get_running_loop().add_reader(listener.fileno(), self._accept, listener)
        bound: int = listener.getsockname()[1]
        return bound

    def close(self) -> None:
        """Stop listening; connections already handed on stay with whom they were handed to."""
        loop = asyncio.get_running_loop()
        if self._resuming is not None:
            self._resuming.cancel()
        for listener in self._listeners:
            loop.remove_reader(listener.fileno())
            listener.close()
        self._listeners.clear()
        for waiting in list(self._waiting):
            self._give_up(waiting)

    @property
    def waiting(self) -> int:
        """Connections that have not said yet what they are."""
        return len(self._waiting)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_ACCEPTS_AT_ONCE):
            try:
                accepted, _ = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._accept_later(error)
                return
            accepted.settimeout(0)
            if accepted.family != socket.AF_UNIX:
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._sort(accepted):
                self._wait(accepted)

    def _accept_later(self, error: OSError) -> None:
        """Out of descriptors or memory: leave the backlog alone for a moment."""
        if self._resuming is not None:
            return
        _logger.error("cannot accept connections for a moment: %s", error)
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.remove_reader(listener.fileno())
        self._resuming = loop.call_later(_OUT_OF_DESCRIPTORS_SECONDS, self._accept_again)

    def _accept_again(self) -> None:
        self._resuming = None
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.add_reader(listener.fileno(), self._accept, listener)

    def _wait(self, accepted: socket.socket) -> None:
        if len(self._waiting) >= _WAITING_MAX:
            self._give_up(next(iter(self._waiting)))
        loop = asyncio.get_running_loop()
        self._waiting[accepted] = loop.call_later(_FIRST_BYTES_SECONDS, self._give_up, accepted)
        loop.add_reader(accepted.fileno(), self._sort, accepted)

    def _sort(self, accepted: socket.socket) -> bool:
        """Hand the connection on, if its bytes tell to whom (or it is gone)."""
        try:
            head = accepted.recv(_HEAD_BYTES_MAX, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            self._give_up(accepted)
            return True
        agent = is_for_agent(head) if head else False
        if agent is None and self._more(accepted, len(head)):
            return False
        self._leave(accepted)
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        if head:
            self._hand(accepted, agent=bool(agent))
        else:
            accepted.close()
        return True

    def _more(self, accepted: socket.socket, count: int) -> bool:
        """Sleep until there are more bytes than these; False if they have been waited for.

        A readable socket with bytes left in it would wake us without end; the low-water mark
        lets the kernel wait. The end of the stream wakes us with no more than before.
        """
        mark = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT)
        if mark > count:
            return False
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count + 1)
        return True

    def _leave(self, accepted: socket.socket) -> None:
        timer = self._waiting.pop(accepted, None)
        if timer is not None:
            timer.cancel()
            asyncio.get_running_loop().remove_reader(accepted.fileno())

    def _give_up(self, accepted: socket.socket) -> None:
        self._leave(accepted)
        accepted.close()

    def _hand(self, accepted: socket.socket, *, agent: bool) -> None:
        loop = asyncio.get_running_loop()
        serve: Coroutine[Any, Any, object] = (
            self._agent(accepted) if agent else loop.connect_accepted_socket(self._http, accepted)
        )
        task = loop.create_task(serve)
        self._handing.add(task)
        task.add_done_callback(self._handed)

    def _handed(self, task: asyncio.Task[object]) -> None:
        self._handing.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _logger.info("a connection went before it was served: %s", task.exception())


def _why_not(error: OSError, host: str, port: int) -> str:
    where = f"{host or '*'}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken: another program listens on {where}"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights; choose one from 1024 up"
    return f"cannot listen on {where}: {error.strerror}"
