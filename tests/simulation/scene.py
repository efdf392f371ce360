"""A small class on a stage: people act one after the other, and what follows is told in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from brihaspati import ports
from brihaspati.domain import labs, scrubs
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine import records
from brihaspati.engine.engine import Engine
from brihaspati.simulation.agenda import START, Agenda, SkewedClock
from brihaspati.simulation.cloud import HOUR, MINUTE, NAME, SECOND
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.links import Post
from brihaspati.simulation.process import Process, Town
from simulation.narrator import Narrator, cents
from simulation.stage import Fate, Shelf, StagedAlarms, StagedCloud, Witness

LAB = labs.Lab(
    name="shell",
    title="The shell",
    summary="",
    version="v1",
    minutes=40,
    lifetime_minutes=40,
    machines=(labs.MachineSpec(name="main"),),
    terminals=(labs.Terminal("main", "main"),),
    steps=(),
    extend_minutes=10,
    extensions_max=2,
)
REST_MS = 5 * MINUTE


class Scene:
    """One server, one cloud, one class with one lab; `closes_after` minutes the class is over."""

    def __init__(self, name: str, *, pool: int = 0, closes_after: int = 300) -> None:
        self.agenda = Agenda(self._heard)
        self.narrator = Narrator(self.agenda)
        self.fate = Fate(self.narrator)
        dice = Dice(name)
        self.cloud = StagedCloud(self.agenda, self.fate, dice.part("cloud"), narrator=self.narrator)
        self.witness = Witness(self.agenda, self.cloud, narrator=self.narrator)
        self.cloud.deleted = self.witness.deleted
        self.shelf = Shelf(SkewedClock(self.agenda), self.narrator)
        post = Post(self.agenda, self.fate, dice.part("post"))
        self.town = Town(
            self.agenda,
            self.fate,
            dice,
            self.shelf,
            self.cloud,
            self.witness,
            post,
            StagedAlarms(post, self.narrator),
        )
        self.server = Process(self.town, "the server")
        post.deliver = self._deliver
        self.shows_messages = False
        self.room = self._room(pool, START + closes_after * MINUTE)
        self.agenda.after(dice.between(10, 50) * SECOND, self._minute)

    def _room(self, pool: int, closes_at: int) -> Classroom:
        self.server.engine.classes.publish(LAB)
        room = Classroom(
            id="class",
            title="A class",
            instructor="Prof. Iyer",
            code="MARIGOLD",
            opens_at=START,
            closes_at=closes_at,
            seats=10,
            labs=((LAB.name, LAB.version),),
            provider=NAME,
            pool=pool,
        )
        self.server.engine.classes.create(room)
        return room

    # --- what goes on by itself ------------------------------------------------------------------
    def _heard(self, line: str) -> None:
        """Of what the simulation tells itself, what no part of the stage tells better."""
        _, _, what = line.partition(" ")
        if what.endswith("is killed"):
            self.narrator.say(f"{what}; the next one knows only what is written down")
        if what.startswith("BROKEN"):
            self.narrator.say(what)

    def _deliver(self, message: ports.Message) -> bool:
        place, writes = len(self.narrator.lines), self.shelf.writes
        if self.shows_messages and message.topic == "sandbox":
            lab = self.narrator.slots[message.body["slot"]]
            self.narrator.say(f"a message arrives: look at {lab}")
        done = self.server.do(lambda engine: engine.handle(message))
        if self.shows_messages and done and self.shelf.writes == writes:
            self.narrator.lines[place] += "; there is nothing to do"
        return done

    def _minute(self) -> None:
        """The minute's duties."""
        self.server.do(lambda engine: engine.sweeping.hear())
        self.server.do(self._sweep)
        self.server.do(lambda engine: engine.sweeping.fill_pools())
        self.agenda.after(MINUTE, self._minute)

    def _sweep(self, engine: Engine) -> None:
        self.cloud.sweeping = True
        swept = engine.sweeping.sweep()
        self.cloud.sweeping = False
        found = (
            (swept.suspects - swept.strays, "suspects {} that no lab accounts for"),
            (swept.strays, "told the cloud to delete {}, seen twice"),
            (swept.lost, "told the lab of {} that is not in the inventory"),
        )
        for count, what in found:
            if count:
                machines = "1 machine" if count == 1 else f"{count} machines"
                self.narrator.say(f"the sweep {what.format(machines)}")

    # --- directions ------------------------------------------------------------------------------
    def student(self, name: str) -> Student:
        """A student who has joined."""
        joined: list[str] = []

        def join(engine: Engine) -> None:
            person = engine.classes.join(engine.classes.get(self.room.id), name, None)
            joined.append(person.id)

        self.server.do(join)
        self.narrator.people[joined[0]] = name
        return Student(self, name, joined[0])

    def wait(self, *, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass."""
        self.agenda.run(self.agenda.now + round(minutes * MINUTE + seconds * SECOND))

    def after(self, act: Callable[[], None], *, seconds: float) -> None:
        """Have somebody act a little later, whatever goes on then."""
        self.agenda.after(round(seconds * SECOND), act)

    def when(self, phase: str, act: Callable[[], None]) -> None:
        """Act at the next write that says a lab is in this phase."""
        self.witness.cues[phase] = act

    def meanwhile(self, act: Callable[[], None]) -> None:
        """Act between the next writer's reading and writing."""
        self.shelf.between = act

    def trainer_stops_all(self) -> None:
        """Prof. Iyer ends the labs of the class."""
        self.narrator.say("Prof. Iyer presses Stop all")
        self.server.do(lambda engine: engine.teaching.stop(self.room, None))

    def operator_deletes(self, machine_id: str) -> None:
        """Somebody deletes a machine at the provider's own pages."""
        self.narrator.say(f"an operator deletes {machine_id} by hand")
        self.cloud.end(self.cloud.boxes[machine_id])

    # --- the end ---------------------------------------------------------------------------------
    def close(self) -> list[str]:
        """Let everything come to rest; the whole story."""
        assert not self.fate.unspent, self.fate.unspent
        latest = self.agenda.now + 8 * HOUR
        while self.witness.is_anyone_alive() and self.agenda.now < latest:
            self.agenda.run(self.agenda.now + MINUTE)
        self.agenda.run(self.agenda.now + REST_MS)
        self.witness.at_rest()
        self._count()
        return self.narrator.lines

    def _count(self) -> None:
        ours = [box for box in self.cloud.boxes.values() if not box.stranger]
        made = "1 machine was made" if len(ours) == 1 else f"{len(ours)} machines were made"
        self.narrator.say(f"at rest: {made}, {len(self.cloud.running())} left")
        billed, booked = cents(self.cloud.bill_micros()), cents(self.witness.spent.micros)
        self.narrator.say(f"the cloud bills {billed}, the scrub record says {booked}")
        scrubbing = self.server.engine.worker.scrubbing
        chains = [scrubbing.chain(self.room.id, lab) for lab in self.narrator.labs]
        wrong = [fault for chain in chains for fault in scrubs.faults(chain)]
        kept = "every promise was kept, and every chain of the scrub record holds"
        self.narrator.say("; ".join([*self.witness.broken, *wrong]) or kept)


@dataclass(frozen=True)
class Student:
    """Somebody with a screen, or two."""

    scene: Scene
    name: str
    id: str

    @property
    def slot(self) -> Slot:
        """Their place for the one lab of the class."""
        return Slot(self.scene.room.id, LAB.name, user=self.id)

    def plays(self, device: str = "") -> None:
        """Press Play."""
        say, shown = self.scene.narrator.say, list[str]()
        say(f"{self.name} presses Play" + (f" on the {device}" if device else ""))

        def deed(engine: Engine) -> None:
            room = engine.classes.get(self.scene.room.id)
            lab = engine.classes.lab_in(room, LAB.name)
            record, new = engine.playing.play(room, lab, engine.member(self.id))
            name = self.scene.narrator.labs[record.sandbox.id]
            shown.append(f"{name}, {'new' if new else 'the one there is'}")

        self.scene.server.do(deed)
        if device:
            say(f"the {device} shows {shown[0]}")

    def types(self) -> None:
        """Work in the terminal."""
        self.scene.narrator.say(f"{self.name} types a command")
        record = self._record()
        self.scene.town.heard.typed[record.sandbox.id] = self.scene.agenda.now

    def extends(self) -> None:
        """Ask for more time."""
        self.scene.narrator.say(f"{self.name} presses Extend")
        sandbox = self._record().sandbox
        left = sandbox.extensions_left
        self.scene.witness.extends_asked.setdefault(sandbox.id, set()).add(left)
        self.scene.server.do(lambda engine: engine.playing.extend(self.scene.room, self.slot, left))

    def stops(self) -> None:
        """Press Stop."""
        self.scene.narrator.say(f"{self.name} presses Stop")
        self.scene.witness.stops_asked.add(self._record().sandbox.id)
        self.scene.server.do(lambda engine: engine.playing.stop(self.slot, "stopped"))

    def does(self, what: str) -> None:
        """Something that no machine hears of."""
        self.scene.narrator.say(f"{self.name} {what}")

    def looks(self) -> None:
        """Read what the page says."""
        sandbox = self._record().sandbox
        said = f', "{sandbox.reason}"' if sandbox.reason else ""
        self.scene.narrator.say(f"{self.name}'s page says: {sandbox.phase}{said}")

    def _record(self) -> records.Record:
        record = self.scene.server.engine.worker.load(self.slot)
        assert record is not None
        return record
