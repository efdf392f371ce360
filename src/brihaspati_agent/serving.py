"""The agent put together: hub, sockets, previews and one port, on one event loop."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from brihaspati_agent import connections, door, hub, places, previews, sockets, tickets


@dataclass(frozen=True, slots=True)
class Terms:
    """What an agent must be told. `public_key` is the control plane's, 32 bytes."""

    public_key: bytes
    env: str
    origin_allowed: Callable[[str], bool]
    previews: previews.Scheme
    started_at: int


class Agent:
    """Serves the places of this host alone: no portal behind the same port."""

    def __init__(self, at: places.Places, terms: Terms, now: Callable[[], int]) -> None:
        self.hub = hub.Hub(at, now)
        gate = tickets.Gate(terms.public_key, terms.env, now, terms.started_at)
        self._sockets = sockets.Sockets(connections.Service(self.hub, gate, terms.origin_allowed))
        self._previews = previews.Previews(self.hub, gate, terms.previews, now)
        self._http = web.Server(self._previews, auto_decompress=False, handler_cancellation=True)
        self._door = door.Door(functools.partial(sockets.serve_accepted, self._sockets), self._http)

    def open(self, host: str, port: int) -> int:
        """Listen; the port. Raises OSError with a text for a person."""
        return self._door.open(host, port)

    async def close(self) -> None:
        """End every terminal and connection."""
        self._door.close()
        await self.hub.close()
        await self._previews.close()
        self._http.pre_shutdown()
        await self._http.shutdown(timeout=1)
        self._sockets.close()
