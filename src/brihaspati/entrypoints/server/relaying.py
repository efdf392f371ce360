"""Terminals and previews of rented machines through us, for networks that let nobody else through.

The browser's ticket names the machine: we bring whoever has one to that machine's agent, which
judges it again, over TLS that is verified. A preview is served here as those of our own host are,
over connections that the agent makes for us to the ports of its machine.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from brihaspati.engine.machines import Door
from brihaspati_agent import places, preview_sockets, tickets, tunnel, wire
from brihaspati_agent.reception import FRAME_BYTES_MAX

PATH = "/relay/"
_KINDS = ("terminal", "files")
_FIRST_SECONDS = 5
_REACH_SECONDS = 10
_AWAY = "its machine does not answer"


@dataclass(frozen=True, slots=True)
class Way:
    """To machines. `door` of a label, to a port of it or None; `tls` None: they serve without.

    All of them serve on `port`.
    """

    door: Callable[[str, int | None], Door | None]
    tls: ssl.SSLContext | None
    port: int = 443


class Relay:
    """Made on the loop that serves it. `origins` are the portal's own."""

    def __init__(self, way: Way, gate: tickets.Gate, origins: Sequence[str]) -> None:
        self._way = way
        self._gate = gate
        self._origins = origins
        self._loop = asyncio.get_running_loop()
        self._where = _Where()
        self._session: aiohttp.ClientSession | None = None
        self._tunnels: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Cut every connection."""
        for task in self._tunnels:
            task.cancel()
        if self._session is not None:
            await self._session.close()

    # --- terminals and files -----------------------------------------------------------------
    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """A WebSocket to the agent that its first message, with a ticket, leads to."""
        kind = request.path.removeprefix(PATH)
        if kind not in _KINDS or request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=404, text="Nothing here.\n")
        if request.headers.get("Origin") not in self._origins:
            return web.Response(status=403, text="This page may not open terminals here.\n")
        ours = web.WebSocketResponse(
            autoping=False, autoclose=False, compress=False, max_msg_size=FRAME_BYTES_MAX
        )
        await ours.prepare(request)
        try:
            first, door = await self._admit(ours)
            theirs = await self._dial(door, kind, request.headers["Origin"])
        except tickets.Refused as refused:
            await _end(ours, wire.TICKET_REFUSED, str(refused))
        except wire.Bad as bad:
            await _end(ours, bad.code, str(bad))
        except (aiohttp.ClientError, OSError, TimeoutError):
            await _end(ours, wire.BROKEN, _AWAY)
        else:
            async with theirs:
                await theirs.send_str(first)
                await preview_sockets.between(theirs, ours)
        return ours

    async def _admit(self, ours: web.WebSocketResponse) -> tuple[str, Door]:
        """The first message, and whom it is for. Raises Refused or wire.Bad."""
        try:
            first = await ours.receive_str(timeout=_FIRST_SECONDS)
            text = wire.json_object(first.encode())["ticket"]
        except (TypeError, KeyError, TimeoutError, aiohttp.WSMessageTypeError) as error:
            raise wire.Bad(wire.BAD_MESSAGE, "the first message has no ticket") from error
        ticket = self._gate.admit(str(text), "terminal", "watch", "files")
        label = next(iter(ticket.machines.values()), "")
        door = await asyncio.to_thread(self._way.door, label, None)
        if door is None:
            raise wire.Bad(wire.SANDBOX_ENDED, "this lab has ended")
        return first, door

    async def _dial(self, door: Door, kind: str, origin: str) -> Any:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, resolver=self._where)
            self._session = aiohttp.ClientSession(connector=connector)
        self._where.known[door.host] = door.address
        host = f"[{door.host}]" if ":" in door.host else door.host
        scheme = "ws" if self._way.tls is None else "wss"
        return await self._session.ws_connect(
            f"{scheme}://{host}:{self._way.port}/agent/{kind}",
            headers={"Origin": origin},
            ssl=self._way.tls or False,
            autoping=False,
            autoclose=False,
            compress=0,
            max_msg_size=FRAME_BYTES_MAX,
            timeout=aiohttp.ClientWSTimeout(ws_close=1),
        )

    # --- previews ----------------------------------------------------------------------------
    def place(self, label: str) -> places.Place:
        """A machine of which only the ports are reached from here."""
        return _Far(self, self._loop, label)

    async def connect(self, label: str, port: int) -> socket.socket:
        """A connection to a port of a machine. Raises PlaceError or NoSuchMachine."""
        door = await asyncio.to_thread(self._way.door, label, port)
        if door is None:
            raise places.NoSuchMachine(label)
        try:
            line = await asyncio.wait_for(self._tunnel(door), _REACH_SECONDS)
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError) as error:
            raise places.PlaceError(_AWAY) from error
        ours, theirs = socket.socketpair()
        theirs.settimeout(0)
        other = await asyncio.open_connection(sock=theirs)
        task = self._loop.create_task(tunnel.carry(line, other))
        self._tunnels.add(task)
        task.add_done_callback(self._tunnels.discard)
        return ours

    async def _tunnel(self, door: Door) -> tunnel.Streams:
        name = door.host if self._way.tls is not None else None
        line = await asyncio.open_connection(
            door.address, self._way.port, ssl=self._way.tls, server_hostname=name
        )
        try:
            line[1].write(
                f"GET /agent/tunnel HTTP/1.1\r\nHost: {door.host}\r\nConnection: Upgrade\r\n"
                f"Upgrade: {tunnel.UPGRADE}\r\nAuthorization: Bearer {door.ticket}\r\n\r\n".encode()
            )
            head = await line[0].readuntil(b"\r\n\r\n")
            status = head.split(b" ", 2)[1]
            if status != b"101":
                raise places.PlaceError(f"its machine answers {status.decode('latin-1')}")
        except BaseException:
            line[1].close()
            raise
        return line


class _Far:
    """`places.Place` of a machine that is not here."""

    def __init__(self, relay: Relay, loop: asyncio.AbstractEventLoop, label: str) -> None:
        self._relay = relay
        self._loop = loop
        self._label = label

    def connect(self, port: int, *, timeout_seconds: float = 5) -> socket.socket:
        """From a worker thread: a socket whose other end is the port. Raises PlaceError."""
        future = asyncio.run_coroutine_threadsafe(
            self._relay.connect(self._label, port), self._loop
        )
        try:
            return future.result(timeout_seconds)
        except TimeoutError as error:
            future.cancel()
            raise places.PlaceError(f"port {port}: no answer in time") from error

    def terminal(self, command: Sequence[str] | None, columns: int, rows: int) -> places.Terminal:
        """Terminals are the agent's of that machine."""
        raise places.PlaceError(f"its own agent serves it: {command} {columns} {rows}")

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",  # noqa: ARG002 - as the other places
        timeout_seconds: float = 30,  # noqa: ARG002
        output_bytes_max: int = 65536,  # noqa: ARG002
        user: str | None = None,  # noqa: ARG002
    ) -> places.Outcome:
        """Commands are."""
        raise places.PlaceError(f"its own agent runs them: {argv[0]}")

    def read(self, path: str, bytes_max: int) -> bytes:  # noqa: ARG002
        """Files are."""
        raise places.PlaceError(f"{path}: its own agent has it")

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:  # noqa: ARG002
        """Files are."""
        raise places.PlaceError(f"{path}: its own agent has it")


class _Where(aiohttp.abc.AbstractResolver):
    """Machines by the names in their certificates: we know their addresses better than any DNS."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        """Its address."""
        address = self.known.get(host)
        if address is None:
            raise OSError(f"{host} is no machine of ours")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [
            aiohttp.abc.ResolveResult(
                hostname=host, host=address, port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def _end(line: web.WebSocketResponse, code: int, words: str) -> None:
    await line.close(code=code, message=wire.reason(words))
