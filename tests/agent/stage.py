"""A whole agent on a loopback port, and clients that speak to it over real sockets."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import gc
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import picows
import uvloop
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from brihaspati_agent import (
    connections,
    door,
    hub,
    local,
    places,
    previews,
    sockets,
    tickets,
    viewers,
)

PORTAL = "http://localhost:8000"
ENV = "test"
SHELL = ["/bin/bash", "--norc", "--noprofile", "--noediting"]
# Programs are started meanwhile, and the processor is shared.
PATIENCE_SECONDS = 40


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario on the loop that the product uses."""
    uvloop.run(scenario())


async def busy_seconds(seconds: float) -> float:
    """The processor time that this loop's thread spends while so much time goes by.

    Looking for garbage among all that a worker has loaded is not what was asked.
    """
    gc.disable()
    before = time.thread_time()
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), seconds)
        return time.thread_time() - before
    finally:
        gc.enable()


def seal(payload: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A ticket as the control plane makes it."""
    body = json.dumps(payload).encode()
    signature = sign(tickets.SIGNED_PREFIX + body)
    return ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (body, signature)
    )


@dataclass
class Clock:
    """Stands still until told otherwise."""

    at: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.at


@dataclass
class Signer:
    """A control plane's key, and the tickets it would make."""

    clock: Clock
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def payload(self, **changes: Any) -> dict[str, Any]:
        return {
            "v": 1,
            "id": os.urandom(12).hex(),
            "sandbox": "abc234",
            "env": ENV,
            "machines": {"main": "bh-test-abc234-a1-main"},
            "terminals": {"main": ["main", SHELL]},
            "user": "u1",
            "name": "Ann",
            "may": ["terminal"],
            "port": None,
            "machine": None,
            "issued_at": self.clock(),
            "expires_at": self.clock() + 60_000,
            **changes,
        }

    def ticket(self, **changes: Any) -> str:
        return seal(self.payload(**changes), self.key.sign)

    def running(self, command: Sequence[str], **changes: Any) -> str:
        """A ticket whose main terminal runs this command."""
        return self.ticket(terminals={"main": ["main", list(command)]}, **changes)


class Client(picows.WSListener):
    """Speaks the terminal protocol and remembers everything it was told."""

    def __init__(self, *, draws: bool = True) -> None:
        self.draws = draws
        self.hello: dict[str, Any] = {}
        self.texts: list[dict[str, Any]] = []
        self.output = bytearray()
        self.repaint = bytearray()
        self.events: list[dict[str, Any]] = []
        self.pongs: list[bytes] = []
        self.frames: list[int] = []
        self.seq = 0
        self.closed: tuple[int, str] | None = None
        self.over = False
        self.transport: Any = None
        self._news = asyncio.Event()

    # --- received ----------------------------------------------------------------------------
    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        data = frame.get_payload_as_bytes()
        if frame.msg_type == picows.WSMsgType.TEXT:
            self._text(json.loads(data))
        elif frame.msg_type == picows.WSMsgType.BINARY:
            self._binary(data[0], data[1:])
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            code = int(frame.get_close_code())  # type: ignore[call-overload]
            self.closed = (code, frame.get_close_reason() or "")
            transport.disconnect()
        self._news.set()

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:  # noqa: ARG002
        self.over = True
        self._news.set()

    def _text(self, message: dict[str, Any]) -> None:
        self.texts.append(message)
        if message.get("type") == "hello":
            self.hello = message
            self.seq = message.get("seq", 0)

    def _binary(self, opcode: int, body: bytes) -> None:
        self.frames.append(opcode)
        if opcode == 0:
            self.output += body
            self.seq += len(body)
            if self.draws:
                self.ack(self.seq)
        elif opcode == 1:
            self.events.append(json.loads(body))
            if self.events[-1]["type"] == "skipped":
                self.seq = self.events[-1]["seq"]
        elif opcode == 3:
            self.pongs.append(body)
        elif opcode == 4:
            self.repaint += body

    @property
    def screen(self) -> bytes:
        """All that was drawn, repaints first."""
        return bytes(self.repaint + self.output)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind."""
        return [event for event in self.events if event["type"] == kind]

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for news that make it true."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while not true():
            self._news.clear()
            if self.over and not true():
                raise AssertionError(f"closed {self.closed}; saw {self.screen[-400:]!r}")
            left = ends - time.monotonic()
            if left <= 0:
                raise AssertionError(f"saw {self.screen[-400:]!r}, {self.events[-3:]}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left)

    async def ended(self) -> None:
        """The program ended, before or after this client came."""
        await self.until(lambda: self.hello["ended"] or self.told("ended"))

    async def shows(self, wanted: bytes) -> None:
        await self.until(lambda: wanted in self.screen)

    async def is_closed(self) -> tuple[int, str]:
        """The close code and reason."""
        await self.until(lambda: self.over)
        assert self.closed is not None
        return self.closed

    # --- sent --------------------------------------------------------------------------------
    def say(self, message: Mapping[str, Any]) -> None:
        self.transport.send(picows.WSMsgType.TEXT, json.dumps(message))

    def send(self, data: bytes) -> None:
        self.transport.send(picows.WSMsgType.BINARY, data)

    def type(self, text: str) -> None:
        self.send(b"\x00" + text.encode())

    def ack(self, seq: int) -> None:
        self.send(b"\x02" + seq.to_bytes(8, "big"))

    def resize(self, columns: int, rows: int) -> None:
        self.send(b"\x01" + columns.to_bytes(2, "big") + rows.to_bytes(2, "big"))

    async def leave(self) -> None:
        self.transport.disconnect()
        await self.until(lambda: self.over)


@dataclass
class Stage:
    """The agent under test and the way to it."""

    port: int
    clock: Clock
    signer: Signer
    hub: hub.Hub
    door: door.Door
    sockets: sockets.Sockets
    previews: previews.Previews
    _clients: list[Client] = field(default_factory=list)

    async def connect(
        self,
        path: str = "/agent/terminal",
        *,
        draws: bool = True,
        lives: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Client:
        """A WebSocket on which nothing was said yet."""
        _, client = await picows.ws_connect(
            lambda: Client(draws=draws),
            f"ws://127.0.0.1:{self.port}{path}",
            extra_headers=list((headers or {}).items()),
            enable_auto_pong=lives,
        )
        assert isinstance(client, Client)
        self._clients.append(client)
        return client

    async def open(self, ticket: str | None = None, *, draws: bool = True, **first: Any) -> Client:
        """A terminal that has said hello."""
        client = await self.connect(draws=draws)
        client.say(self.first(ticket, **first))
        await client.until(lambda: client.hello)
        return client

    def first(self, ticket: str | None = None, **changes: Any) -> dict[str, Any]:
        """The first message of a terminal."""
        return {
            "ticket": ticket or self.signer.ticket(),
            "terminal": "main",
            "columns": 80,
            "rows": 24,
            "since": None,
            "epoch": None,
            **changes,
        }

    async def refused(self, ticket: str | None = None, **first: Any) -> tuple[int, str]:
        """The close code and reason that answer a first message."""
        client = await self.connect()
        client.say(self.first(ticket, **first))
        return await client.is_closed()

    async def control(self, **changes: Any) -> Client:
        """A control socket that was let in."""
        client = await self.connect("/agent/control")
        client.say({"ticket": self.signer.ticket(may=["control"], **changes)})
        await client.until(lambda: client.hello)
        return client

    async def files(self, **changes: Any) -> Client:
        """A files socket that was let in."""
        client = await self.connect("/agent/files")
        client.say({"ticket": self.signer.ticket(may=["files"], **changes)})
        await client.until(lambda: client.hello)
        return client

    async def end(self) -> None:
        for client in self._clients:
            client.transport.disconnect(graceful=False)


class _PlainPlace(local.LocalPlace):
    """This machine; its login shell reads no files of whoever runs the tests, which may be slow."""

    def terminal(self, command: Sequence[str] | None, columns: int, rows: int) -> places.Terminal:
        return super().terminal(command or [*SHELL, "--login"], columns, rows)


def anywhere(label: str) -> places.Place:
    """Every label is this machine, except those that say they are gone."""
    if "gone" in label:
        raise places.NoSuchMachine(label)
    return _PlainPlace()


@contextlib.asynccontextmanager
async def staged(
    at: places.Places = anywhere,
    limits: viewers.Limits | None = None,
    origins: Sequence[str] = (PORTAL,),
    *,
    secure: bool = False,
    **service: Any,
) -> AsyncIterator[Stage]:
    """An agent that serves `at` on a port of its own, until the scenario ends."""
    clock = Clock()
    signer = Signer(clock)
    keeper = hub.Hub(at, clock, limits)
    gate = tickets.Gate(signer.public, ENV, clock, clock() - 1)
    allowed = frozenset(origins).__contains__
    entry = sockets.Sockets(connections.Service(keeper, gate, allowed, **service))
    scheme = previews.Scheme("localhost", secure, tuple(origins))
    proxy = previews.Previews(keeper, gate, scheme, clock)
    server = web.Server(_portal(proxy), auto_decompress=False, handler_cancellation=True)
    front = door.Door(functools.partial(sockets.serve_accepted, entry), server)
    stage = Stage(front.open("127.0.0.1", 0), clock, signer, keeper, front, entry, proxy)
    try:
        yield stage
    finally:
        await stage.end()
        front.close()
        await keeper.close()
        await proxy.close()
        server.pre_shutdown()
        await server.shutdown(timeout=1)
        entry.close()


def _portal(
    proxy: previews.Previews,
) -> Callable[[web.BaseRequest], Coroutine[Any, Any, web.StreamResponse]]:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if proxy.matches(request.host):
            return await proxy(request)
        return web.Response(text=f"portal {request.path}")

    return handle
