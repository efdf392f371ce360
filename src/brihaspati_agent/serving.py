"""The agent put together: hub, sockets, previews and the door, on one event loop."""

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
    """Serves the places of this host. Its methods run on the loop it was made on."""

    def __init__(self, at: places.Places, terms: Terms, now: Callable[[], int]) -> None:
        self.hub = hub.Hub(at, now)
        gate = tickets.Gate(terms.public_key, terms.env, now, terms.started_at)
        self.sockets = sockets.Sockets(connections.Service(self.hub, gate, terms.origin_allowed))
        self.previews = previews.Previews(self.hub, gate, terms.previews, now)

    def door(self, http: web.AppRunner) -> door.Door:
        """A door in front of this agent and of an HTTP server (a runner that was set up).

        The server's application should have `previews.middleware` first of all.
        """
        assert http.server is not None
        return door.Door(functools.partial(sockets.serve_accepted, self.sockets), http.server)

    async def close(self) -> None:
        """End every terminal and connection."""
        await self.hub.close()
        await self.previews.close()
        self.sockets.close()


async def http_runner(application: web.Application) -> web.AppRunner:
    """An HTTP server for a `Door`, with the settings that previews need."""
    runner = web.AppRunner(
        application, access_log=None, auto_decompress=False, handler_cancellation=True
    )
    await runner.setup()
    return runner
