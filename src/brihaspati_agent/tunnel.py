"""A connection of the control plane to a port of this machine, through the port that is served.

`GET /agent/tunnel` with `Upgrade: brihaspati-tunnel`, and in `Authorization` a ticket for a port
that may `control`. After the answer 101 bytes pass both ways as they are; who reads slowly is
waited for. People get no ticket that may `control`.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import re
import weakref

from brihaspati_agent import hub, places, tickets, wire

PATH = b"GET /agent/tunnel "
UPGRADE = "brihaspati-tunnel"
_HEAD_BYTES_MAX = 16 * 1024
_PIECE_BYTES = 64 * 1024
# Strangers reach this port: whoever asks for nothing is not waited for.
_HEAD_SECONDS = 30.0
_TICKET = re.compile(rb"\r\nauthorization:[ \t]*bearer[ \t]+([^\r\n]+)", re.IGNORECASE)


class Tunnels:
    """Serves them; `end` cuts those that are open."""

    def __init__(
        self, keeper: hub.Hub, gate: tickets.Gate, head_seconds: float = _HEAD_SECONDS
    ) -> None:
        self._hub = keeper
        self._gate = gate
        self._head_seconds = head_seconds
        self._open: weakref.WeakSet[asyncio.StreamWriter] = weakref.WeakSet()

    def protocol(self) -> asyncio.Protocol:
        """What serves one connection, whose first bytes are still to come."""
        reader = asyncio.StreamReader(limit=_HEAD_BYTES_MAX)
        return asyncio.StreamReaderProtocol(reader, self._serve)

    def end(self) -> None:
        """Cut every one."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            try:
                await self._opened(reader, writer)
            except tickets.Refused as refused:
                await _refuse(writer, http.HTTPStatus.FORBIDDEN, str(refused))
            except (wire.Bad, places.NoSuchMachine):
                await _refuse(writer, http.HTTPStatus.GONE, "this lab has ended")
            except places.PlaceError as error:
                await _refuse(writer, http.HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        writer.close()

    async def _opened(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(self._head_seconds):
            head = await reader.readuntil(b"\r\n\r\n")
        given = _TICKET.search(head)
        ticket = self._gate.admit(given[1].decode("latin-1") if given else "", "control")
        port, label = ticket.port, ticket.machines.get(ticket.machine or "")
        if port is None or label is None:
            raise tickets.Refused("forbidden")
        self._hub.check_alive(ticket.sandbox)
        connected = await self._hub.connect(label, port)
        other = await asyncio.open_connection(sock=connected, limit=_PIECE_BYTES)
        words = (
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: {UPGRADE}\r\nConnection: Upgrade\r\n\r\n"
        )
        writer.write(words.encode())
        await carry((reader, writer), other)


async def _refuse(writer: asyncio.StreamWriter, status: http.HTTPStatus, words: str) -> None:
    body = f"{words}\n".encode()
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    await writer.drain()


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def carry(one: Streams, other: Streams) -> None:
    """Copy both ways until both sides have said all; then let go of both."""
    ways = [
        asyncio.ensure_future(_copy(one[0], other[1])),
        asyncio.ensure_future(_copy(other[0], one[1])),
    ]
    try:
        await asyncio.gather(*ways)
    finally:
        for way in ways:
            way.cancel()
        for _, writer in (one, other):
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One way. TLS has no half-closed lines: there the end of one way is the end of both."""
    try:
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
            return
    except OSError:
        pass
    writer.close()
