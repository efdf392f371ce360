"""One world from its seed to rest: what happened, and which promises were broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import labs
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.pace import RENTED, RENTED_BY_MANY, UNHURRIED
from brihaspati.engine import records
from brihaspati.engine.sweeping import Swept
from brihaspati.simulation import vices
from brihaspati.simulation.agenda import START, Agenda, SkewedClock, Tell, quiet
from brihaspati.simulation.cloud import HOST_BOOTS_SECONDS, LAG_MS_MAX, MINUTE, NAME, SECOND, Cloud
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.links import Alarms, Post
from brihaspati.simulation.people import Student, Trainer
from brihaspati.simulation.process import SWEEPER, Process, Town
from brihaspati.simulation.promises import SKEW_MS_MAX, Promises

STUDENTS = 20
# Longer classes find little more: what goes wrong does so while labs begin and end, and each sees
# a few of both. Labs last from a third of a class to all of it; classes end early, late, or never.
CLASS_MINUTES = 25
REST_MINUTES = 30
LAST_LEAVE_MINUTES = 35
LIFETIMES_MINUTES = (10, 20, 30)
CLOSES_MINUTES = (20, 40, 300)
LATEST_HOURS = 8
STRANGERS = 3
EARLY_MS_MAX = 2 * SKEW_MS_MAX
NewStore = Callable[[ports.Clock, int], ports.Store]


@dataclass(frozen=True)
class History:
    """What became of one seed. `simulated_ms`: how much time passed in it."""

    seed: int
    broken: tuple[str, ...]
    struck: Counter[str]
    steps: int
    deaths: int
    machines: int
    ready: int
    simulated_ms: int


def in_memory(clock: ports.Clock, index_lag_ms: int) -> ports.Store:
    """The memory store, with an index that lags."""
    return memory.Store(clock, index_lag_ms=index_lag_ms, shared_reads=True)


def live(
    seed: int,
    *,
    students: int = STUDENTS,
    only: frozenset[str] | None = None,
    new_store: NewStore = in_memory,
    tell: Tell = quiet,
) -> History:
    """Let a class happen in the world of this seed. `only`: the vices that may be there."""
    dice = Dice(str(seed))
    town = _town(dice, only, new_store, tell)
    town.weather.calm = True
    room = _room(town, dice.part("class"))
    town.weather.calm = False
    _people(town, room, dice.part("people"), students)
    sweeper = Process(town, SWEEPER)
    _sweep_on(town, sweeper, dice.part("sweeper"))
    town.agenda.run(START + CLASS_MINUTES * MINUTE)
    town.weather.calm = True
    # Warm spares of a class that is open for hours would be made anew again and again.
    sweeper.engine.classes.change(room.id, lambda now: replace(now, pool=0))
    # Who leaves last may have pressed something that is tried again for a while.
    town.agenda.run(START + (LAST_LEAVE_MINUTES + 5) * MINUTE)
    while town.promises.is_anyone_alive() and town.agenda.now < START + LATEST_HOURS * 60 * MINUTE:
        town.agenda.run(town.agenda.now + 10 * MINUTE)
    town.agenda.run(town.agenda.now + REST_MINUTES * MINUTE)
    town.promises.at_rest()
    return History(
        seed=seed,
        broken=tuple(town.promises.broken),
        struck=town.weather.struck,
        steps=town.agenda.steps,
        deaths=town.deaths,
        machines=len(town.cloud.boxes),
        ready=town.promises.ready,
        simulated_ms=town.agenda.now - START,
    )


def _town(dice: Dice, only: frozenset[str] | None, new_store: NewStore, tell: Tell) -> Town:
    agenda = Agenda(tell)
    weather = vices.weather(dice.part("weather"), only, agenda.tell)
    cloud = Cloud(agenda, weather, dice.part("cloud"))
    if weather.rules("list lags"):
        cloud.lag_ms = dice.between(1, LAG_MS_MAX)
    promises = Promises(agenda, cloud)
    cloud.deleted = promises.deleted
    lag_ms = dice.between(1, 5 * SECOND) if weather.rules("index stale") else 0
    post = Post(agenda, weather, dice.part("post"))
    promises.faultless = not weather.chances
    promises.messages_given_up = lambda: post.dead_letters
    store = new_store(SkewedClock(agenda), lag_ms)
    pace = dice.part("pace").choose((UNHURRIED, RENTED, RENTED_BY_MANY))
    if pace is UNHURRIED:
        cloud.boots_seconds = HOST_BOOTS_SECONDS
    town = Town(agenda, weather, dice, store, cloud, promises, post, Alarms(post), pace)
    promises.typed_at = town.heard.typed.get
    if weather.rules("strangers' machines"):
        for number in range(STRANGERS):
            name = ("web-1", "bh-prod-abc-a1-main", f"bh-simx-{number}-a1-main")[number]
            cloud.make(name, stranger=True)
    if weather.rules("deletes fail for an hour"):
        begin, length = dice.between(5, 20) * MINUTE, dice.between(10, 60) * MINUTE
        end = START + begin + length
        agenda.at(START + begin, lambda: setattr(cloud, "deletes_fail_until", end))
        promises.outage = (START + begin, end)
    return town


def _lab(name: str, dice: Dice) -> labs.Lab:
    machines = ("main",) if dice.happens(0.7) else ("main", "second")
    lifetime = dice.choose(LIFETIMES_MINUTES)
    return labs.Lab(
        name=name,
        title=name,
        summary="",
        version="v1",
        minutes=lifetime,
        lifetime_minutes=lifetime,
        machines=tuple(labs.MachineSpec(name=machine) for machine in machines),
        terminals=(labs.Terminal("main", "main"),),
        steps=(),
        extend_minutes=10,
        extensions_max=2,
        idle_minutes=dice.choose((None, 8, 15)),
    )


def _room(town: Town, dice: Dice) -> Classroom:
    """A class of one or two labs, published and created before the weather begins."""
    engine = Process(town, "founder").engine
    found = [_lab(name, dice) for name in ("first", "second")[: dice.between(1, 2)]]
    for lab in found:
        engine.classes.publish(lab)
    room = Classroom(
        id="class",
        title="A class",
        instructor="Prof. Iyer",
        code="MARIGOLD",
        opens_at=START,
        closes_at=START + dice.choose(CLOSES_MINUTES) * MINUTE,
        seats=dice.choose((STUDENTS, STUDENTS + 5, STUDENTS - 3)),
        labs=tuple((lab.name, lab.version) for lab in found),
        provider=NAME,
        budget_micros=dice.choose((None, None, 200_000, 2_000_000)),
        sandboxes_per_student_max=dice.choose((1, 2)),
        pool=dice.choose((0, 0, 0, 4)),
    )
    engine.classes.create(room)

    def stored() -> Mapping[str, Any] | None:
        item = town.store.get(records.class_key(room.id))
        return item.body if item is not None else None

    town.promises.room = stored
    return room


def _people(town: Town, room: Classroom, dice: Dice, count: int) -> None:
    portals = (Process(town, "portal 1"), Process(town, "portal 2"))
    workers = [Process(town, f"worker {number}") for number in range(3)]
    turns = dice.part("turns")

    def deliver(message: ports.Message) -> bool:
        begun = town.agenda.now
        done = turns.choose(workers).do(lambda engine: engine.handle(message))
        # What comes too early by a worker's clock is sent back: that is no look.
        if done and "slot" in message.body and message.body.get("at", 0) <= begun - EARLY_MS_MAX:
            town.promises.looked(message.body["slot"], begun)
        return done

    town.post.deliver = deliver
    begin = START + 2 * MINUTE
    spread_ms = dice.choose((5 * SECOND, 40 * SECOND, 3 * MINUTE))
    for number in range(count):
        mine = dice.part(f"student {number}")
        leaves_at = START + mine.between(10, LAST_LEAVE_MINUTES) * MINUTE
        student = Student(town, room, f"Student {number}", mine, portals, leaves_at)
        student.arrive(begin + mine.between(0, spread_ms))
    trainer = Trainer(town, room, dice.part("trainer"), portals[0])
    trainer.teach(begin, START + CLASS_MINUTES * MINUTE)


def _sweep_on(town: Town, sweeper: Process, dice: Dice) -> None:
    """The duties of every minute or two, until rest; in some worlds they sleep for a while."""
    sleeps_from = sleeps_until = 0
    if town.weather.rules("sweeper sleeps"):
        sleeps_from = START + dice.between(5, 20) * MINUTE
        sleeps_until = sleeps_from + dice.between(2, 15) * MINUTE
        town.promises.asleep = (sleeps_from, sleeps_until)

    rhythm_ms = town.promises.rhythm_ms = dice.choose((1, 2, 3)) * MINUTE

    def duties() -> None:
        if not sleeps_from <= town.agenda.now < sleeps_until:
            sweeper.do(lambda engine: engine.sweeping.hear())
            done: list[Swept] = []
            sweeper.do(lambda engine: done.append(engine.sweeping.sweep()))
            if not done or done[0].unreadable:
                town.promises.sweeps_failed.append(town.agenda.now)
            sweeper.do(lambda engine: engine.sweeping.fill_pools())
        town.agenda.after(rhythm_ms, duties)

    town.agenda.after(dice.between(0, rhythm_ms), duties)
