"""What the simulation costs: the worlds of a class of 20, lived by two processes at once.

Counted is the processor's time, which a busy machine stretches less than the clock's.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench import figures
from bench.figures import Figure
from brihaspati.simulation import history, quiet

STUDENTS = 20
CORES = 2
SEEDS_EACH = 60
SEEDS_EACH_QUICK = 12
WHOLE_SEEDS = 10_000
MINUTES_MAX = 10
MEMORY_MB_MAX = 2_048
TIMES_REAL_MIN = 10_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What the worlds of one process took."""

    cpu_seconds: float
    simulated_seconds: float
    memory_mb: float
    broken: int


def lived(first: int, seeds: int) -> Cost:
    """Live some worlds in this process."""
    with quiet.quiet():
        history.live(first + seeds, students=STUDENTS)  # what is worked out once is no seed's cost
        began, simulated_ms, broken = time.process_time(), 0, 0
        for seed in range(first, first + seeds):
            one = history.live(seed, students=STUDENTS)
            simulated_ms += one.simulated_ms
            broken += bool(one.broken)
    cpu_seconds = time.process_time() - began
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(cpu_seconds, simulated_ms / 1000, memory_mb, broken)


def find(quick: bool) -> Iterator[Figure]:  # noqa: FBT001 - as every bench
    """The figures, for 10,000 seeds on two cores by what some took."""
    each = SEEDS_EACH_QUICK if quick else SEEDS_EACH
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(CORES, mp_context=context) as pool:
        costs = list(pool.map(lived, range(1, 1 + CORES * each, each), [each] * CORES))
    if any(cost.broken for cost in costs):
        raise SystemExit("a world broke a promise: what it cost says nothing")
    seeds, cpu_seconds = CORES * each, sum(cost.cpu_seconds for cost in costs)
    minutes = cpu_seconds / seeds * WHOLE_SEEDS / CORES / 60
    beside = f"{seeds / cpu_seconds:.1f} a second of a core"
    ratio = sum(cost.simulated_seconds for cost in costs) / cpu_seconds
    yield _figure("a world of 20 students", cpu_seconds / seeds * 1000, "ms CPU", beside=beside)
    yield _figure("10,000 worlds on two cores", minutes, "min CPU", target=MINUTES_MAX)
    yield _figure("simulated to real time", ratio, "times", target=TIMES_REAL_MIN, at_least=True)
    memory_mb = sum(cost.memory_mb for cost in costs)
    yield _figure("memory of both processes", memory_mb, "MB", target=MEMORY_MB_MAX)


def _figure(
    name: str,
    value: float,
    unit: str,
    *,
    target: float | None = None,
    at_least: bool = False,
    beside: str = "",
) -> Figure:
    return Figure("worlds", name, round(value, 1), unit, target, at_least, beside)


if __name__ == "__main__":
    figures.main("worlds", find)
