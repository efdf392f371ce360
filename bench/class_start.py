"""A class presses Play at once, with `brihaspati bench class-start`: cold and with a pool."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from bench import figures
from bench.figures import Figure

STUDENTS, STUDENTS_QUICK = 100, 30
COLD_MS, POOL_MS = 3000, 500
SECONDS_MAX = 240
# What a student alone waits for at the nearest peer, on two cores; its figures are not ours to run.
PEER = "JupyterHub, one student alone: 4.1 s, 94 MB, 2.6 CPU s"
PEER_MS, PEER_MB, PEER_CPU_SECONDS = 4100, 94, 2.6


def find(quick: bool) -> Iterator[Figure]:  # noqa: FBT001 - a bench is called like this
    """Both ways."""
    count = STUDENTS_QUICK if quick else STUDENTS
    yield from _told(count, 0, COLD_MS)
    yield from _told(count, count, POOL_MS)


def _told(count: int, pool: int, target: float) -> Iterator[Figure]:
    found = _measured(count, pool)
    how = f"{count} students, {'pool' if pool else 'cold'}"
    p95 = found["p95_ms"]
    yield Figure("class-start", f"{how}, p50", found["p50_ms"], "ms")
    yield Figure(
        "class-start", f"{how}, p95", p95, "ms", target, beside=PEER, ratio=round(p95 / PEER_MS, 3)
    )
    yield Figure("class-start", f"{how}, max", found["max_ms"], "ms")
    yield Figure("class-start", f"{how}, errors", found["errors"], "", 0)
    yield Figure(
        "class-start",
        f"{how}, peak of server and keeper",
        found["peak_mb"],
        "MB",
        beside="what as many at JupyterHub take",
        ratio=round(found["peak_mb"] / (PEER_MB * count), 4),
    )
    yield Figure(
        "class-start",
        f"{how}, server and labs",
        found["cpu_seconds"],
        "CPU s",
        beside="what as many at JupyterHub take",
        ratio=round(found["cpu_seconds"] / (PEER_CPU_SECONDS * count), 4),
    )
    yield Figure("class-start", f"{how}, the students", found["client_cpu_seconds"], "CPU s")


def _measured(count: int, pool: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "brihaspati", "bench", "class-start", "--json"]
    asked = [*command, "--students", str(count), "--pool", str(pool)]
    ended = subprocess.run(asked, capture_output=True, timeout=SECONDS_MAX, check=False)
    try:
        found: dict[str, Any] = json.loads(ended.stdout)
    except ValueError:
        raise SystemExit(f"class-start said: {ended.stderr.decode()[-500:]}") from None
    return found


if __name__ == "__main__":
    figures.main("class_start", find)
