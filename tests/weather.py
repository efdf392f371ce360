"""Bad weather between a browser and a real server: a proxy that does what lines and gateways do."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from aiohttp import web

from brihaspati import wiring
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server

API = r" /v1/(?!health)"
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length"}
STOP_SECONDS_MAX = 10

Line = Literal["good", "refused", "silent"]
Kind = Literal["status", "dropped", "lost reply", "cut body"]


@dataclass
class Fault:
    """What happens to the next `times` requests whose "METHOD /path" has `at` in it (a pattern)."""

    kind: Kind
    times: int
    at: str = API
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)


class Weather:
    """Everything that can go wrong on the way, at a test's word; else it only passes things on.

    A "refused" line resets what is open and what comes. A "silent" one lets everything vanish, as
    in a tunnel; sockets that were open then stay silent for ever.
    """

    def __init__(self) -> None:
        self.address = ""
        self.delay_seconds = 0.0
        # What the server was asked, and did: "METHOD /path".
        self.reached: list[str] = []
        self.line: Line = "good"
        self._server = ""
        self._faults: list[Fault] = []
        self._open: set[asyncio.Transport] = set()
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: aiohttp.ClientSession | None = None

    def blows_around(self, server: str) -> None:
        """Pass on to this address from now on."""
        self._server = server

    def answers_with(
        self, status: int, times: int, *, at: str = API, retry_after: int | None = None
    ) -> None:
        """A gateway answers for the server, which hears nothing."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self._faults.append(Fault("status", times, at, status, headers))

    def drops(self, times: int, *, at: str = API) -> None:
        """Requests are lost on their way."""
        self._faults.append(Fault("dropped", times, at))

    def loses_replies(self, times: int, *, at: str = API) -> None:
        """The server does what was asked; its answer is lost."""
        self._faults.append(Fault("lost reply", times, at))

    def cuts_bodies(self, times: int, *, at: str = API) -> None:
        """The line breaks within the answer."""
        self._faults.append(Fault("cut body", times, at))

    def takes_the_line(self, how: Line) -> None:
        """Refused or silent, until it is "good" again."""
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self._take(how), self._loop).result(STOP_SECONDS_MAX)

    def clears(self) -> None:
        """As if nothing had ever been wrong."""
        self._faults.clear()
        self.delay_seconds = 0.0
        self.takes_the_line("good")

    async def _take(self, how: Line) -> None:
        self.line = how
        self._changed.set()
        self._changed = asyncio.Event()
        if how == "refused":
            for transport in list(self._open):
                transport.abort()

    async def serve(self, ready: threading.Event, over: asyncio.Event) -> None:
        """Until it is over."""
        self._loop = asyncio.get_running_loop()
        jar = aiohttp.DummyCookieJar()
        # The server tells sockets from requests by the first bytes of a connection.
        fresh = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(
            connector=fresh, auto_decompress=False, cookie_jar=jar
        ) as self._client:
            server = web.Server(self._answer, handler_cancellation=True)
            listening = await self._loop.create_server(server, "127.0.0.1", 0)
            host, port = listening.sockets[0].getsockname()
            self.address = f"http://{host}:{port}"
            ready.set()
            await over.wait()
            listening.close()
            await self._take("refused")
            await server.shutdown(0)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        self._open.add(transport)
        try:
            if not await self._gets_through():
                return _gone(transport)
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._socket(request)
            return await self._asked(request, transport)
        finally:
            self._open.discard(transport)

    async def _gets_through(self) -> bool:
        if self.line == "silent":
            await self._changed.wait()
            return False
        return self.line == "good"

    async def _asked(
        self, request: web.BaseRequest, transport: asyncio.Transport
    ) -> web.StreamResponse:
        line = f"{request.method} {request.path}"
        fault = self._next_fault(line)
        if fault and fault.kind == "dropped":
            return _gone(transport)
        if fault and fault.kind == "status":
            answer = web.Response(status=fault.status, text="<h1>Gateway</h1>")
            answer.headers.update(fault.headers)
        else:
            answer = await self._pass_on(request)
            self.reached.append(line)
        if re.search(API, line):
            with suppress(TimeoutError):  # or until the line changes
                await asyncio.wait_for(self._changed.wait(), self.delay_seconds)
        if (fault and fault.kind == "lost reply") or not await self._gets_through():
            return _gone(transport)
        answer.force_close()  # Chromium repeats by itself what fails on a used connection
        if fault and fault.kind == "cut body":
            return await _half(request, answer, transport)
        return answer

    def _next_fault(self, line: str) -> Fault | None:
        for fault in self._faults:
            if fault.times > 0 and re.search(fault.at, line):
                fault.times -= 1
                return fault
        return None

    async def _pass_on(self, request: web.BaseRequest) -> web.Response:
        assert self._client is not None
        headers = [(n, v) for n, v in request.headers.items() if n.lower() not in HOP_BY_HOP]
        body = await request.read()
        try:
            asked = self._client.request(
                request.method,
                f"{self._server}{request.raw_path}",
                headers=headers,
                data=body or None,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
            async with asked as answer:
                whole = web.Response(status=answer.status, body=await answer.read())
                whole.headers.extend(
                    (n, v) for n, v in answer.headers.items() if n.lower() not in HOP_BY_HOP
                )
                return whole
        except aiohttp.ClientError:
            return web.Response(status=502, text="<h1>Nobody there</h1>")

    async def _socket(self, request: web.BaseRequest) -> web.StreamResponse:
        assert self._client is not None
        headers = {n: v for n, v in request.headers.items() if n in ("Host", "Origin", "Cookie")}
        try:
            there = await self._client.ws_connect(
                f"{self._server}{request.raw_path}", headers=headers, max_msg_size=0
            )
        except aiohttp.ClientError:
            return web.Response(status=502)
        here = web.WebSocketResponse(compress=False, max_msg_size=0)
        await here.prepare(request)
        both = [asyncio.create_task(self._relay(a, b)) for a, b in ((here, there), (there, here))]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for one in both:
            one.cancel()
        with suppress(ConnectionError, RuntimeError):
            await there.close()
            await here.close(code=there.close_code or aiohttp.WSCloseCode.OK)
        return here

    async def _relay(
        self,
        source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
        target: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    ) -> None:
        vanished = False
        async for message in source:
            vanished = vanished or self.line == "silent"
            if vanished:
                continue
            if message.type is aiohttp.WSMsgType.TEXT:
                await target.send_str(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await target.send_bytes(message.data)


async def _half(
    request: web.BaseRequest, whole: web.Response, transport: asyncio.Transport
) -> web.StreamResponse:
    """The head of an answer and half of its body."""
    assert isinstance(whole.body, bytes)
    cut = web.StreamResponse(status=whole.status, headers=whole.headers)
    cut.content_length = len(whole.body)
    await cut.prepare(request)
    await cut.write(whole.body[: len(whole.body) // 2])
    transport.close()
    return cut


def _gone(transport: asyncio.Transport) -> web.StreamResponse:
    """No answer at all. What is returned goes nowhere."""
    transport.abort()
    return web.Response()


@contextmanager
def weather() -> Iterator[Weather]:
    """A proxy of its own, in a thread of its own."""
    sky, ready, loops = Weather(), threading.Event(), []

    async def blow() -> None:
        over = asyncio.Event()
        loops.append((asyncio.get_running_loop(), over))
        await sky.serve(ready, over)

    thread = threading.Thread(target=lambda: asyncio.run(blow()), name="weather")
    thread.start()
    ready.wait()
    try:
        yield sky
    finally:
        [(loop, over)] = loops
        loop.call_soon_threadsafe(over.set)
        thread.join(STOP_SECONDS_MAX)


@contextmanager
def server_in_weather(**settings: object) -> Iterator[tuple[FreshServer, Weather]]:
    """A server whose browsers come through the weather."""
    with weather() as sky:
        given = {"seats": 50, "pool": 0, "origins": sky.address, **settings}
        with fresh_server(wiring.open_shop({}), **given) as server:
            sky.blows_around(server.address)
            yield server, sky
