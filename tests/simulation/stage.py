"""The simulation's own parts, with faults at chosen moments instead of by chance, and a witness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.simulation.cloud import Box, Cloud
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.links import Alarms, Post
from brihaspati.simulation.promises import Promises
from brihaspati.simulation.vices import VICES, Weather
from simulation.narrator import Narrator, moment


def is_told(count: int) -> bool:
    """Whether a repetition is worth a line: the first ones, then one of twenty."""
    return count <= 3 or count % 20 == 0


class Fate(Weather):
    """A vice strikes when the story says so, as often or as long as it says."""

    def __init__(self, narrator: Narrator) -> None:
        super().__init__({}, Dice("fate"))
        self._narrator = narrator
        self._times: dict[str, int] = {}
        self._until: dict[str, int] = {}

    def send(self, vice: str, *, times: int = 1) -> None:
        """Have something go wrong the next times that it can."""
        assert vice in VICES, vice
        self._times[vice] = self._times.get(vice, 0) + times

    def send_for(self, vice: str, ms: int) -> None:
        """Have something go wrong each time for a while."""
        assert vice in VICES, vice
        self._until[vice] = self._narrator.agenda.now + ms

    def strikes(self, vice: str) -> bool:
        """Whether it is time."""
        left = self._times.get(vice, 0)
        if not left and self._narrator.agenda.now >= self._until.get(vice, 0):
            return False
        self._times[vice] = max(0, left - 1)
        self.struck[vice] += 1
        if is_told(self.struck[vice]):
            self._narrator.say(f"  trouble: {vice}")
        return True

    def may_strike(self, vice: str) -> bool:
        """A story may send any."""
        return vice in VICES

    @property
    def unspent(self) -> list[str]:
        """What was to go wrong and never had an occasion."""
        return [vice for vice, left in self._times.items() if left]


@dataclass
class Witness(Promises):
    """Checks what is promised, tells of every write, and lets a story act at one."""

    narrator: Narrator | None = None
    cues: dict[str, Callable[[], None]] = field(default_factory=dict)

    def committed(self, writes: Sequence[ports.Write]) -> None:
        """Hear of a write that was really done."""
        super().committed(writes)
        assert self.narrator is not None
        for write in writes:
            if not isinstance(write, ports.Put):
                continue
            if "sandbox" in write.body and "effects" in write.body:
                self.narrator.wrote(write.body["sandbox"], write.body["effects"])
                self.cues.pop(write.body["sandbox"]["phase"], lambda: None)()
            elif write.key.sort.startswith("x#"):
                self.narrator.proved(write.body)


class Shelf(memory.Store):
    """The memory store; a story may put itself between somebody's reading and writing."""

    def __init__(self, clock: ports.Clock, narrator: Narrator) -> None:
        super().__init__(clock)
        self._narrator = narrator
        self.between: Callable[[], None] | None = None
        self.writes = 0

    def transact(self, writes: Sequence[ports.Write]) -> tuple[int, ...]:
        """Write all or nothing; a refusal is told."""
        between, self.between = self.between, None
        if between is not None:
            between()
        self.writes += 1
        try:
            return super().transact(writes)
        except ports.Conflict:
            self._narrator.say("a write is refused: somebody else was first; it looks again")
            raise


def _state(seen: ports.MachineSeen) -> str:
    return f"{seen.id}, {'usable' if seen.usable else 'still booting'}"


@dataclass
class StagedCloud(Cloud):
    """The lying cloud, heard by a narrator. `sweeping`: who asks now only compares."""

    narrator: Narrator | None = None
    sweeping: bool = False
    asked: dict[str, int] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    hushed: bool = False

    def say(self, what: str) -> None:
        """Tell of it, unless it is one repetition of many."""
        assert self.narrator is not None
        if not self.hushed:
            self.narrator.say(what)

    def _whose(self, label: str) -> str:
        assert self.narrator is not None
        return self.narrator.machine(label)

    def create(self, order: ports.MachineOrder) -> ports.MachineSeen:
        """Make a machine, or not."""
        self.hushed = False
        self.say(f"the cloud is asked for {self._whose(order.label)}")
        try:
            seen = super().create(order)
        except ports.CreateRefused as refused:
            self.say(f"the cloud refuses: {refused.reason}")
            raise
        except ports.Unclear:
            self.say("the server gets no answer, and does not ask twice")
            raise
        self.say(f"the cloud answers: {_state(seen)}")
        self.answers[order.label] = _state(seen)
        return seen

    def make(self, label: str, *, stranger: bool = False) -> Box:
        """A machine that is there from now on."""
        box = super().make(label, stranger=stranger)
        is_known = not self._whose(label).endswith(label)
        self.say(f"the cloud makes {box.id}" + ("" if is_known else f", labelled {label}"))
        return box

    def end(self, box: Box, *, by_us: bool = False) -> None:
        """A machine is no more."""
        if box.ended_at is None:
            self.hushed = False
            self.say(f"{box.id} is really gone")
        super().end(box, by_us=by_us)

    def find(self, label: str) -> ports.MachineSeen | None:
        """Look a machine up."""
        try:
            seen = super().find(label)
        except ports.Unclear:
            self.say(f"a look-up for {self._whose(label)} gets no answer")
            raise
        if seen is None:
            self.answers.pop(label, None)
            self.say(f"a look-up for {self._whose(label)} finds nothing")
        else:
            if self.answers.get(label) != _state(seen):
                self.say(f"a look-up finds {_state(seen)}")
            self.answers[label] = _state(seen)
        return seen

    def inventory(self) -> list[ports.MachineSeen]:
        """Every machine with our mark."""
        found = super().inventory()
        if not self.sweeping:
            listed = ", ".join(machine.id for machine in found) or "nothing of ours"
            self.say(f"the inventory lists {listed}")
        return found

    def delete(self, machine_id: str) -> None:
        """End a machine, or say so."""
        count = self.asked[machine_id] = self.asked.get(machine_id, 0) + 1
        self.hushed = not is_told(count)
        self.answers.pop(self.boxes[machine_id].label, None)
        again = f", for the {count}th time" if count > 3 else ", again" if count > 1 else ""
        self.say(f"the cloud is told to delete {machine_id}{again}")
        try:
            super().delete(machine_id)
        except ports.Unclear:
            self.say("no answer comes")
            raise
        self.say("the cloud says that it is done")


class StagedAlarms(Alarms):
    """Alarms that are heard when they are set and when they ring."""

    def __init__(self, post: Post, narrator: Narrator) -> None:
        super().__init__(Bell(post, narrator))
        self._narrator = narrator

    def set(self, name: str, at: ports.Moment, message: ports.Message) -> None:
        """Set or move an alarm."""
        self._narrator.say(f"the alarm of {self._narrator.slots[name]} is set to {moment(at)}")
        super().set(name, at, message)


class Bell(Post):
    """What an alarm rings: it sends a message by the post of the scene."""

    def __init__(self, post: Post, narrator: Narrator) -> None:
        super().__init__(post.agenda, post.weather, post.dice)
        self._post = post
        self._narrator = narrator

    def put(self, message: ports.Message, *, delay_seconds: float = 0) -> None:
        """Ring."""
        lab = self._narrator.slots[str(message.body["slot"])]
        self._narrator.say(f"the alarm of {lab} rings")
        self._post.put(message, delay_seconds=delay_seconds)
