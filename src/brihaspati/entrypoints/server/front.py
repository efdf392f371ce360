"""The one port of a local server: door, agent, previews, API and page behind it."""

from __future__ import annotations

import functools
import re
import socket
import time
from pathlib import Path

from aiohttp import web

from brihaspati.entrypoints.http.addresses import Addresses
from brihaspati.entrypoints.http.api import Api
from brihaspati.entrypoints.server import relaying
from brihaspati.entrypoints.server.guesses import Guesses
from brihaspati.entrypoints.server.parts import Parts
from brihaspati.entrypoints.server.web import Site
from brihaspati_agent import connections, sockets
from brihaspati_agent.door import Door
from brihaspati_agent.hub import Hub
from brihaspati_agent.previews import Previews, Scheme
from brihaspati_agent.tickets import Gate

_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound


class Front:
    """Made on the loop that serves it."""

    def __init__(self, parts: Parts) -> None:
        world = parts.engine.world
        now = world.clock.now
        gate = Gate(world.secrets.public_key(), world.env, now, started_at=now())
        # Which origins are our own is known when the port is; nobody is served before that.
        self._origins: list[str] = []
        self._parts = parts
        self._relay = self._relaying(parts)
        far = self._relay
        self.hub = Hub(parts.places, now) if far is None else relaying.FarHub(far, now)
        self._agent = sockets.Sockets(
            connections.Service(self.hub, gate, self._origins.__contains__)
        )
        scheme = Scheme(parts.lab_domain, parts.secure, self._origins)
        self._previews = Previews(self.hub, gate, scheme, now)
        self._site: Site | None = None
        self._http = web.Server(self._answer, auto_decompress=False, handler_cancellation=True)
        self._door = Door(functools.partial(sockets.serve_accepted, self._agent), self._http)

    def open(self) -> str:
        """Listen; our address. Raises OSError with a text for a person."""
        parts = self._parts
        port = self._door.open(parts.host, parts.port)
        own = own_origins(parts.host, port, secure=parts.secure)
        self._origins += sorted({*parts.origins, *own})
        addresses = Addresses(
            frozenset(self._origins),
            parts.lab_domain,
            parts.secure,
            parts.issuer,
            rents=parts.archive is not None,
            relay=parts.relay if self._relay is not None else "never",
            names=parts.names,
        )
        answer = Guesses(Api(parts.engine, addresses, parts.archive), time.monotonic)
        self._site = Site(answer, parts.web, addresses, parts.bell, parts.papers)
        return f"{addresses.scheme}://{_reachable(parts.host)}:{port}"

    def _relaying(self, parts: Parts) -> relaying.Relay | None:
        """What brings browsers to rented machines, where there are such."""
        if parts.way is None or parts.relay == "never":
            return None
        world = parts.engine.world
        # It lets each ticket pass once, and so does the agent that judges it again.
        gate = Gate(world.secrets.public_key(), world.env, world.clock.now, world.clock.now())
        return relaying.Relay(parts.way, gate, self._origins)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The lab's ports by their host names, else the portal."""
        assert self._site is not None
        if self._previews.matches(request.host):
            return await self._previews(request)
        if self._relay is not None and request.path.startswith(relaying.PATH):
            return await self._relay.answer(request)
        answer = await self._site.answer(request)
        if self._parts.secure:
            # A proxy would ask for a WebSocket on a connection that it has used for requests; the
            # door tells them apart by the first bytes of a connection.
            answer.force_close()
        return answer

    def shut(self) -> None:
        """Let nobody in any more."""
        self._door.close()

    async def close(self) -> None:
        """End every terminal and connection."""
        await self.hub.close()
        await self._previews.close()
        # Idle keep-alive connections would otherwise be waited for.
        self._http.pre_shutdown()
        await self._http.shutdown(timeout=1)
        self._agent.close()
        if self._relay is not None:
            await self._relay.close()
        if self._site is not None:
            self._site.close()


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
