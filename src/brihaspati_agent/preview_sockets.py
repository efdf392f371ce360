"""A WebSocket of the application in a lab, passed on to the browser."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import aiohttp
import yarl
from aiohttp import web

from brihaspati_agent import preview_headers

_MESSAGE_BYTES_MAX = 64 * 1024 * 1024
_CLOSING_SECONDS = 2


class _Side(Protocol):
    """What both of aiohttp's WebSockets can do."""

    async def receive(self) -> aiohttp.WSMessage: ...
    async def send_str(self, data: str) -> None: ...
    async def send_bytes(self, data: bytes) -> None: ...
    async def ping(self, message: bytes = b"") -> None: ...
    async def pong(self, message: bytes = b"") -> None: ...
    async def close(self, *, code: int = 1000, message: bytes = b"") -> Any: ...


async def relay(
    client: aiohttp.ClientSession,
    request: web.BaseRequest,
    url: yarl.URL,
    headers: preview_headers.Headers,
) -> web.StreamResponse:
    """Open the application's WebSocket, then the browser's, and pass messages until one ends.

    Raises aiohttp.ClientConnectionError or what the place's `connect` raises.
    """
    try:
        theirs = await client.ws_connect(
            url,
            headers=headers,
            protocols=_protocols(request),
            autoping=False,
            autoclose=False,
            max_msg_size=_MESSAGE_BYTES_MAX,
        )
    except aiohttp.WSServerHandshakeError as error:
        return web.Response(status=error.status if error.status >= 400 else 502)
    async with theirs:
        ours = web.WebSocketResponse(
            protocols=[theirs.protocol] if theirs.protocol else [],
            autoping=False,
            autoclose=False,
            compress=False,
            max_msg_size=_MESSAGE_BYTES_MAX,
        )
        await ours.prepare(request)
        await between(theirs, ours)
    return ours


async def between(theirs: _Side, ours: _Side) -> None:
    """Pass messages both ways until one side closes, and close the other likewise.

    Both must neither answer pings nor closes by themselves.
    """
    ways = [
        asyncio.ensure_future(_pass(theirs, ours)),
        asyncio.ensure_future(_pass(ours, theirs)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        # The way that ended is closing the other, which needs a moment to hear of it.
        await asyncio.wait(ways, timeout=_CLOSING_SECONDS)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


def _protocols(request: web.BaseRequest) -> list[str]:
    """The protocols that the browser offers."""
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    return [name.strip() for name in offered.split(",") if name.strip()]


async def _pass(source: _Side, sink: _Side) -> None:
    """Pass messages one way until the source closes; then close the sink likewise."""
    while True:
        message = await source.receive()
        kind = message.type
        if kind is aiohttp.WSMsgType.TEXT:
            await sink.send_str(message.data)
        elif kind is aiohttp.WSMsgType.BINARY:
            await sink.send_bytes(message.data)
        elif kind is aiohttp.WSMsgType.PING:
            await sink.ping(message.data)
        elif kind is aiohttp.WSMsgType.PONG:
            await sink.pong(message.data)
        elif kind is aiohttp.WSMsgType.CLOSE:
            # The source last: once it is closed, aiohttp cancels the handler that we run in.
            await sink.close(code=message.data or 1000, message=(message.extra or "").encode())
            await source.close(code=message.data or 1000)
            return
        elif kind is aiohttp.WSMsgType.CLOSING:
            return  # the other way closes it
        else:
            await sink.close(code=1011 if kind is aiohttp.WSMsgType.ERROR else 1001)
            return
