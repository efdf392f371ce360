"""What is left when labs have ended: after many of them, and after a server was killed midway."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator

import aiohttp
import uvloop

from bench import figures, leftovers, people
from bench.figures import Figure
from brihaspati.entrypoints.cli.client import ClientError
from brihaspati.entrypoints.cli.fresh import FreshServer

CYCLES, CYCLES_QUICK = 500, 60
KILLED, KILLED_QUICK = 50, 12
AT_A_TIME = 8
GONE_SECONDS_MAX = 20
KEEP_SECONDS = 60


def find(quick: bool) -> Iterator[Figure]:  # noqa: FBT001 - a bench is called like this
    """Many cycles on one server; then kill -9 in the middle of creations, and back again."""
    cycles = CYCLES_QUICK if quick else CYCLES
    killed = KILLED_QUICK if quick else KILLED
    with people.server(pool=0, seats=killed + 2 * AT_A_TIME, keep_seconds=KEEP_SECONDS) as server:
        uvloop.run(_cycles(server, AT_A_TIME))
        before = leftovers.snapshot(server.folder)
        began = time.monotonic()
        uvloop.run(_cycles(server, cycles))
        seconds = time.monotonic() - began
        yield from _told(f"after {cycles} cycles", _left(server, before), cycles / seconds)
        found = uvloop.run(_killed(server, killed))
        yield Figure("leaks", f"labs found again of {killed}, server killed", found, "labs")
        yield from _told(f"after kill -9 amid {killed}", _left(server, before), None)
        server.stop()
        left = _left(server, before)
        yield Figure("leaks", "after the server ended, keeper and all", len(left), "left", 0)
        _say(left)


def _told(when: str, left: leftovers.Leftovers, rate: float | None) -> Iterator[Figure]:
    kinds = ", ".join(f"{kind} {count}" for kind, count in left.counts().items())
    yield Figure("leaks", when, len(left), "left", 0, beside=kinds)
    if rate is not None:
        yield Figure("leaks", f"  {when}: how fast", round(rate, 1), "cycles/s")
    _say(left)


def _say(left: leftovers.Leftovers) -> None:
    if len(left):
        sys.stderr.write(f"{left}\n")


def _left(server: FreshServer, before: leftovers.Leftovers) -> leftovers.Leftovers:
    """What is left, once nothing goes away any more, or time is up."""
    end = time.monotonic() + GONE_SECONDS_MAX
    while True:
        left = leftovers.snapshot(server.folder) - before
        if not len(left) or time.monotonic() > end:
            return left
        time.sleep(0.1)


async def _cycles(server: FreshServer, count: int) -> None:
    """Create and destroy so many sandboxes, some at a time."""
    left = iter(range(count))

    async def one(student: people.Student) -> None:
        for _ in left:
            await student.start()
            await student.stop()

    async with people.students(server, AT_A_TIME) as everybody:
        await asyncio.gather(*(one(student) for student in everybody))


async def _killed(server: FreshServer, count: int) -> int:
    """Kill the server while it makes labs, start it again, stop all; how many there were then."""
    async with people.students(server, count) as everybody:
        asked = [asyncio.ensure_future(student.start()) for student in everybody]
        done = 0
        while done < count // 5:
            await asyncio.wait([a for a in asked if not a.done()], return_when="FIRST_COMPLETED")
            done = sum(a.done() for a in asked)
        server.kill()
        for fault in await asyncio.gather(*asked, return_exceptions=True):
            if fault is not None and not isinstance(fault, ClientError | aiohttp.ClientError):
                raise fault
    await asyncio.get_running_loop().run_in_executor(None, lambda: server.start(keep_seconds=0))
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        again = [student.at(server.address, http) for student in everybody]
        found = await people.together(AT_A_TIME, [student.stop() for student in again])
    return sum(found)


if __name__ == "__main__":
    figures.main("leaks", find)
