"""AWS Lambda's limits: environments that start cold, so many at a time, so many more a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from brihaspati import ports
from brihaspati.domain.bills import LOG_BYTES
from brihaspati.engine.engine import Engine
from brihaspati.engine.problems import Problem
from brihaspati.engine.working import Lost
from brihaspati.simulation.rush.limits import Bucket, Tally
from brihaspati.simulation.rush.tasks import Tasks

CONCURRENCY = 1_000
# New environments of one function: a thousand within ten seconds.
SCALING_PER_SECOND, SCALING_BURST = 100, 1_000
KEPT_MS = 8 * 60_000
PASSING = (ports.Busy, ports.Conflict, ports.StoreFull, ports.Unclear, Lost)


@dataclass(slots=True)
class Account:
    """The concurrency of an AWS account, less what is kept for some functions."""

    most: int = CONCURRENCY
    running: int = 0
    peak: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended. `passing`: it failed, and may not the next time."""

    value: Any = None
    problem: str | None = None
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A function as it is configured. `cold_ms`: until a new environment takes its first event."""

    name: str
    cold_ms: int
    own_ms: int
    gigabytes: float
    reserved: int | None = None


@dataclass(slots=True)
class _Environment:
    engine: Engine
    used_at: int


@dataclass
class Function:
    """A function with its environments; each has an engine that knows what it has read."""

    kind: Kind
    tasks: Tasks
    tally: Tally
    account: Account
    born: Callable[[str], Engine]
    idle: list[_Environment] = field(default_factory=list)
    running: int = 0
    cold: int = 0
    invocations: int = 0

    def __post_init__(self) -> None:
        self._scaling = Bucket(SCALING_PER_SECOND, SCALING_BURST)

    def warm_up(self, count: int) -> None:
        """Have so many environments ready."""
        now = self.tasks.now()
        while len(self.idle) < count:
            self.idle.append(_Environment(self.born(f"{self.kind.name} w{len(self.idle)}"), now))

    def invoke(
        self, part: str, deed: Callable[[Engine], Any], done: Callable[[Outcome], None]
    ) -> bool:
        """Run a call that may write; False when the function is throttled."""
        environment, cold_ms = self._environment()
        if environment is None:
            return False

        def body() -> None:
            began = self.tasks.now()
            self.tasks.spend(cold_ms + self.kind.own_ms)
            outcome = _did(deed, environment.engine)
            self._release(part, environment, self.tasks.now() - began)
            done(outcome)

        self.tasks.start(part, body)
        return True

    def look(
        self, part: str, deed: Callable[[Engine], Any], done: Callable[[Outcome], None]
    ) -> bool:
        """As `invoke`, for a call that only reads."""
        environment, cold_ms = self._environment()
        if environment is None:
            return False
        with self.tasks.at_once(part):
            began = self.tasks.now()
            self.tasks.spend(cold_ms + self.kind.own_ms)
            outcome = _did(deed, environment.engine)
            took_ms = self.tasks.now() - began

        def end() -> None:
            self._release(part, environment, took_ms)
            done(outcome)

        self.tasks.agenda.after(took_ms, end)
        return True

    def _environment(self) -> tuple[_Environment | None, int]:
        now, kind = self.tasks.now(), self.kind
        most = kind.reserved if kind.reserved is not None else self.account.most
        busy = self.running if kind.reserved is not None else self.account.running
        if busy >= most:
            self.tally.throttled(f"function {kind.name}: concurrency")
            return None, 0
        while self.idle and self.idle[-1].used_at < now - KEPT_MS:
            self.idle.pop()
        cold_ms = 0
        if self.idle:
            environment = self.idle.pop()
        elif self._scaling.take(now):
            self.cold, cold_ms = self.cold + 1, kind.cold_ms
            environment = _Environment(self.born(f"{kind.name} {self.cold}"), now)
        else:
            self.tally.throttled(f"function {kind.name}: scaling")
            return None, 0
        self.running += 1
        self.invocations += 1
        if kind.reserved is None:
            self.account.running += 1
            self.account.peak = max(self.account.peak, self.account.running)
        return environment, cold_ms

    def _release(self, part: str, environment: _Environment, took_ms: int) -> None:
        environment.used_at = self.tasks.now()
        self.idle.append(environment)
        self.running -= 1
        if self.kind.reserved is None:
            self.account.running -= 1
        self.tally.use(part, "invocations", 1)
        self.tally.use(part, "compute", took_ms / 1000 * self.kind.gigabytes)
        self.tally.use(part, "logs", LOG_BYTES / 1e9)


def _did(deed: Callable[[Engine], Any], engine: Engine) -> Outcome:
    try:
        return Outcome(deed(engine))
    except PASSING as error:
        return Outcome(problem=type(error).__name__, passing=True)
    except Problem as problem:
        return Outcome(problem=problem.title, passing=problem.kind in ("busy", "not_ready"))
