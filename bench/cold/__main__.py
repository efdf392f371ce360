"""`make bench-cold`: what a cold start of the student API takes, beside its peers.

Each house is started afresh, by turns, with Lambda's own runtime client: init is from the start of
the process to its first question for work. Processor time is what to compare; wall is of a machine
that does other things, too.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packing.wheels import CannotPack

from bench import figures
from bench.cold import services
from bench.cold.houses import House, environment, houses
from bench.cold.runtime import Runtime, Start
from bench.figures import Figure, middle

ROUNDS, ROUNDS_QUICK = 10, 3
TIMES_BARE_MAX = 3.5
TIMES_TWIN_MAX = 0.6
TWINS = ("twin", "storing twin", "auth")


def event(method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A request as API Gateway's HTTP API tells of it, format 2.0."""
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "api.example", "content-type": "application/json"},
        "requestContext": {
            "http": {**http, "userAgent": "bench"},
            "domainName": "api.example",
            "stage": "$default",
            "requestId": "1",
            "timeEpoch": 0,
        },
        "body": json.dumps(body) if body is not None else None,
        "isBase64Encoded": False,
    }


EVENTS = (event("GET", "/v1/health"), event("POST", "/v1/join", {"code": "MARIGOLD"}))
# Once it is a function of its own it has other routes; nobody is signed in, and no store is there.
STUDENTS_EVENTS = (
    event("GET", "/v1/classes/demo"),
    event("POST", "/v1/classes/demo/labs/hello/sandbox/ticket", {"for": "terminal"}),
)


ASKING = event("GET", "/v1/classes/demo")
SNAPSHOT = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}


def started(runtime: Runtime, python: str, house: House) -> Start:
    """One cold start. Raises RuntimeError when it did not do its work."""
    events, expected = EVENTS, (200, 200)
    if house.name in TWINS or (house.handler == "main.handler" and house.name == "student"):
        expected = (200, 422)
    elif house.name == "student":
        events, expected = STUDENTS_EVENTS, (401, 401)
    return lived(runtime, python, house, Life(events, expected))


@dataclass(frozen=True, slots=True)
class Life:
    """What a process is told, what it must answer, and what is in its environment beside."""

    events: Sequence[Mapping[str, Any]]
    expected: tuple[int, ...]
    more: Mapping[str, str] = field(default_factory=dict)


def lived(runtime: Runtime, python: str, house: House, life: Life) -> Start:
    """One process. Raises RuntimeError when it did not do its work."""
    command = [python, "-m", "awslambdaric", house.handler]
    start = runtime.live(command, {**environment(house), **life.more}, house.folder, life.events)
    statuses = tuple(answer["statusCode"] for answer in start.answers)
    if start.fault or statuses != life.expected:
        raise RuntimeError(f"{house.name} answered {statuses} {start.fault or start.answers}")
    return start


def find(quick: bool) -> Iterator[Figure]:  # noqa: FBT001 - as every bench
    """The figures."""
    runtime, rounds = Runtime(), ROUNDS_QUICK if quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="brihaspati-cold-") as folder:
        python, found = houses(Path(folder))
        starts: dict[str, list[Start]] = {house.name: [] for house in found}
        for _ in range(rounds):
            for house in found:
                starts[house.name].append(started(runtime, python, house))
        asking = asked(runtime, python, {house.name: house for house in found}, rounds)
    runtime.close()
    yield from inits(starts)
    for name, mine in asking.items():
        whole = middle([start.cpu_ms[1] for start in mine])
        answer = middle([start.cpu_ms[1] - start.cpu_ms[0] for start in mine])
        yield Figure("cold", f"{name}, first answer that asks the table, processor",
                     round(answer, 1), "ms", beside=f"{whole:.0f} ms with init")  # fmt: skip


def asked(
    runtime: Runtime, python: str, found: Mapping[str, House], rounds: int
) -> dict[str, list[Start]]:
    """Processes whose first request needs a table, and ours as one that SnapStart restored."""
    starts: dict[str, list[Start]] = {}
    request = {**ASKING, "cookies": [services.cookie()]}
    with services.serving() as address:
        there = {"AWS_ENDPOINT_URL": address}
        lives = {
            "storing twin": ("storing twin", Life([request], (404,), there)),
            "student": ("student", Life([request], (401,), there)),
            "student, restored": ("student", Life([request], (401,), {**there, **SNAPSHOT})),
        }
        for _ in range(rounds):
            for name, (house, life) in lives.items():
                starts.setdefault(name, []).append(lived(runtime, python, found[house], life))
    return starts


def inits(starts: Mapping[str, list[Start]]) -> Iterator[Figure]:
    """From the start of the process, and the first answers for which no service is asked."""
    bare, twin = (middle([s.cpu_ms[0] for s in starts[name]]) for name in ("bare", "twin"))
    for name, mine in starts.items():
        init = middle([s.cpu_ms[0] for s in mine])
        target = min(TIMES_BARE_MAX * bare, TIMES_TWIN_MAX * twin) if name == "student" else None
        beside = f"bare, {init / twin:.2f} x twin" if name == "student" else "bare"
        yield Figure("cold", f"{name}, init, processor", round(init, 1), "ms",
                     target and round(target, 1), beside=beside, ratio=init / bare)  # fmt: skip
        wall = middle([s.wall_ms[0] for s in mine])
        best = min(s.wall_ms[0] for s in mine)
        yield Figure("cold", f"{name}, init, wall", round(wall), "ms", beside=f"best {best:.0f}")
        for place, what in enumerate(("GET", "POST"), 1):
            took = middle([s.cpu_ms[place] - s.cpu_ms[place - 1] for s in mine])
            ours = f"{name}, first {what}, processor"
            yield Figure("cold", ours, round(took, 2), "ms")


if __name__ == "__main__":
    try:
        figures.main("cold", find)
    except CannotPack as missing:
        sys.stderr.write(f"bench-cold: {missing}\n")
        sys.exit(2)
