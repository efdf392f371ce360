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
from brihaspati_agent import hub, places, preview_sockets, tickets, tunnel, wire
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
        self._where.note(door.host, door.address)
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
    async def connect(self, label: str, port: int) -> socket.socket:
        """A connection to a port of a machine. Raises PlaceError or NoSuchMachine."""
        door = await asyncio.to_thread(self._way.door, label, port)
        if door is None:
            raise places.NoSuchMachine(label)
        try:
            async with asyncio.timeout(_REACH_SECONDS):
                line = await self._tunnel(door)
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError) as error:
            raise places.PlaceError(_AWAY) from error
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        theirs.settimeout(0)
        try:
            other = await asyncio.open_connection(sock=theirs)
        except BaseException:  # whoever asked has gone, and nobody else has these
            line[1].close()
            ours.close()
            theirs.close()
            raise
        task = asyncio.create_task(tunnel.carry(line, other))
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


class FarHub(hub.Hub):
    """Of machines that are not here: only their ports are reached, without a thread that waits."""

    def __init__(self, relay: Relay, now: Callable[[], int]) -> None:
        super().__init__(_nowhere, now, threads=1)
        self._relay = relay

    async def connect(self, label: str, port: int) -> socket.socket:
        """By the agent of that machine. Raises PlaceError or NoSuchMachine."""
        return await self._relay.connect(label, port)


def _nowhere(label: str) -> places.Place:
    """Terminals, commands and files are the agent's of that machine."""
    raise places.NoSuchMachine(label)


class _Where(aiohttp.abc.AbstractResolver):
    """Machines by the names in their certificates: we know their addresses better than any DNS."""

    def __init__(self, known_max: int = 1024) -> None:
        self._known: dict[str, str] = {}
        self._known_max = known_max

    def note(self, host: str, address: str) -> None:
        """Who dials next asks for this; those of long ago have dialled."""
        self._known.pop(host, None)
        self._known[host] = address
        if len(self._known) > self._known_max:
            del self._known[next(iter(self._known))]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        """Its address."""
        address = self._known.get(host)
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
