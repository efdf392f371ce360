"""Both clouds on one loopback port, with a control endpoint for whoever scripts their bad days."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import urllib.parse
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from aiohttp import web

from brihaspati_cloudsim import control
from brihaspati_cloudsim.exchange import Answer, Request
from brihaspati_cloudsim.world import World

TICK_SECONDS = 0.02
BODY_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Address:
    """Where a stand-in listens."""

    host: str
    port: int

    @property
    def root(self) -> str:
        """The base of `/_sim`, and DigitalOcean's base URL (`/v2` follows)."""
        return f"http://{self.host}:{self.port}"

    @property
    def digitalocean(self) -> str:
        """What stands for https://api.digitalocean.com."""
        return self.root

    @property
    def linode(self) -> str:
        """What stands for https://api.linode.com/v4."""
        return f"{self.root}/v4"


class Front:
    """HTTP in, HTTP out; `speed` is how fast the world's clock runs, for delays."""

    def __init__(self, world: World, speed: float = 1.0) -> None:
        self.world = world
        self.speed = speed

    def application(self) -> web.Application:
        """The aiohttp application."""
        application = web.Application(client_max_size=BODY_BYTES_MAX)
        application.router.add_route("*", "/_sim/{what:.*}", self._control)
        application.router.add_route("*", "/{path:.*}", self._cloud)
        return application

    async def tick(self) -> None:
        """Let due things happen, also while nobody asks."""
        while True:
            self.world.settle()
            await asyncio.sleep(TICK_SECONDS)

    async def _control(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            asked = control.Asked(request.method, request.match_info["what"], body)
            answer = await asyncio.to_thread(control.answer, self.world, asked)
        except ValueError as error:
            answer = Answer(400, {"error": str(error)})
        return web.json_response(answer.body, status=answer.status)

    async def _cloud(self, request: web.Request) -> web.StreamResponse:
        given = Request(
            method=request.method,
            path=_decoded(request.rel_url.raw_path),
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        answer = self.world.handle(given)
        if answer.delay_seconds:
            await asyncio.sleep(answer.delay_seconds / self.speed)
        if answer.cut and request.transport is not None:
            request.transport.abort()
        return web.Response(
            body=answer.content(),
            status=answer.status,
            headers=answer.headers,
            content_type=None if answer.body is None else "application/json",
        )


def _decoded(path: str) -> str:
    """A path without escapes, but for slashes inside a part of it."""
    parts = path.split("/")
    return "/".join(urllib.parse.unquote(part).replace("/", "%2F") for part in parts)


@contextlib.asynccontextmanager
async def listening(
    world: World, host: str = "127.0.0.1", port: int = 0, speed: float = 1.0
) -> AsyncIterator[Address]:
    """Serve a world until the block ends; port 0 takes a free one."""
    front = Front(world, speed)
    runner = web.AppRunner(front.application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    ticking = asyncio.create_task(front.tick())
    try:
        yield Address(host, runner.addresses[0][1])
    finally:
        ticking.cancel()
        await runner.cleanup()


@contextlib.contextmanager
def serving(world: World, port: int = 0, speed: float = 1.0) -> Iterator[Address]:
    """Serve a world from a thread of its own, for callers without a loop."""
    ready = threading.Event()
    found: list[Address] = []
    faults: list[OSError] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with listening(world, port=port, speed=speed) as address:
            found.append(address)
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except OSError as error:
            faults.append(error)
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run, name="cloudsim", daemon=True)
    thread.start()
    ready.wait()
    if not found:
        thread.join()
        raise OSError(f"cannot listen on 127.0.0.1:{port}") from (faults[0] if faults else None)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
