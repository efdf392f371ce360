"""A small client of our own API and terminals, for the command line and the class-start bench."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from dataclasses import dataclass
from typing import Any

import aiohttp
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

POLL_SECONDS = 0.05
POLL_SECONDS_MAX = 1
# A server that can, answers when it is done; one that cannot is asked again.
WAIT_SECONDS = 10
OUTPUT, EVENT, REPAINT = 0x00, 0x01, 0x04
ACK_EVERY = 65_536


class ClientError(Exception):
    """The server refused, in its own words."""


class Portal:
    """One person's connection to a portal: JSON requests with their session cookie."""

    def __init__(self, address: str, http: aiohttp.ClientSession, cookie: str | None) -> None:
        self.address = address
        self._http = http
        self._headers = {"Cookie": cookie} if cookie else {}

    def elsewhere(self, address: str, http: aiohttp.ClientSession) -> Portal:
        """The same person at a portal that moved."""
        return Portal(address, http, self._headers.get("Cookie"))

    async def send(self, method: str, path: str, body: Any = None, *, wait: bool = False) -> Any:
        """The JSON answer; with `wait`, once what it asks for is done, if the server can.

        Raises ClientError for a problem.
        """
        url = f"{self.address}{path}"
        headers = {**self._headers, "Prefer": f"wait={WAIT_SECONDS}"} if wait else self._headers
        async with self._http.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            for name, morsel in answer.cookies.items():
                self._headers = {"Cookie": f"{name}={morsel.value}"}
        if answer.status >= 400:
            raise ClientError(_words(answer.status, text))
        return json.loads(text) if text else None

    async def until_phase(self, path: str, phases: tuple[str, ...], seconds_max: float) -> Any:
        """The sandbox once it is in one of these phases. Raises ClientError when it fails."""
        end, pause = time.monotonic() + seconds_max, POLL_SECONDS
        while True:
            sandbox = (await self.send("GET", path, wait=True))["sandbox"]
            if sandbox is None or sandbox["phase"] in phases:
                return sandbox
            if sandbox["phase"] == "failed":
                raise ClientError(sandbox["reason"] or "the lab failed to start")
            if time.monotonic() > end:
                raise ClientError(f"still {sandbox['phase']} after {seconds_max:.0f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, POLL_SECONDS_MAX)

    async def open(
        self, path: str, size: tuple[int, int] = (80, 24), terminal: str = "main"
    ) -> Wire:
        """A terminal of the sandbox at `path`; `size` in columns and rows."""
        return await self.attach(await self.ticket(path, terminal), size)

    async def ticket(self, path: str, terminal: str = "main") -> dict[str, str]:
        """A ticket for the sandbox at `path`, where to use it, and for which terminal."""
        ticket = await self.send("POST", f"{path}/ticket", {"for": "terminal"})
        return {**ticket, "terminal": terminal}

    async def attach(
        self, ticket: dict[str, str], size: tuple[int, int] = (80, 24), after: Wire | None = None
    ) -> Wire:
        """Use a ticket; `after` is the connection before, which had drawn all it was given.

        Raises ClientError when it is refused.
        """
        return await connect(ticket, size, after)


def _words(status: int, text: str) -> str:
    try:
        problem = json.loads(text)
        return " ".join(filter(None, (problem["title"], problem.get("fix"))))
    except (ValueError, KeyError):
        return f"the server answered {status}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """What arrived: output bytes, or why there will be no more."""

    data: bytes = b""
    ended: str | None = None


class Wire(WSListener):
    """One terminal connection: acknowledges what it hands out, as a browser does what it draws."""

    def __init__(self, first: dict[str, Any]) -> None:
        self.chunks: asyncio.Queue[Chunk] = asyncio.Queue()
        self.hello: dict[str, Any] = {}
        self._first = first
        self._seq = 0
        self._acked = 0
        self.transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Send the ticket as the first message."""
        self.transport = transport
        transport.send(WSMsgType.TEXT, json.dumps(self._first).encode())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one frame: the hello, output, a repaint, or an event."""
        if frame.msg_type == WSMsgType.CLOSE:
            self.chunks.put_nowait(Chunk(ended=frame.get_close_reason() or "closed"))
            transport.disconnect()
        elif frame.msg_type == WSMsgType.TEXT:
            self.hello = json.loads(frame.get_payload_as_utf8_text())
            self._seq = self._acked = self.hello["seq"]
            self.chunks.put_nowait(Chunk())
        elif frame.msg_type == WSMsgType.BINARY:
            self._take(frame.get_payload_as_bytes())

    def _take(self, payload: bytes) -> None:
        kind, data = payload[0], payload[1:]
        if kind == OUTPUT:
            self._seq += len(data)
            self.chunks.put_nowait(Chunk(data))
            if self._seq - self._acked >= ACK_EVERY:
                self.acknowledge()
        elif kind == REPAINT:
            self.chunks.put_nowait(Chunk(data))
        elif kind == EVENT:
            event = json.loads(data)
            if event["type"] == "ended":
                self.chunks.put_nowait(Chunk(ended=event.get("reason", "the program ended")))
            elif event["type"] == "skipped":
                self._seq = event["seq"]

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002
        """Nothing more will come."""
        self.chunks.put_nowait(Chunk(ended="disconnected"))

    @property
    def place(self) -> dict[str, Any]:
        """Where to go on after this connection: the number of the next byte, and of which run."""
        return {"since": self._seq, "epoch": self.hello["epoch"]}

    def acknowledge(self) -> None:
        """Tell the server that everything received has been shown."""
        self._acked = self._seq
        self._send(0x02, struct.pack(">Q", self._seq))

    def type(self, data: bytes) -> None:
        """Send keystrokes."""
        self._send(0x00, data)

    def resize(self, columns: int, rows: int) -> None:
        """Tell the program another size."""
        self._send(0x01, struct.pack(">HH", columns, rows))

    def _send(self, kind: int, data: bytes) -> None:
        if self.transport is not None:
            self.transport.send(WSMsgType.BINARY, bytes((kind,)) + data)

    async def read(self, seconds_max: float) -> Chunk:
        """The next chunk. Raises ClientError when none comes in time."""
        try:
            return await asyncio.wait_for(self.chunks.get(), seconds_max)
        except TimeoutError:
            raise ClientError(f"the terminal said nothing for {seconds_max:.0f} s") from None

    async def until(self, wanted: bytes, seconds_max: float) -> bytes:
        """All output up to and with the chunk that completes `wanted`. Raises ClientError."""
        seen = b""
        while wanted not in seen:
            chunk = await self.read(seconds_max)
            if chunk.ended is not None:
                raise ClientError(chunk.ended)
            seen += chunk.data
        return seen

    def close(self) -> None:
        """Hang up this viewer; the terminal itself goes on."""
        if self.transport is not None:
            self.transport.disconnect()


async def connect(ticket: dict[str, str], size: tuple[int, int], after: Wire | None = None) -> Wire:
    """Open the terminal a ticket is for. Raises ClientError when it is refused."""
    place = after.place if after is not None else {"since": None, "epoch": None}
    what = {"ticket": ticket["ticket"], "terminal": ticket["terminal"]}
    wire = Wire({**what, "columns": size[0], "rows": size[1], **place})
    await ws_connect(lambda: wire, ticket["url"], use_aiofastnet=False)
    chunk = await wire.read(10)
    if chunk.ended is not None:
        raise ClientError(chunk.ended)
    return wire
