"""The local server: one port, one process. Door, agent, API, web page, workers and clock."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import json
import os
import re
import signal
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvloop
from aiohttp import web

from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.http.addresses import Addresses
from brihaspati.entrypoints.http.api import Api
from brihaspati.entrypoints.server.agents import HubAgents
from brihaspati.entrypoints.server.loops import LocalQueue, LocalTimer, Loops
from brihaspati.entrypoints.server.waiting import Bell
from brihaspati.entrypoints.server.web import Site
from brihaspati_agent import connections, sockets
from brihaspati_agent.door import Door
from brihaspati_agent.hub import Hub
from brihaspati_agent.places import Places
from brihaspati_agent.previews import Previews, Scheme
from brihaspati_agent.tickets import Gate

SAID = "server.json"
HEALTH_SECONDS_MAX = 2
WORKERS = 8
_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound


@dataclass(frozen=True, slots=True)
class Parts:
    """What a server is made of; wiring puts it together."""

    engine: Engine
    queue: LocalQueue
    timer: LocalTimer
    tidy: Callable[[], object]
    agents: HubAgents
    bell: Bell
    places: Places
    web: Path
    data: Path
    host: str
    port: int
    origins: tuple[str, ...]
    lab_domain: str
    secure: bool
    code: str


def running_at(data: Path) -> str | None:
    """The address of the server that works on this data folder and answers, or None."""
    try:
        address = str(json.loads((data / SAID).read_text())["address"])
        with urllib.request.urlopen(f"{address}/v1/health", timeout=HEALTH_SECONDS_MAX) as answer:  # noqa: S310 - an address we wrote ourselves
            return address if answer.status == 200 else None
    except (OSError, ValueError, KeyError):
        return None


class LocalServer:
    """Serves until told to end. `address` is known once it is ready."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.address = ""
        self._loops = Loops(parts.engine, parts.queue, parts.timer, parts.tidy)
        self._over: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, ready: Callable[[], None]) -> None:
        """Serve in this thread until SIGINT or SIGTERM. Raises OSError when the port is taken."""
        uvloop.run(self._serve(ready, signals=True))

    @contextlib.contextmanager
    def in_background(self) -> Iterator[None]:
        """Serve in a thread of its own while the context lasts. Raises OSError."""
        ready = threading.Event()
        faults: list[BaseException] = []

        def serve() -> None:
            try:
                uvloop.run(self._serve(ready.set, signals=False))
            except BaseException as fault:  # noqa: BLE001 - handed to the thread that waits
                faults.append(fault)
                ready.set()

        thread = threading.Thread(target=serve, name="server")
        thread.start()
        ready.wait()
        try:
            if faults:
                raise faults[0]
            yield
        finally:
            self.end()
            thread.join()

    def end(self) -> None:
        """Ask the server to end; from any thread, and repeatable."""
        if self._loop is not None and self._over is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._over.set)

    async def _serve(self, ready: Callable[[], None], *, signals: bool) -> None:
        parts = self.parts
        loop = self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        if signals:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self._over.set)
        world = parts.engine.world
        # Which origins are our own is known when the port is; nobody is served before that.
        origins: list[str] = []
        now = world.clock.now
        gate = Gate(world.secrets.public_key(), world.env, now, started_at=now())
        hub = Hub(parts.places, now)
        agent = sockets.Sockets(connections.Service(hub, gate, origins.__contains__))
        previews = Previews(hub, gate, Scheme(parts.lab_domain, parts.secure, origins), now)
        pages = Pages(previews)
        http = web.Server(pages.answer, auto_decompress=False, handler_cancellation=True)
        door = Door(functools.partial(sockets.serve_accepted, agent), http)
        port = door.open(parts.host, parts.port)
        origins += sorted({*parts.origins, *own_origins(parts.host, port, secure=parts.secure)})
        addresses = Addresses(frozenset(origins), parts.lab_domain, parts.secure)
        site = Site(Api(parts.engine, addresses), parts.web, addresses, parts.bell)
        pages.site = site
        self.address = f"{addresses.scheme}://{_reachable(parts.host)}:{port}"
        parts.agents.serve(hub, loop)
        parts.bell.serve(loop)
        self._loops.start(WORKERS)
        said = {"address": self.address, "pid": os.getpid(), "code": parts.code}
        _write(parts.data / SAID, json.dumps(said))
        # All made so far stays: looking through it again and again would stop every request.
        gc.collect()
        gc.freeze()
        try:
            ready()
            await self._over.wait()
        finally:
            (parts.data / SAID).unlink(missing_ok=True)
            door.close()
            await loop.run_in_executor(None, self._loops.stop)
            await hub.close()
            await previews.close()
            await http.shutdown(timeout=1)
            agent.close()
            site.close()


class Pages:
    """Everything but the agent's sockets: the lab's ports by their host names, else the portal."""

    def __init__(self, previews: Previews) -> None:
        self.previews = previews
        self.site: Site | None = None

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        assert self.site is not None
        if self.previews.matches(request.host):
            return await self.previews(request)
        return await self.site.answer(request)


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in _EVERYWHERE else host


def own_origins(host: str, port: int, *, secure: bool) -> frozenset[str]:
    """The origins under which browsers reach a server that listens on `host`."""
    names = {"localhost", "127.0.0.1", _reachable(host)}
    if host in _EVERYWHERE:
        names |= {socket.gethostname(), f"{socket.gethostname()}.local", *_local_addresses()}
    scheme = "https" if secure else "http"
    return frozenset(f"{scheme}://{name}:{port}" for name in names)


def _local_addresses() -> set[str]:
    """This machine's IPv4 addresses, as its routing table knows them."""
    try:
        table = Path("/proc/net/fib_trie").read_text()
    except OSError:
        return set()
    return set(re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", table))
