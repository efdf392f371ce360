"""A class: impatient students with two devices, a trainer who changes their mind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from brihaspati import ports
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine import records
from brihaspati.engine.engine import Engine
from brihaspati.simulation.cloud import MINUTE, SECOND
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.process import Process, Town

TRIES_MAX = 6
MORE_MINUTES = 15


@dataclass
class Student:
    """One student of a class, and what they do when they look at their screen."""

    town: Town
    room: Classroom
    name: str
    dice: Dice
    portals: tuple[Process, ...]
    leaves_at: int
    id: str = ""
    tries: dict[str, int] = field(default_factory=dict)

    def arrive(self, at: int) -> None:
        """Come into the class at some moment."""
        self.town.agenda.at(at, lambda: self._press("join", self._join, self._begin))

    def _press(
        self, what: str, deed: Callable[[Engine], object], then: Callable[[], None] | None = None
    ) -> None:
        """Press a button; again after a while when it came to nothing, as people do."""
        self.town.agenda.tell(f"{self.name} presses {what}")
        done = self.dice.choose(self.portals).do(deed)
        tries = self.tries[what] = self.tries.get(what, 0) + 1
        if done and then is not None:
            then()
        if done or tries % TRIES_MAX == 0:
            return
        self.town.agenda.after(
            self.dice.between(1, 8) * SECOND, lambda: self._press(what, deed, then)
        )

    def _join(self, engine: Engine) -> None:
        # The cookie of a join whose answer was lost never came: the name is taken then, by oneself.
        person = engine.classes.join(engine.classes.get(self.room.id), self.name, None)
        self.id = person.id

    def _begin(self) -> None:
        if self.id:
            if self.dice.happens(0.4):  # another lab, in a second tab
                later = self.dice.choose((0, 1, 10, 300))
                self.town.agenda.after(later, lambda: self.play(self.room.labs[-1][0]))
            self.play(self.room.labs[0][0])
            self._look_later()

    def play(self, lab: str) -> None:
        """Press Play, perhaps twice, perhaps on two devices."""

        def deed(engine: Engine) -> None:
            room = engine.classes.get(self.room.id)
            engine.playing.play(room, engine.classes.lab_in(room, lab), engine.member(self.id))

        self._press("play", deed)
        if self.dice.happens(0.3):
            later = self.dice.choose((0, 20, 200, 3 * SECOND))
            self.town.agenda.after(later, lambda: self._press("play again", deed))

    def _look_later(self) -> None:
        minutes = self.dice.choose((2, 4, 8))
        self.town.agenda.after(minutes * MINUTE + self.dice.between(0, MINUTE), self._look)

    def _look(self) -> None:
        """Look at the screen and do something about it."""
        if self.town.agenda.now >= self.leaves_at:
            return
        lab = self.dice.choose(self.room.labs)[0]
        slot = Slot(self.room.id, lab, user=self.id)
        item = self.town.store.get(records.sandbox_key(slot))
        if item is None or item.body["sandbox"]["phase"] in ("gone", "failed"):
            if self.dice.happens(0.6):
                self.play(lab)
        else:
            self._use(slot, item)
        self._look_later()

    def _use(self, slot: Slot, item: ports.Item) -> None:
        sandbox = item.body["sandbox"]
        chance = self.dice.share()
        if sandbox["phase"] == "ready" and chance < 0.6:
            self.town.heard.typed[sandbox["id"]] = self.town.agenda.now
        elif sandbox["phase"] == "ready" and chance < 0.75:
            left = sandbox["extensions_left"]
            self.town.promises.extends_asked.setdefault(sandbox["id"], set()).add(left)

            def deed(engine: Engine) -> None:
                engine.playing.extend(engine.classes.get(self.room.id), slot, left)

            self._press("extend", deed)
            if self.dice.happens(0.4):  # a double click
                self._press("extend", deed)
        elif chance < 0.9:
            self.town.promises.stops_asked.add(sandbox["id"])
            self._press("stop", lambda engine: engine.playing.stop(slot, "stopped"))


@dataclass
class Trainer:
    """Extends everybody, stops everybody, changes the budget."""

    town: Town
    room: Classroom
    dice: Dice
    portal: Process

    def teach(self, begin: int, end: int) -> None:
        """Do a thing or two in the course of a class."""
        for _ in range(self.dice.between(0, 3)):
            deed = self.dice.choose((self._extend_all, self._stop_all, self._change_budget))
            self.town.agenda.at(self.dice.between(begin, end), lambda deed=deed: self._do(deed))  # type: ignore[misc]

    def _do(self, deed: Callable[[Engine], None], tries: int = 1) -> None:
        self.town.agenda.tell(f"the trainer: {deed.__name__.strip('_').replace('_', ' ')}")
        if not self.portal.do(deed) and tries < TRIES_MAX:
            self.town.agenda.after(3 * SECOND, lambda: self._do(deed, tries + 1))

    def _slots(self, engine: Engine) -> list[records.Record]:
        page = engine.world.store.query_index("group", f"k#{self.room.id}", prefix="y#")
        return [records.record_of(item) for item in page.items]

    def _extend_all(self, engine: Engine) -> None:
        given, shown = self.town.promises.given_ms, []
        for record in self._slots(engine):
            deadline = record.sandbox.deadline_at
            if deadline is not None:
                given[record.sandbox.id] = given.get(record.sandbox.id, 0) + MORE_MINUTES * MINUTE
                shown.append((record.sandbox.slot, deadline))
        engine.teaching.extend(engine.classes.get(self.room.id), MORE_MINUTES, shown)

    def _stop_all(self, engine: Engine) -> None:
        for record in self._slots(engine):
            engine.playing.stop(record.sandbox.slot, "ended_by_trainer")

    def _change_budget(self, engine: Engine) -> None:
        budget = self.dice.choose((None, 10_000, 1_000_000))
        self.town.promises.budget_changed_at = self.town.agenda.now
        engine.classes.change(self.room.id, lambda room: replace(room, budget_micros=budget))
