"""Carries connections between a machine's network and loopback, where everybody else is."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import struct
from collections.abc import Awaitable, Callable

SO_ORIGINAL_DST = 80
CHUNK_BYTES = 1 << 16
LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Connect = Callable[[str, int], Awaitable[Streams]]


async def carry(one: Streams, other: Streams) -> None:
    """Copy both ways until both are done; half-closed stays half-closed."""
    try:
        await asyncio.gather(_copy(one[0], other[1]), _copy(other[0], one[1]))
    finally:
        for _, writer in (one, other):
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def abort(streams: Streams) -> None:
    """End a connection as one that was refused."""
    transport = streams[1].transport
    given = transport.get_extra_info("socket")
    if given is not None:
        linger = struct.pack("ii", 1, 0)
        with contextlib.suppress(OSError):
            given.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


def wanted(streams: Streams) -> tuple[str, int] | None:
    """Where a redirected connection was meant to go; None for nowhere on loopback."""
    given = streams[1].get_extra_info("socket")
    found = given.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
    port, packed = struct.unpack_from("!2xH4s", found)
    address = ipaddress.ip_address(packed)
    return (str(address), port) if address in LOOPBACK else None


def outward(inside: Connect, source: str, allowed: Callable[[int], bool]) -> Serve:
    """Serve what a machine sends out: to its own listener if it has one, else to loopback."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        given = (reader, writer)
        target = wanted(given)
        if target is None:
            abort(given)
            return
        try:
            try:
                other = await inside(*target)
            except OSError:
                if not allowed(target[1]):
                    raise
                other = await asyncio.open_connection(*target, local_addr=(source, 0))
        except OSError:
            abort(given)
            return
        await carry(given, other)

    return serve


def inward(inside: Connect, port: int, allowed: Callable[[int], bool]) -> Serve:
    """Serve what comes to a machine's address at one port, while its firewall lets it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        given = (reader, writer)
        if not allowed(port):
            abort(given)
            return
        try:
            other = await inside("127.0.0.1", port)
        except OSError:
            abort(given)
            return
        await carry(given, other)

    return serve
