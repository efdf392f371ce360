"""What stands before the API: a host of its own, as a custom domain is.

It tells the emulator from which address a request came, which the emulator itself does not see.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

SOURCE_HEADER = "x-rehearsal-source"  # as emulator.py has it, which runs elsewhere

BODY_BYTES_MAX = 8 << 20
HOP_BY_HOP = frozenset({"connection", "content-length", "host", "transfer-encoding"})


@dataclass
class Front:
    """`api` is the id of the HTTP API that answers; nobody does before it is known."""

    emulator: str
    api: str = ""

    async def pass_on(self, request: web.Request) -> web.Response:
        """The API's answer."""
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        headers["Host"] = f"{self.api}.execute-api.localhost"
        headers[SOURCE_HEADER] = request.remote or ""
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                request.method,
                f"{self.emulator}{request.rel_url}",
                data=await request.read(),
                headers=headers,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                allow_redirects=False,
            ) as answer,
        ):
            kept = [(k, v) for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP]
            body = await answer.read()
        response = web.Response(status=answer.status, body=body)
        for name, value in kept:
            response.headers.add(name, value)
        return response


@contextlib.contextmanager
def serving(front: Front, host: str, port: int) -> Iterator[None]:
    """Serve it until the block ends. Raises OSError when the address is taken."""
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    faults: list[OSError] = []

    async def serve() -> None:
        application = web.Application(client_max_size=BODY_BYTES_MAX)
        application.router.add_route("*", "/{path:.*}", front.pass_on)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            ready.set()
            await stop.wait()
        finally:
            await runner.cleanup()

    def run() -> Any:
        try:
            loop.run_until_complete(serve())
        except OSError as error:
            faults.append(error)
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run, name="front", daemon=True)
    thread.start()
    ready.wait()
    if faults:
        raise faults[0]
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
