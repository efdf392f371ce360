"""A student of a running server, over the same API and terminals that a browser uses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp

from brihaspati.entrypoints.cli.client import Portal
from brihaspati.entrypoints.cli.fresh import FreshServer

HELLO = "/v1/classes/demo/labs/hello/sandbox"
LATE_SECONDS_MAX = 90  # the processor is shared
T = TypeVar("T")


class Student:
    """A student who keeps their cookie over the server's troubles."""

    def __init__(self, server: FreshServer, name: str, path: str = HELLO) -> None:
        self.server = server
        self.name = name
        self.path = path
        self.headers: dict[str, str] = {}

    def do(self, work: Callable[[Portal], Awaitable[T]]) -> T:
        """Do something over a new connection to the server as it is now."""

        async def run() -> T:
            async with aiohttp.ClientSession() as session:
                portal = Portal(self.server.address, session, self.headers.get("Cookie"))
                if not self.headers:
                    body = {"code": self.server.code, "name": self.name}
                    await portal.send("POST", "/v1/join", body)
                    self.headers = dict(portal._headers)
                return await work(portal)

        return asyncio.run(run())

    def phase(self, *wanted: str) -> str:
        """The sandbox's phase, once it is one of these."""

        async def wait(portal: Portal) -> str:
            sandbox = await portal.until_phase(self.path, wanted, LATE_SECONDS_MAX)
            return str(sandbox["phase"])

        return self.do(wait)

    def play(self) -> None:
        """Press Play and wait until the lab is ready."""
        self.do(lambda portal: portal.send("PUT", self.path))
        self.phase("ready")

    def stop(self) -> None:
        """Stop the lab and wait until it is gone."""
        self.do(lambda portal: portal.send("DELETE", self.path))
        self.phase("gone")

    def type(self, line: str, wanted: str) -> None:
        """Type a line into the terminal and wait for some output."""

        async def typed(portal: Portal) -> None:
            wire = await portal.open(self.path)
            wire.type(f"{line}\n".encode())
            await wire.until(wanted.encode(), LATE_SECONDS_MAX)
            wire.close()

        self.do(typed)

    def ticket(self) -> dict[str, str]:
        """A ticket for a terminal, and where to use it."""
        return self.do(lambda portal: portal.ticket(self.path))
