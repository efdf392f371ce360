"""`brihaspati bench class-start`: a whole class presses Play at once, on a real server."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass
from typing import Any

import aiohttp
import click
import uvloop

from brihaspati.entrypoints.cli.client import ClientError, Portal
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server
from brihaspati.entrypoints.cli.pressing import press_play
from brihaspati.entrypoints.cli.printing import json_option, progress, say, table
from brihaspati.entrypoints.cli.shop import Progress, Shop

POOL_SECONDS_MAX = 180


@dataclass(slots=True)
class Student:
    """One student's times in milliseconds; `fault` when something went wrong."""

    joined_ms: float = 0
    prompt_ms: float = 0
    fault: str | None = None


@click.group()
def bench() -> None:
    """Measure this host."""


@bench.command("class-start")
@click.option("--students", type=click.IntRange(1, 1000), default=30, show_default=True)
@click.option("--lab", default="hello", show_default=True)
@click.option("--pool", type=click.IntRange(0, 1000), default=0, help="Warm sandboxes waiting.")
@json_option
@click.pass_obj
def class_start(shop: Shop, students: int, lab: str, pool: int, *, as_json: bool) -> int:
    """N students join and press Play at once; time from Play to a prompt in the browser's socket.

    Runs a server of its own, in its own process with an empty data folder, and removes both. CPU
    seconds are those of the joins and the Plays, of the server and all its labs; memory its peak.
    """
    with progress() as report, fresh_server(shop, pool=pool, seats=students) as server:
        wait_warm(server, lab, pool, report)
        report(f"{students} students press Play", None)
        cpu, before = server.cpu_seconds(), time.process_time()
        found, seconds = uvloop.run(_class(server.address, server.code, students, lab))
        spent = server.cpu_seconds() - cpu
        peak = server.peak_mb()
    faults = [s.fault for s in found if s.fault]
    prompts = sorted(s.prompt_ms for s in found if not s.fault) or [0.0]
    joined = sorted(s.joined_ms for s in found)
    value: dict[str, Any] = {
        "students": students,
        "pool": pool,
        "p50_ms": round(statistics.median(prompts), 1),
        "p95_ms": round(_p95(prompts), 1),
        "max_ms": round(prompts[-1], 1),
        "join_p95_ms": round(_p95(joined), 1),
        "errors": len(faults),
        "seconds": round(seconds, 2),
        "peak_mb": round(peak, 1),
        "cpu_seconds": round(spent, 2),
        "client_cpu_seconds": round(time.process_time() - before, 2),
    }
    if faults:
        value["first_error"] = faults[0]
    rows = list(value.items())
    say(value, as_json=as_json, text=lambda out: out.print(table(("figure", "value"), rows)))
    return 1 if faults else 0


def _p95(ordered: list[float]) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def wait_warm(server: FreshServer, lab: str, pool: int, report: Progress) -> None:
    """Wait until the pool is full. Raises ClientError."""
    end = time.monotonic() + POOL_SECONDS_MAX
    while (warm := server.warm(lab)) < pool:
        report(f"{warm} of {pool} sandboxes are warm", warm / pool)
        if time.monotonic() > end:
            raise ClientError(f"the pool is not full after {POOL_SECONDS_MAX} s")
        time.sleep(0.1)


async def _class(address: str, code: str, count: int, lab: str) -> tuple[list[Student], float]:
    connector = aiohttp.TCPConnector(limit=0)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as http:
        portals = [Portal(address, http, None) for _ in range(count)]
        found = [Student() for _ in range(count)]
        ids = await asyncio.gather(
            *(_join(p, s, code, n) for n, (p, s) in enumerate(zip(portals, found, strict=True)))
        )
        begun = time.perf_counter()
        pairs = zip(portals, found, ids, strict=True)
        await asyncio.gather(*(_press_play(p, s, class_id, lab) for p, s, class_id in pairs))
        return found, time.perf_counter() - begun


async def _join(portal: Portal, student: Student, code: str, number: int) -> str:
    begun = time.perf_counter()
    body = {"code": code, "name": f"Student {number}"}
    joined = await portal.send("POST", "/v1/join", body)
    student.joined_ms = (time.perf_counter() - begun) * 1000
    return str(joined["class_id"])


async def _press_play(portal: Portal, student: Student, class_id: str, lab: str) -> None:
    try:
        wire, timing = await press_play(portal, f"/v1/classes/{class_id}/labs/{lab}/sandbox")
        student.prompt_ms = timing.prompt_ms
        wire.close()
    except (ClientError, aiohttp.ClientError, OSError) as error:
        student.fault = str(error) or type(error).__name__
