"""A rented machine's agent in this process, a client that trusts it, and programs of its lab."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

import pebble
from agent import stage
from brihaspati_agent import alone, certificates

HOST = "l-abc234.lab.test"


@dataclass
class Machine:
    """The agent under test, and a client that trusts it and finds every name there."""

    port: int
    signer: stage.Signer
    client: aiohttp.ClientSession

    def at(self, path: str, host: str = HOST, scheme: str = "https") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


class Here(aiohttp.abc.AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:  # noqa: ARG002
        return [
            {
                "hostname": host,
                "host": "127.0.0.1",
                "port": port,
                "family": 2,
                "proto": 0,
                "flags": 0,
            }
        ]

    async def close(self) -> None:
        """Nothing to close."""


@contextlib.asynccontextmanager
async def machine(
    folder: Path, host: str = HOST, previews: Mapping[int, int] | None = None, *, tls: bool = True
) -> AsyncIterator[Machine]:
    clock = stage.Clock()
    signer = stage.Signer(clock)
    chain, key = pebble.certificate_for(folder, f"DNS:{HOST}", f"DNS:*.{HOST}", "IP:127.0.0.1")
    certified = certificates.Tls()
    certified.serve(chain.read_bytes(), key.read_bytes())
    house = alone.House(
        signer.public, stage.ENV, (stage.PORTAL,), host, clock, clock() - 1, previews or {}
    )
    served = alone.Alone(house, stage.anywhere)
    port = await served.open("127.0.0.1", 0, certified.context if tls else None)
    trust = ssl.create_default_context(cafile=str(chain))
    connector = aiohttp.TCPConnector(ssl=trust, resolver=Here())
    try:
        async with aiohttp.ClientSession(connector=connector) as client:
            yield Machine(port, signer, client)
    finally:
        await served.close()


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """On asyncio's own loop, which is what an archive has."""
    asyncio.run(asyncio.wait_for(scenario(), 90))


async def page(request: web.BaseRequest) -> web.StreamResponse:
    """A page of the lab, which says what cookies came, and a WebSocket that echoes once."""
    if request.headers.get("Upgrade") == "websocket":
        line = web.WebSocketResponse()
        await line.prepare(request)
        await line.send_str(f"echo {await line.receive_str()}")
        await line.close()
        return line
    if request.method == "POST":
        return web.Response(body=await request.content.read())
    return web.Response(text=f"cookies: {request.headers.get('Cookie')}")


@contextlib.asynccontextmanager
async def application() -> AsyncIterator[int]:
    """A web server of the lab; its port."""
    runner = web.ServerRunner(web.Server(page))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def first(ticket: str) -> str:
    said = {"ticket": ticket, "terminal": "main", "columns": 80, "rows": 24}
    return json.dumps({**said, "since": None, "epoch": None})


async def output_until(line: aiohttp.ClientWebSocketResponse[Any], wanted: bytes) -> bytes:
    """What the program printed, until it printed this."""
    found = b""
    while wanted not in found:
        message = await line.receive(timeout=stage.PATIENCE_SECONDS)
        assert message.type == aiohttp.WSMsgType.BINARY, message
        if message.data[:1] in (b"\x00", b"\x04"):
            found += message.data[1:]
    return found
