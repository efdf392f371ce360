"""A whole house in memory for tests: the real engine over the memory adapters."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import labs
from brihaspati.domain.classrooms import Classroom
from brihaspati.engine.engine import Engine
from brihaspati.engine.records import Person
from brihaspati.engine.world import Bounds, World
from brihaspati.entrypoints.http.addresses import Addresses
from brihaspati.entrypoints.http.api import Api

ORIGIN = "http://localhost:8000"
ScriptEnd = (
    ports.ScriptOutcome | ports.Unreachable | Callable[[], ports.ScriptOutcome | ports.Unreachable]
)


class SilentAgents:
    """Agents that remember what they were asked; nobody types into them but a test.

    `scripts` says how a script ends, by its text; what it does not say is done without a word. An
    Unreachable in it is raised, and something to call is called first.
    """

    def __init__(self) -> None:
        self.ran: list[tuple[str, str, float]] = []
        self.scripts: dict[str, ScriptEnd] = {}
        self.glances: dict[str, ports.Glance] = {}
        self.opened: list[str] = []
        self.closed: list[tuple[str, str]] = []
        self.typed: dict[str, int] = {}

    def open_early(self, sandbox: str, machines: Any, lab: labs.Lab) -> None:  # noqa: ARG002
        self.opened.append(sandbox)

    def close(self, sandbox: str, reason: str) -> None:
        self.closed.append((sandbox, reason))

    def last_input_at(self, sandbox: str) -> int | None:
        return self.typed.get(sandbox)

    def run(self, label: str, script: str, *, seconds_max: float) -> ports.ScriptOutcome:
        self.ran.append((label, script, seconds_max))
        end = self.scripts.get(script, ports.ScriptOutcome(0, ""))
        if callable(end):
            end = end()
        if isinstance(end, ports.Unreachable):
            raise end
        return end

    def glance(self, sandbox: str) -> ports.Glance:
        return self.glances.get(sandbox, ports.Glance(self.typed.get(sandbox)))


def a_lab(name: str = "hello", machines: tuple[str, ...] = ("main",), **more: Any) -> labs.Lab:
    """A small lab; `more` replaces fields."""
    port = labs.PublishedPort(8080, "Your page")
    specs = tuple(labs.MachineSpec(name=m, ports=(port,)) for m in machines)
    fields: dict[str, Any] = {
        "name": name,
        "title": "Find your way in the shell",
        "summary": "Files and pipes.",
        "version": "v1",
        "minutes": 30,
        "lifetime_minutes": 60,
        "machines": specs,
        "terminals": (labs.Terminal("main", machines[0]),),
        "steps": (labs.Step("one", "Look around", "<p>ls</p>"),),
    }
    return labs.Lab(**{**fields, **more})


@dataclass
class House:
    """The engine, its fakes, and a way to let time and the queue run."""

    clock: memory.ManualClock = field(default_factory=memory.ManualClock)
    plan: memory.Plan | None = None
    delays: memory.Delays = field(default_factory=memory.Delays)
    price: int = 0
    bounds: Bounds = field(default_factory=Bounds)
    faults: memory.Faults | None = None
    index_lag_ms: int = 0

    def __post_init__(self) -> None:
        self.store = memory.Store(self.clock, faults=self.faults, index_lag_ms=self.index_lag_ms)
        self.queue = memory.Queue(self.clock)
        self.timer = memory.Timer(self.queue)
        self.provider = memory.Provider(
            self.clock, plan=self.plan, delays=self.delays, price_micros_per_hour=self.price
        )
        self.agents = SilentAgents()
        self.world = World(
            env="test",
            store=self.store,
            queue=self.queue,
            timer=self.timer,
            providers={"memory": self.provider},
            agents=self.agents,
            clock=self.clock,
            chance=memory.SeededChance(),
            secrets=memory.Secrets(),
            bounds=self.bounds,
        )
        self.engine = Engine(self.world)

    def classroom(self, *given: labs.Lab, **more: Any) -> Classroom:
        """An open class with these labs (one, if none is given), published and stored."""
        found = given or (a_lab(),)
        for lab in found:
            self.engine.classes.publish(lab)
        now = self.clock.now()
        fields: dict[str, Any] = {
            "id": "demo",
            "title": "Demo class",
            "instructor": "Prof. Iyer",
            "code": "MARIGOLD",
            "opens_at": now - 1000,
            "closes_at": now + 8 * 3_600_000,
            "seats": 30,
            "labs": tuple((lab.name, lab.version) for lab in found),
            "provider": "memory",
        }
        room = Classroom(**{**fields, **more})
        self.engine.classes.create(room)
        return room

    def student(self, room: Classroom, name: str = "Asha") -> Person:
        """A student with a seat."""
        return self.engine.classes.join(room, name, None)

    def run(self) -> int:
        """Do the queue's visible work until nothing is left; returns how many messages."""
        count = 0
        while taken := self.queue.take(10, visible_after_seconds=60):
            for one in taken:
                self.engine.handle(one.message)
                self.queue.done(one)
                count += 1
        return count

    def pass_time(self, seconds: float, step_seconds: float = 1) -> None:
        """Let time pass in steps, firing alarms, sweeping each minute, and doing the work."""
        end = self.clock.now() + round(seconds * 1000)
        while self.clock.now() < end:
            self.clock.advance(min(step_seconds, (end - self.clock.now()) / 1000))
            self.timer.fire(self.clock.now())
            if self.clock.now() // 60_000 != (self.clock.now() - 1000) // 60_000:
                self.engine.sweeping.sweep()
            self.run()


class Browser:
    """Sends request events to the API as a browser on the portal's page would."""

    def __init__(self, house: House) -> None:
        addresses = Addresses(frozenset({ORIGIN}), "localhost")
        self.api = Api(house.engine, addresses)
        self.cookies: dict[str, str] = {}
        self.last: dict[str, Any] = {}

    def send(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> Any:
        """The JSON of the answer (None: it has none); `last` keeps the whole of it."""
        raw, _, query = path.partition("?")
        event = {
            "version": "2.0",
            "rawPath": raw,
            "rawQueryString": query,
            "queryStringParameters": dict(p.split("=") for p in query.split("&")) if query else {},
            "cookies": [f"{k}={v}" for k, v in self.cookies.items()],
            "headers": {
                "host": "localhost:8000",
                "origin": ORIGIN,
                "content-type": "application/json",
                **(headers or {}),
            },
            "requestContext": {
                "http": {"method": method, "path": raw, "sourceIp": "127.0.0.1"},
                "domainName": "localhost:8000",
                "stage": "$default",
            },
            "body": body if isinstance(body, str) or body is None else json.dumps(body),
            "isBase64Encoded": False,
        }
        self.last = self.api(event)
        for cookie in self._set_cookies():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        has_json = "json" in self.last["headers"].get("Content-Type", "")
        return json.loads(self.last["body"]) if has_json and self.last["body"] else None

    def _set_cookies(self) -> list[str]:
        found = self.last["headers"].get("Set-Cookie", [])
        return [*self.last.get("cookies", []), *([found] if isinstance(found, str) else found)]

    @property
    def status(self) -> int:
        """The last answer's HTTP status."""
        return int(self.last["statusCode"])
