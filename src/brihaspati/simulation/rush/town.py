"""The whole of it: classes, functions, the table, the clouds; from press to gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from brihaspati.adapters import elsewhere, memory
from brihaspati.adapters.rented import rental
from brihaspati.domain import labs
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.effects import Duty
from brihaspati.domain.looks import AFAR, NEARBY
from brihaspati.engine.engine import Engine
from brihaspati.engine.world import Bounds, World
from brihaspati.simulation import quiet
from brihaspati.simulation.agenda import START, Agenda
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.rush.functions import CONCURRENCY, Account, Function, Kind
from brihaspati.simulation.rush.limits import Tally
from brihaspati.simulation.rush.people import LAB, Agent, Gateway, Student, sandbox_of
from brihaspati.simulation.rush.post import Line, Post, Schedules
from brihaspati.simulation.rush.rented import REGION, Api, Box, Rented
from brihaspati.simulation.rush.table import PARTITIONS, Table, TableLink
from brihaspati.simulation.rush.tasks import Tasks

MINUTE = 60_000
# As wiring/cloud.py and serverless.yml; a test compares.
BOUNDS = Bounds(start_seconds_max=300, lookup_grace_ms=8_000, beat_seconds=120)
DUE_SHARDS = 8
STARTING_MOST, STARTING_TRIES = 10, 5
ENDING_MOST, ENDING_TRIES = 20, 10
VISIBLE_MS = 360_000
PRICE_MICROS = 8_930
KINDS = {
    "api_student": Kind("api_student", 450, 20, 1.0),
    "machines": Kind("machines", 450, 20, 0.5),
    "provision": Kind("provision", 900, 20, 0.5),
    "deprovision": Kind("deprovision", 900, 20, 0.5, reserved=ENDING_MOST),
    "sweep": Kind("sweep", 900, 20, 0.5, reserved=1),
}
DUTIES: dict[str, frozenset[Duty]] = {
    "provision": frozenset({"start"}),
    "deprovision": frozenset({"end"}),
    "sweep": frozenset({"end"}),
}
SAMPLE_MS = 5_000
PRESSES_MS = 60_000
WORK_MS = (3 * MINUTE, 5 * MINUTE)
REST_MINUTES_MAX = 8 * 60


@dataclass(frozen=True, slots=True)
class Rush:
    """What is simulated. `accounts`: of the cloud that machines are rented from.

    `warm`: environments of the student API that are ready before; `starting`: how many calls may
    start machines at a time; `nearby`: pages look as often as on one machine.
    """

    students: int
    seed: int = 1
    class_size: int = 100
    accounts: int = 5
    concurrency: int = CONCURRENCY
    partitions: int = PARTITIONS
    starting: int = STARTING_MOST
    shards: int = DUE_SHARDS
    warm: int = 0
    nearby: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """How things stood at a moment, in ms since the first press.

    `shown`: students who have seen their lab ready by then, whatever came after; `ready`: who have
    it, and have not pressed Stop yet.
    """

    at: int
    waiting: int
    booting: int
    shown: int
    ready: int
    over: int
    starting_queue: int
    ending_queue: int
    environments: int


@dataclass
class Town:
    """Everything of one rush."""

    rush: Rush
    agenda: Agenda = field(default_factory=Agenda)
    tally: Tally = field(default_factory=Tally)
    samples: list[Sample] = field(default_factory=list)
    students: list[Student] = field(default_factory=list)
    made: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rush = self.rush
        self.dice = Dice(f"rush {rush.seed}")
        self.tasks = Tasks(self.agenda)
        self.table = Table(self.tasks, self.tally, rush.partitions)
        self.post = Post(self.tasks, self.tally)
        self.timer = Schedules(self.tasks, self.tally, self.dice.part("timer"), self.post)
        self.post.later = self.timer.later
        self.secrets = memory.Secrets(b"rush")
        self.clouds = [self._cloud(number) for number in range(rush.accounts)]
        kept = sum(kind.reserved or 0 for kind in KINDS.values())
        self.account = Account(max(1, rush.concurrency - kept))
        self.functions = {
            name: Function(kind, self.tasks, self.tally, self.account, self._engines(name))
            for name, kind in KINDS.items()
        }
        self.starting = self._line("starting", "start", "provision", rush.starting, STARTING_TRIES)
        self.ending = self._line("ending", "end", "deprovision", ENDING_MOST, ENDING_TRIES)
        self.post.starting, self.post.ending = self.starting, self.ending
        self.gateway = Gateway(self.tasks, self.tally)

    def _line(self, name: str, part: str, function: str, most: int, tries: int) -> Line:
        called = self.functions[function]
        return Line(name, part, called, most, VISIBLE_MS, tries, self.tasks, self.tally)

    def _cloud(self, number: int) -> Rented:
        name = f"cloud-{number + 1}"
        return Rented(name, self.tasks, self.tally, self.dice.part(name), self._booted)

    def _booted(self, box: Box, at: int) -> None:
        self.made.setdefault(sandbox_of(box), box.created_at)
        dice = self.dice.part(box.label)
        key, beat_ms = box.label[-32:].encode(), BOUNDS.beat_seconds * 1000
        agent = Agent(self.gateway, self.functions["machines"], box, dice, key, beat_ms)
        agent.boot(at)

    # --- engines ---------------------------------------------------------------------------------
    def _engines(self, function: str) -> Callable[[str], Engine]:
        duties = DUTIES.get(function, frozenset())

        def born(name: str) -> Engine:
            dice = self.dice.part(name)
            return Engine(self._world(dice, duties))

        return born

    def _world(self, dice: Dice, duties: frozenset[Duty]) -> World:
        store = TableLink(self.table, dice)
        named = {one.name: elsewhere.Elsewhere(one.name, PRICE_MICROS) for one in self.clouds}
        rentals = {one.name: self._rental(one, duties) for one in self.clouds} if duties else {}
        for rented in rentals.values():
            rented.share(store, self.tasks)
        paces = {name: one.pace for name, one in (rentals or named).items()}
        return World(
            env="rush",
            store=store,
            queue=self.post,
            timer=self.timer,
            providers=rentals or named,
            paces=paces,
            agents=elsewhere.NoAgents(),
            clock=self.tasks,
            chance=memory.SeededChance(dice.between(0, 2**62)),
            secrets=self.secrets,
            bounds=BOUNDS,
            due_shards=self.rush.shards,
            duties=duties,
            verify=lambda _key, _signature, _text: True,
            looks=NEARBY if self.rush.nearby else AFAR,
        )

    def _rental(self, account: Rented, duties: frozenset[Duty]) -> rental.Rental:
        api = Api(account, "make" if "start" in duties else "sweep")
        options = rental.Options(
            "rush", REGION, "debian-12-x64", account.name, now=lambda: self.tasks.now() / 1000
        )
        return rental.Rental(api, api, options)

    # --- a day -----------------------------------------------------------------------------------
    def live(self, report: Callable[[str, float | None], None]) -> None:
        """From the first press until nobody has a lab any more, or it is plain that some stay."""
        with quiet.quiet():
            self._begin()
            end = START + REST_MINUTES_MAX * MINUTE
            while not self._at_rest() and self.agenda.now < end:
                self.agenda.run(self.agenda.now + SAMPLE_MS)
                self.samples.append(sample := self._sample())
                share = sample.over / len(self.students)
                report(f"{self.agenda.clock_face()}: {sample.ready} ready", share)

    def _begin(self) -> None:
        rush, dice = self.rush, self.dice.part("people")
        with self.tasks.at_once("upkeep"):
            engine = Engine(self._world(self.dice.part("setup"), frozenset()))
            engine.classes.publish(_lab())
            for number in range(-(-rush.students // rush.class_size)):
                self._fill(engine, number, dice)
        self.table.open = True
        self.functions["api_student"].warm_up(rush.warm)
        for student in self.students:
            student.arrive(START + 5_000 + dice.between(0, PRESSES_MS))
        self._sweep()

    def _fill(self, engine: Engine, number: int, dice: Dice) -> None:
        room = self._room(engine, number)
        seats = min(room.seats, self.rush.students - number * self.rush.class_size)
        for seat in range(seats):
            name = f"{room.id} {seat}"
            person = engine.classes.join(room, name, None)
            api = self.functions["api_student"]
            works_ms = dice.between(*WORK_MS)
            self.students.append(
                Student(self.gateway, api, room, person.id, dice.part(name), works_ms)
            )

    def _room(self, engine: Engine, number: int) -> Classroom:
        lab = _lab()
        letters = "ABCDEFGH"
        code = "".join(letters[number >> (3 * place) & 7] for place in range(8))
        room = Classroom(
            id=f"c{number}",
            title=f"Class {number}",
            instructor="Prof. Iyer",
            code=code,
            opens_at=START - MINUTE,
            closes_at=START + 12 * 60 * MINUTE,
            seats=self.rush.class_size,
            labs=((lab.name, lab.version),),
            provider=self.clouds[number % len(self.clouds)].name,
        )
        engine.classes.create(room)
        return room

    def _sweep(self) -> None:
        def deed(engine: Engine) -> None:
            engine.sweeping.sweep()

        self.functions["sweep"].invoke("upkeep", deed, lambda _: None)
        self.agenda.after(MINUTE, self._sweep)

    def _at_rest(self) -> bool:
        return all(one.over for one in self.students) and not self.machines_left()

    def machines_left(self) -> int:
        """Machines that still cost money."""
        return sum(len(one.alive) for one in self.clouds)

    def _sample(self) -> Sample:
        times = [one.times for one in self.students]
        made = sum(one.made for one in self.clouds)
        shown = sum(one.shown_at is not None for one in times)
        stopped = sum(one.stopped_at is not None for one in times)
        accepted = sum(one.accepted_at is not None for one in times)
        return Sample(
            at=self.agenda.now - START,
            waiting=max(0, accepted - made),
            booting=max(0, made - shown),
            shown=shown,
            ready=shown - stopped,
            over=sum(one.over for one in self.students),
            starting_queue=len(self.starting.waiting),
            ending_queue=len(self.ending.waiting),
            environments=self.account.running,
        )


def _lab() -> labs.Lab:
    step = labs.Step("one", "Look around", "<p>ls</p>")
    return labs.Lab(
        name=LAB,
        title="A shell of one's own",
        summary="A machine and a terminal.",
        version="v1",
        minutes=45,
        lifetime_minutes=60,
        machines=(labs.MachineSpec(name="main"),),
        terminals=(labs.Terminal("main", "main"),),
        steps=(replace(step, id="one"), replace(step, id="two"), replace(step, id="three")),
    )
