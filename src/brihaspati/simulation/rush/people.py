"""Who asks: students' pages, and the agents of their machines, each as patient as the real one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from brihaspati.domain import looks, sandboxes
from brihaspati.domain.classrooms import Classroom
from brihaspati.engine import records
from brihaspati.engine.engine import Engine
from brihaspati.engine.machines import Asked, Beat, Signed
from brihaspati.engine.playing import Opening
from brihaspati.engine.records import Record
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.rush.functions import Function, Outcome
from brihaspati.simulation.rush.limits import Bucket, Tally
from brihaspati.simulation.rush.rented import Box
from brihaspati.simulation.rush.tasks import Tasks

LAB = "rush"
# An HTTP API takes so many requests a second, with so many at once beyond that.
REQUESTS_PER_SECOND, REQUESTS_BURST = 10_000, 5_000
NETWORK_MS = (20, 120)
# As web/src/api/patience.ts; a test compares.
FIRST_RETRY_MS, SLOWEST_MS, READ_RETRIES, PRESS_RETRIES = 400, 8_000, 4, 60
# As brihaspati_agent/rented.py; a test compares.
SOON_MS = 1_000
# What an agent does between its first word and its last before the lab is ready.
SETUP_MS = (4_000, 9_000)
GATEWAY_FULL = "429"


@dataclass
class Gateway:
    """API Gateway before the functions."""

    tasks: Tasks
    tally: Tally
    bucket: Bucket = field(default_factory=lambda: Bucket(REQUESTS_PER_SECOND, REQUESTS_BURST))

    def ask(self, wish: Wish, done: Callable[[Outcome], None]) -> None:
        """Send one request; a refusal comes back at once."""
        now = self.tasks.now()
        self.tally.load("gateway requests", "all", now, 1)
        self.tally.use(wish.part, "api", 1)
        if not self.bucket.take(now):
            self.tally.throttled("gateway requests")
            done(Outcome(problem=GATEWAY_FULL, passing=True))
            return
        call = wish.function.look if wish.reads else wish.function.invoke
        if not call(wish.part, wish.deed, done):
            done(Outcome(problem="503", passing=True))


@dataclass(frozen=True, slots=True)
class Wish:
    """A request: what it does, in which function, and for which part of a lesson."""

    function: Function
    part: str
    deed: Callable[[Engine], Any]
    reads: bool = True
    tries_max: int = READ_RETRIES


@dataclass(slots=True)
class Times:
    """When things happened to one student; None: not (yet)."""

    pressed_at: int
    accepted_at: int | None = None
    created_at: int | None = None
    ready_at: int | None = None
    shown_at: int | None = None
    stopped_at: int | None = None
    gone_at: int | None = None
    problem: str | None = None
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """What a page has seen of its lab."""

    phase: str | None
    again_ms: int
    ready_at: int | None = None
    reason: str | None = None
    ahead: int = 0


@dataclass
class Student:
    """Opens the class page, presses Play, looks until the lab is there, works, presses Stop."""

    gateway: Gateway
    api: Function
    room: Classroom
    user: str
    dice: Dice
    works_ms: int
    times: Times = field(init=False)
    sandbox: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more is to come: the lab is gone, or never was."""
        times = self.times
        return times.problem is not None or times.gone_at is not None

    def arrive(self, at: int) -> None:
        """Press Play at this moment, the page having been opened a little before."""
        self.times = Times(at)
        agenda = self.gateway.tasks.agenda
        agenda.at(at - self.dice.between(1_000, 5_000), self._open)
        agenda.at(at, self._play)

    def _open(self) -> None:
        self._ask(Wish(self.api, "start", self._see_class), lambda _: None)

    def _play(self) -> None:
        wish = Wish(self.api, "start", self._asked_for, reads=False, tries_max=PRESS_RETRIES)
        self._ask(wish, self._accepted)

    def _accepted(self, outcome: Outcome) -> None:
        if not isinstance(outcome.value, Record):
            self._give_up(outcome.problem)
            return
        self.times.accepted_at = self.gateway.tasks.now()
        self.sandbox = outcome.value.sandbox.id
        self._look("start", 0)  # the lab's page

    # --- looking ---------------------------------------------------------------------------------
    def _look(self, part: str, after_ms: int) -> None:
        wait_ms = round(after_ms * (1 + 0.1 * self.dice.share()))
        wish = Wish(self.api, part, self._see_lab)

        def ask() -> None:
            self._ask(wish, lambda outcome: self._seen(part, outcome))

        self.gateway.tasks.agenda.after(wait_ms, ask)

    def _seen(self, part: str, outcome: Outcome) -> None:
        view = outcome.value
        if not isinstance(view, View):
            self._look(part, looks.AFAR.moving_ms)
            return
        times, now = self.times, self.gateway.tasks.now()
        times.ahead = max(times.ahead, view.ahead)
        if view.phase == "ready" and times.shown_at is None:
            times.shown_at, times.ready_at, part = now, view.ready_at, "hour"
            self._ask(Wish(self.api, "start", self._ticket), lambda _: None)
            self.gateway.tasks.agenda.after(self.works_ms, self._stop)
        if view.phase == "failed":
            self._give_up(view.reason)
        elif view.phase in ("gone", None):
            times.gone_at = now
        else:
            self._look("end" if times.stopped_at is not None else part, view.again_ms)

    def _stop(self) -> None:
        self.times.stopped_at = self.gateway.tasks.now()
        wish = Wish(self.api, "end", self._stopped, reads=False, tries_max=PRESS_RETRIES)
        self._ask(wish, lambda _: None)

    def _give_up(self, why: str | None) -> None:
        self.times.problem = why or "nobody said why"

    def _ask(self, wish: Wish, then: Callable[[Outcome], None], failures: int = 0) -> None:
        """Ask until there is an answer or no hope, as the page does."""

        def done(outcome: Outcome) -> None:
            full = outcome.problem == GATEWAY_FULL
            tries_max = min(wish.tries_max, READ_RETRIES) if full else wish.tries_max
            if not outcome.passing or failures >= tries_max:
                then(outcome)
                return
            most_ms = min(SLOWEST_MS, FIRST_RETRY_MS << min(failures, 5))
            wait_ms = round(most_ms * (0.5 + self.dice.share() / 2))
            agenda = self.gateway.tasks.agenda
            agenda.after(wait_ms, lambda: self._ask(wish, then, failures + 1))

        self.gateway.tasks.agenda.after(
            self.dice.between(*NETWORK_MS), lambda: self.gateway.ask(wish, done)
        )

    # --- in the function -------------------------------------------------------------------------
    def _see_class(self, engine: Engine) -> int:
        member, room = engine.member(self.user), engine.classes.get(self.room.id)
        engine.teaching.messages_for(room.id, self.user)
        return len(engine.reading.cards(room, member))

    def _asked_for(self, engine: Engine) -> Record:
        room, member = engine.classes.get(self.room.id), engine.member(self.user)
        return engine.playing.play(room, engine.classes.lab_in(room, LAB), member)[0]

    def _see_lab(self, engine: Engine) -> View:
        record = engine.member(self.user).sandbox(self.room.id, LAB)
        engine.teaching.messages_for(self.room.id, self.user)
        again_ms = engine.reading.look_after_ms(record.sandbox if record is not None else None)
        if record is None:
            return View(None, again_ms)
        view = engine.reading.view(record.sandbox)
        return View(view.phase, again_ms, view.ready_at, view.reason, view.ahead)

    def _ticket(self, engine: Engine) -> str:
        member = engine.member(self.user)
        record = member.sandbox(self.room.id, LAB)
        assert record is not None
        lab = engine.classes.lab(LAB, record.sandbox.terms.lab_version)
        return engine.playing.ticket(record, lab, member.person, Opening("terminal"))[0]

    def _stopped(self, engine: Engine) -> None:
        record = engine.member(self.user).sandbox(self.room.id, LAB)
        assert record is not None
        engine.playing.stop(record.sandbox.slot, "stopped", record)


