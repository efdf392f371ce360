"""The agent of a machine of its own: one HTTPS port for terminals, files and previews.

Without compiled parts, and without what only previews need until somebody opens one: it must start
in a moment from one archive, and leave the machine's memory to the lab.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from brihaspati_agent import connections, door, hub, places, plain_sockets, sorting, tickets, tunnel
from brihaspati_agent.reception import Reception

_logger = logging.getLogger(__name__)
_PREVIEWS = "brihaspati_agent.previews"


@dataclass(frozen=True, slots=True)
class House:
    """What an agent alone serves: which sandbox's tickets, from which pages, under which host.

    `public_key` is the control plane's. `now` is its time. `origins` are the portal's. `host` is a
    name, with a preview's below it, or an address: then `previews` has on which port of the address
    which port of the machine is seen.
    """

    public_key: bytes
    env: str
    origins: Sequence[str]
    host: str
    now: Callable[[], int]
    started_at: int
    previews: Mapping[int, int] = field(default_factory=dict)


class Alone:
    """Made on the loop that serves it."""

    def __init__(self, house: House, at: places.Places) -> None:
        self.hub = hub.Hub(at, house.now, threads=8)
        self._house = house
        self._gate = tickets.Gate(house.public_key, house.env, house.now, house.started_at)
        origins = frozenset(house.origins)
        service = connections.Service(self.hub, self._gate, origins.__contains__)
        self._reception = Reception(service)
        self._tunnels = tunnel.Tunnels(self.hub, self._gate)
        self._crowd = sorting.Crowd()
        self._servers: list[asyncio.base_events.Server] = []
        self._previews: Any = None
        self._http: Any = None
        self._secure = False

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen, there too if called again; the port. Raises OSError."""
        self._secure = tls is not None
        main = sorting.Ways(self._other, self._is_preview, self._own)
        bound = await self._listen(host, port, tls, main)
        shown = sorting.Ways(self._other, self._is_shown)
        for number in self._house.previews:
            try:
                await self._listen(host, number, tls, shown)
            except OSError as error:  # a program of the lab may have been quicker
                _logger.warning("no preview on port %d: %s", number, error)
        return bound

    async def _listen(
        self, host: str, port: int, tls: ssl.SSLContext | None, ways: sorting.Ways
    ) -> int:
        make = functools.partial(sorting.Sorter, ways, self._crowd)
        server = await sorting.listen(host, port, tls, make)
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """End every terminal and connection."""
        for server in self._servers:
            server.close()
        self._tunnels.end()
        await self.hub.close()
        if self._previews is not None:
            await self._previews.close()
            self._http.pre_shutdown()
            await self._http.shutdown(timeout=1)
        self._reception.close()

    def _own(self, head: bytes) -> asyncio.Protocol:
        """What serves a path of the agent's own."""
        if head.startswith(tunnel.PATH):
            return self._tunnels.protocol()
        return plain_sockets.PlainSocket(self._reception)

    def _is_preview(self, head: bytes) -> bool:
        """Whether the host is below our name."""
        return door.host_of(head).partition(b":")[0].endswith(b"." + self._house.host.encode())

    def _is_shown(self, head: bytes) -> bool:
        """Whether the host is our address, with the port of a preview."""
        return door.host_of(head).decode("latin-1") in self._at()

    def _other(self) -> asyncio.Protocol:
        return sorting.Later(_PREVIEWS, self._preview)

    def _at(self) -> dict[str, int]:
        """The previews of an address by what browsers send as Host."""
        host = f"[{self._house.host}]" if ":" in self._house.host else self._house.host
        return {f"{host}:{number}": port for number, port in self._house.previews.items()}

    def _preview(self) -> asyncio.Protocol:
        from aiohttp import web  # noqa: PLC0415 - only whoever opens a preview pays for it

        from brihaspati_agent import previews  # noqa: PLC0415

        if self._http is None:
            scheme = previews.Scheme(
                self._house.host,
                self._secure,
                tuple(self._house.origins),
                apart=True,
                at=self._at(),
            )
            self._previews = previews.Previews(self.hub, self._gate, scheme, self._house.now)
            self._http = web.Server(
                self._previews, auto_decompress=False, handler_cancellation=True
            )
        protocol: asyncio.Protocol = self._http()
        return protocol
