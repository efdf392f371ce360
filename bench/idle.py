"""What a sandbox costs that nobody types into: memory of all that is ours, by sandbox."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import uvloop

from bench import figures, leftovers, people
from bench.figures import Figure
from brihaspati.entrypoints.cli.fresh import FreshServer

SANDBOXES, SANDBOXES_QUICK = 200, 40
TARGET_MB = 6
AT_A_TIME = 8
_MB = 1024 * 1024
_MEMORY_FILES = ("memory.usage_in_bytes", "memory.current")


def find(quick: bool) -> Iterator[Figure]:  # noqa: FBT001 - a bench is called like this
    """Many sandboxes, each with its first terminal waiting at a prompt."""
    count = SANDBOXES_QUICK if quick else SANDBOXES
    with people.server(pool=0, seats=count) as server:
        before = _proportional(_ours(server))
        uvloop.run(_filled(server, count))
        ours = _proportional(_ours(server))
        inside = _proportional(leftovers.lab_processes(server.folder))
        charged = sum(_charged(server.folder))
    grown = (ours - before) / count
    everything = (ours + charged) / count
    yield Figure(
        "idle",
        f"{count} sandboxes, everything: server, keeper, what the kernel charges each lab",
        round(everything, 2),
        "MB each",
        TARGET_MB,
        beside="JupyterHub (94 MB a student)",
        ratio=round(everything / 94, 3),
    )
    yield Figure("idle", "  server and keeper, growth", round(grown, 3), "MB each")
    yield Figure("idle", "  server and keeper before", round(before, 1), "MB")
    yield Figure("idle", "  charged to a lab's control group", round(charged / count, 2), "MB each")
    yield Figure(
        "idle", "  of that, its processes (shell included)", round(inside / count, 2), "MB each"
    )


async def _filled(server: FreshServer, count: int) -> None:
    async with people.students(server, count) as everybody:
        await people.together(AT_A_TIME, [student.start() for student in everybody])


def _ours(server: FreshServer) -> list[int]:
    return [server.pid, *server.keepers()]


def _proportional(pids: Iterable[int]) -> float:
    """MB of these processes, shared pages divided among those who share them."""
    total_kb = 0
    for pid in pids:
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total_kb += int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return total_kb / 1024


def _charged(folder: Path) -> Iterator[float]:
    """MB charged to the control group of each lab: processes, files in memory, kernel objects."""
    for group in leftovers.cgroups(folder):
        for name in _MEMORY_FILES:
            with contextlib.suppress(OSError):
                yield int((group / name).read_text()) / _MB


if __name__ == "__main__":
    figures.main("idle", find)