@dataclass
class Agent:
    """What runs on a rented machine: it says who it is, that it is ready, and that it lives."""

    gateway: Gateway
    machines: Function
    box: Box
    dice: Dice
    key: bytes
    beat_ms: int
    ready: bool = False

    def boot(self, at: int) -> None:
        """Begin at this moment."""
        self.gateway.tasks.agenda.at(at, self._begin)

    def _begin(self) -> None:
        wish = Wish(self.machines, "start", self._asked, reads=False)
        self._send(wish, self._begun)

    def _begun(self, outcome: Outcome) -> None:
        agenda = self.gateway.tasks.agenda
        if outcome.passing:
            agenda.after(self.dice.between(2_000, 4_000), self._begin)
        elif outcome.problem is None:
            agenda.after(self.dice.between(*SETUP_MS), self._beat)

    def _beat(self) -> None:
        if self.box.ended_at is not None:
            return
        part = "hour" if self.ready else "start"
        self._send(Wish(self.machines, part, self._told, reads=False), self._heard)

    def _heard(self, outcome: Outcome) -> None:
        if outcome.problem is not None and not outcome.passing:
            return  # nobody wants it any more: it switches itself off
        self.ready = self.ready or outcome.value == "ready"
        wait_ms = self.beat_ms if self.ready else SOON_MS
        self.gateway.tasks.agenda.after(wait_ms, self._beat)

    def _send(self, wish: Wish, done: Callable[[Outcome], None]) -> None:
        self.gateway.tasks.agenda.after(
            self.dice.between(*NETWORK_MS), lambda: self.gateway.ask(wish, done)
        )

    # --- in the function -------------------------------------------------------------------------
    def _asked(self, engine: Engine) -> None:
        label = self.box.label
        token = records.boot_token(engine.world.secrets, label)
        source = self.box.shown(self.box.addressed_at).address or ""
        engine.machines.begin(Asked(label, token, self.box.id, source, self.key))

    def _told(self, engine: Engine) -> str:
        machines = engine.machines
        known = machines.identify(Signed(self.box.label, engine.world.clock.now(), b"", b""))
        return machines.hear(known, Beat("ready")).sandbox.phase


def sandbox_of(box: Box) -> str:
    """The sandbox that a machine is of."""
    return sandboxes.sandbox_of(box.label)
