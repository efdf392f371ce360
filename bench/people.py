"""Students of a real server, as the benches need them: join, play, stop."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

from brihaspati import wiring
from brihaspati.entrypoints.cli.bench import wait_warm
from brihaspati.entrypoints.cli.client import Portal, Wire
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server
from brihaspati.entrypoints.cli.pressing import Timing, press_play

LAB = "hello"
STOP_SECONDS_MAX = 60
_T = TypeVar("_T")
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Student:
    """One student with a seat."""

    portal: Portal
    path: str

    async def play(self) -> tuple[Wire, Timing]:
        """Press Play and wait for the prompt. Raises ClientError."""
        return await press_play(self.portal, self.path)

    async def start(self) -> None:
        """Press Play and wait until the lab is ready, without looking at it."""
        answer = await self.portal.send("PUT", self.path, wait=True)
        if answer["sandbox"]["phase"] != "ready":
            await self.portal.until_phase(self.path, ("ready",), STOP_SECONDS_MAX)

    async def stop(self) -> bool:
        """Press Stop and wait until everything is gone; False when there was nothing."""
        sandbox = (await self.portal.send("DELETE", self.path, wait=True))["sandbox"]
        if sandbox is not None and sandbox["phase"] not in ("gone", "failed"):
            await self.portal.until_phase(self.path, ("gone",), STOP_SECONDS_MAX)
        return sandbox is not None

    async def raise_hand(self) -> None:
        """Ask the trainer to come."""
        hand = f"{self.path.removesuffix('/sandbox')}/hand"
        await self.portal.send("PUT", hand, {"text": "It prints nothing."})

    def at(self, address: str, http: aiohttp.ClientSession) -> Student:
        """The same student when the server came back elsewhere."""
        return Student(self.portal.elsewhere(address, http), self.path)


def server(**settings: object) -> AbstractContextManager[FreshServer]:
    """A server of its own over an empty folder; BRIHASPATI_ settings in lower case."""
    return fresh_server(wiring.open_shop({}), **settings)


def wait_pool(running: FreshServer, size: int) -> None:
    """Wait until so many sandboxes are warm. Raises ClientError."""
    wait_warm(running, LAB, size, lambda *_: None)


@asynccontextmanager
async def students(running: FreshServer, count: int) -> AsyncIterator[list[Student]]:
    """So many students who have joined the demo class."""
    connector = aiohttp.TCPConnector(limit=0)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as http:
        yield await together(8, [_joined(running, http) for _ in range(count)])


async def _joined(running: FreshServer, http: aiohttp.ClientSession) -> Student:
    portal = Portal(running.address, http, None)
    body = {"code": running.code, "name": f"Student {next(_numbers)}"}
    joined = await portal.send("POST", "/v1/join", body)
    return Student(portal, f"/v1/classes/{joined['class_id']}/labs/{LAB}/sandbox")


async def together(side_by_side: int, work: Sequence[Coroutine[Any, Any, _T]]) -> list[_T]:
    """Every result, with at most so many at work at a time."""
    turns = asyncio.Semaphore(side_by_side)

    async def one(task: Coroutine[Any, Any, _T]) -> _T:
        async with turns:
            return await task

    return list(await asyncio.gather(*(one(task) for task in work)))
