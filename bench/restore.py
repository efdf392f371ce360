"""Coming back to a terminal: until its screen and scrollback are there again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import uvloop

from bench import figures, people
from bench.figures import Figure
from brihaspati.entrypoints.cli.client import Wire
from brihaspati.entrypoints.cli.fresh import FreshServer

RUNS, RUNS_QUICK = 20, 6
TARGET_MS = 200
LINES = 20_000
QUIET_SECONDS = 20
_LAST = f"{LINES}\r\n".encode()


def find(quick: bool) -> Iterator[Figure]:  # noqa: FBT001 - a bench is called like this
    """The same device after a break, and another device that has nothing."""
    runs = RUNS_QUICK if quick else RUNS
    with people.server(pool=0) as server:
        same, other, size = uvloop.run(_measured(server, runs))
    yield _told("same device, missed 100 lines", same)
    yield _told(f"another device, {size / 1000:.0f} kB of screen and scrollback", other)


def _told(how: str, found: list[float]) -> Figure:
    p95 = figures.quantile(found, 0.95)
    beside = f"p50 {figures.middle(found):.1f} ms; ttyd, gotty, wetty: the shell is gone"
    return Figure("restore", f"{how}, p95", round(p95, 1), "ms", TARGET_MS, beside=beside)


async def _measured(server: FreshServer, runs: int) -> tuple[list[float], list[float], float]:
    same: list[float] = []
    other: list[float] = []
    sizes = [0]
    async with people.students(server, 1) as [student]:
        wire, _ = await student.play()
        wire.type(f"seq 1 {LINES}\n".encode())
        await wire.until(_LAST, QUIET_SECONDS)
        for run in range(runs):
            mark = f"mark{run}"
            wire.type(f"sleep 0.3; seq 1 100; echo {mark[:2]}''{mark[2:]}\n".encode())
            await wire.until(b"echo", QUIET_SECONDS)
            wire.acknowledge()
            wire.close()
            await asyncio.sleep(0.6)
            took, wire, _ = await _back(student, mark.encode(), after=wire)
            same.append(took)
            took, second, size = await _back(student, mark.encode(), after=None)
            other.append(took)
            sizes.append(size)
            second.close()
    return same, other, figures.middle(sizes[1:])


async def _back(
    student: people.Student, mark: bytes, after: Wire | None
) -> tuple[float, Wire, int]:
    """Milliseconds from the wish to reconnect to the last of the screen; and its bytes."""
    begun = time.perf_counter()
    ticket = await student.portal.ticket(student.path)
    wire = await student.portal.attach(ticket, after=after)
    seen = await wire.until(mark, QUIET_SECONDS)
    wire.acknowledge()
    return (time.perf_counter() - begun) * 1000, wire, len(seen)


if __name__ == "__main__":
    figures.main("restore", find)
