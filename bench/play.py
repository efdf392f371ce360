"""One student presses Play: the time to the first prompt in their socket, cold and from a pool."""

from __future__ import annotations

import os
import select
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from bench import figures, people
from bench.figures import Figure
from brihaspati import ports, wiring
from brihaspati.adapters.labfolder import read_all
from brihaspati.entrypoints.cli.fresh import FreshServer
from brihaspati.entrypoints.cli.pressing import Timing
from brihaspati.wiring import hosts

RUNS, RUNS_QUICK = 20, 6
COLD_MS, WARM_MS = 150, 50
PROMPT_SECONDS_MAX = 10


def find(quick: bool) -> Iterator[Figure]:  # noqa: FBT001 - a bench is called like this
    """Cold beside the provider alone; then with a pool."""
    runs = RUNS_QUICK if quick else RUNS
    alone = figures.middle(_provider_alone(runs))
    with people.server(pool=0) as server:
        cold = uvloop.run(_plays(server, runs))
    yield from _told("cold", cold, COLD_MS, alone)
    with people.server(pool=runs + 1) as server:
        people.wait_pool(server, runs + 1)
        warm = uvloop.run(_plays(server, runs))
    yield from _told("from a pool", warm, WARM_MS, None)


async def _plays(server: FreshServer, runs: int) -> list[Timing]:
    """One after another; the first, which nobody counts, warms every cache."""
    found = []
    async with people.students(server, 1) as [student]:
        for _ in range(runs + 1):
            wire, timing = await student.play()
            wire.close()
            await student.stop()
            found.append(timing)
    return found[1:]


def _told(how: str, found: list[Timing], target: float, alone: float | None) -> Iterator[Figure]:
    prompts = [t.prompt_ms for t in found]
    p50 = figures.middle(prompts)
    beside = "" if alone is None else f"the provider alone ({alone:.0f} ms)"
    ratio = None if alone is None else round(p50 / alone, 2)
    yield Figure("play", f"{how}, p50", round(p50, 1), "ms", target, beside=beside, ratio=ratio)
    yield Figure("play", f"{how}, p95", round(figures.quantile(prompts, 0.95), 1), "ms")
    parts = {
        "machine, as the server saw it": [t.machine_ms for t in found],
        "until the answer said ready": [t.ready_ms for t in found],
        "ticket": [t.ticket_ms - t.ready_ms for t in found],
        "socket": [t.socket_ms - t.ticket_ms for t in found],
        "prompt": [t.prompt_ms - t.socket_ms for t in found],
    }
    if how != "cold":
        del parts["machine, as the server saw it"]
    for name, values in parts.items():
        yield Figure("play", f"  {how}: {name}, p50", round(figures.middle(values), 1), "ms")


def _provider_alone(runs: int) -> list[float]:
    """Milliseconds from the order to the prompt, with no server: the floor of a cold Play."""
    found = []
    with tempfile.TemporaryDirectory(prefix="bh-") as folder:
        given = {"BRIHASPATI_DATA": folder, "BRIHASPATI_KEEP_SECONDS": "0"}
        settings = wiring.open_shop(given).settings
        host = hosts.host_of(settings)
        host.start()
        try:
            [lab] = [lab for lab in read_all(settings.labs)[0] if lab.name == people.LAB]
            [spec] = lab.machines
            host.provider.prepare(spec.image, lambda *_: None)
            for run in range(runs + 1):
                label = f"bh-{settings.env}-bench{run}-a1-{spec.name}"
                order = ports.MachineOrder(label, f"bench{run}", spec)
                begun = time.perf_counter()
                _prompt(host, order)
                found.append((time.perf_counter() - begun) * 1000)
                host.provider.delete(label)
        finally:
            host.close()
            Path(folder).mkdir(exist_ok=True)
    return found[1:]


def _prompt(host: hosts.Host, order: ports.MachineOrder) -> None:
    host.provider.create(order)
    terminal = host.places(order.label).terminal(None, 80, 24)
    try:
        seen = b""
        while b"$" not in seen and b"#" not in seen:
            if not select.select([terminal.fileno()], [], [], PROMPT_SECONDS_MAX)[0]:
                raise TimeoutError("no prompt")
            seen += os.read(terminal.fileno(), 65536)
    finally:
        terminal.close()


if __name__ == "__main__":
    figures.main("play", find)
