"""SQS and EventBridge Scheduler: how soon a message or an alarm is worked on, and by how many."""

from __future__ import annotations

import collections
from collections.abc import Callable
from dataclasses import dataclass, field

from brihaspati import ports
from brihaspati.engine.engine import Engine
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.rush.functions import Function, Outcome
from brihaspati.simulation.rush.limits import Bucket, Tally
from brihaspati.simulation.rush.tasks import Tasks

SEND_MS = 10
DELAY_SECONDS_MAX = 900
# Lambda's pollers of a queue: five calls at a time, and five more with each second of need.
POLLERS, POLLERS_PER_SECOND = 5, 5
THROTTLED_MS = 1_000
REQUESTS_PER_MESSAGE = 3
# Schedules made and fired a second, and how late a schedule may fire.
SCHEDULES_PER_SECOND, FIRED_PER_SECOND = 5_000, 1_000
LATE_MS_MAX = 60_000
JITTER_MS_MAX = 20_000


@dataclass
class Line:
    """One queue and the function it calls, a message at a time. `most`: calls at a time."""

    name: str
    part: str
    function: Function
    most: int
    visible_ms: int
    tries_max: int
    tasks: Tasks
    tally: Tally
    waiting: collections.deque[tuple[ports.Message, int]] = field(default_factory=collections.deque)
    running: int = 0
    dead: int = 0
    deepest: int = 0
    _busy_since: int | None = None

    def arrive(self, message: ports.Message, tries: int = 1) -> None:
        """A message has become visible."""
        self.waiting.append((message, tries))
        self.deepest = max(self.deepest, len(self.waiting))
        self._pump()

    def _at_a_time(self) -> int:
        now = self.tasks.now()
        if not self.waiting:
            self._busy_since = None
        elif self._busy_since is None:
            self._busy_since = now
        needed_ms = now - (self._busy_since if self._busy_since is not None else now)
        return min(self.most, POLLERS + POLLERS_PER_SECOND * needed_ms // 1000)

    def _pump(self) -> None:
        while self.waiting and self.running < self._at_a_time():
            message, tries = self.waiting.popleft()
            self.running += 1
            if not self._called(message, tries):
                self.running -= 1
                self.waiting.appendleft((message, tries))
                self.tasks.agenda.after(THROTTLED_MS, self._pump)
                return
        if self.waiting and self._at_a_time() < self.most:
            self.tasks.agenda.after(1_000, self._pump)

    def _called(self, message: ports.Message, tries: int) -> bool:
        def deed(engine: Engine) -> None:
            engine.handle(message)

        def done(outcome: Outcome) -> None:
            self.running -= 1
            if outcome.passing and tries >= self.tries_max:
                self.dead += 1
            elif outcome.passing:
                self.tally.throttled(f"message of {self.name} failed")
                self.tasks.agenda.after(self.visible_ms, lambda: self.arrive(message, tries + 1))
            self.tasks.agenda.after(0, self._pump)

        return self.function.invoke(self.part, deed, done)


@dataclass
class Post:
    """`ports.Queue` as functions send to it. Long delays are alarms, as in the adapter."""

    tasks: Tasks
    tally: Tally
    starting: Line | None = None
    ending: Line | None = None
    later: Callable[[int, ports.Message], None] = lambda _at, _message: None

    def put(self, message: ports.Message, *, delay_seconds: float = 0) -> None:
        """Send a message."""
        delay_ms = round(delay_seconds * 1000)
        if delay_seconds > DELAY_SECONDS_MAX:
            self.later(self.tasks.now() + delay_ms, message)
            return
        self.tasks.spend(SEND_MS)
        line = self.ending if message.topic == "ending" else self.starting
        assert line is not None
        self.tally.use(line.part, "queue", REQUESTS_PER_MESSAGE)
        # SQS counts whole seconds.
        self.tasks.agenda.after(-(-delay_ms // 1000) * 1000, lambda: line.arrive(message))

    def take(self, limit: int, *, visible_after_seconds: float) -> list[ports.Taken]:  # noqa: ARG002
        """Nothing: the queue calls functions."""
        return []

    def done(self, taken: ports.Taken) -> None:
        """Nothing to forget."""

    def again(self, taken: ports.Taken, *, delay_seconds: float) -> None:
        """Nothing was taken."""

    def dead(self, limit: int = 100) -> list[ports.Taken]:  # noqa: ARG002
        """Nothing that can be taken; lines count them."""
        return []


class Schedules:
    """`ports.Timer`: one schedule for each name; its message goes to those who end things."""

    def __init__(self, tasks: Tasks, tally: Tally, dice: Dice, post: Post) -> None:
        self._tasks = tasks
        self._tally = tally
        self._dice = dice
        self._post = post
        self._made = Bucket(SCHEDULES_PER_SECOND, SCHEDULES_PER_SECOND)
        self._fired = Bucket(FIRED_PER_SECOND, FIRED_PER_SECOND)
        self._set: dict[str, int] = {}
        self._count = 0

    def set(self, name: str, at: ports.Moment, message: ports.Message) -> None:
        """Set or move an alarm. Raises Busy."""
        self._tasks.spend(25)
        if not self._made.take(self._tasks.now()):
            self._tally.throttled("schedules made")
            raise ports.Busy("too many schedules")
        self.later(at, message, name)

    def later(self, at: ports.Moment, message: ports.Message, name: str = "") -> None:
        """Send a message at a moment, or up to a minute after it."""
        self._count += 1
        count, name = self._count, name or f"delay {self._count}"
        self._set[name] = count
        self._tally.use(self._tasks.part, "alarms set", 1)
        late_ms = self._dice.between(0, LATE_MS_MAX) + self._dice.between(0, JITTER_MS_MAX)
        self._tasks.agenda.at(at + late_ms, lambda: self._fire(name, count, message))

    def cancel(self, name: str) -> None:
        """Forget the alarm."""
        self._tasks.spend(25)
        self._set.pop(name, None)

    def _fire(self, name: str, count: int, message: ports.Message) -> None:
        if self._set.get(name) != count:
            return
        if not self._fired.take(self._tasks.now()):
            self._tally.throttled("schedules fired")
            self._tasks.agenda.after(1_000, lambda: self._fire(name, count, message))
            return
        del self._set[name]
        line = self._post.ending
        assert line is not None
        line.arrive(message)
