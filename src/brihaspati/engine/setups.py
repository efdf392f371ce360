"""Classes as trainers make and change them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from brihaspati import ports
from brihaspati.domain import classrooms, rentable
from brihaspati.domain.classrooms import BadField, Classroom, Spill
from brihaspati.domain.labs import Lab
from brihaspati.domain.rosters import Expected
from brihaspati.engine import records, warming
from brihaspati.engine.classes import Classes
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Person
from brihaspati.engine.world import World


@dataclass(frozen=True, slots=True)
class Draft:
    """What a trainer says of a new class. `labs` by name; `budget_micros` None: no limit."""

    title: str
    labs: tuple[str, ...]
    opens_at: int
    closes_at: int
    seats: int
    welcome: str = ""
    budget_micros: int | None = None
    email_required: bool = False
    roster_only: bool = False
    spill: tuple[Spill, ...] = ()


@dataclass(frozen=True, slots=True)
class Setup:
    """A class and the version it was read at: who changes it says what they saw."""

    room: Classroom
    version: int


class Setups:
    """The commands of those who make classes. Each is safe to repeat."""

    def __init__(self, world: World, classes: Classes) -> None:
        self.world = world
        self.classes = classes

    def price_micros_per_hour(self, lab: Lab) -> int:
        """What an hour of a lab costs in a new class."""
        provider = self.world.providers[self._provider()]
        return sum(provider.price_micros_per_hour(spec) for spec in lab.machines)

    def _provider(self) -> str:
        return next(iter(self.world.providers))

    def elsewhere(self, usual: str | None = None) -> tuple[str, ...]:
        """Where machines of a class may be rented beside its usual provider (a new class's)."""
        mine = usual or self._provider()
        if not self.world.providers[mine].rented:
            return ()  # machines of our own host are told nothing by which others begin
        found = self.world.providers.items()
        return tuple(name for name, one in found if one.rented and name != mine)

    def read(self, class_id: str) -> Setup:
        """A class as it is now. Raises Problem."""
        return Setup(*self.classes.read(class_id))

    # --- make ----------------------------------------------------------------------------------
    def create(
        self, person: Person, key: str, draft: Draft, people: Sequence[Expected] = ()
    ) -> Setup:
        """A class that this person teaches, one for each of their keys. Raises BadField."""
        class_id = _id_of(person, key)
        existing = self.classes.find(class_id)
        if existing is not None:
            return self._repeated(Setup(*existing))
        room = self._drafted(class_id, person, draft)
        # The list before the class: a repetition finds the class only when it is whole.
        self.classes.rosters.expect(class_id, people)
        while True:
            room = replace(room, code=self.classes.free_code())
            try:
                return Setup(room, self.classes.create(room, person))
            except ports.Conflict as conflict:
                item = conflict.found.get(0)
                if item is not None:
                    return self._repeated(Setup(records.class_of(item), item.version))

    def _repeated(self, found: Setup) -> Setup:
        """What was stored before; who did it may not have come as far as telling the hours."""
        warming.told(self.world, found.room)
        return found

    def _drafted(self, class_id: str, person: Person, draft: Draft) -> Classroom:
        if draft.closes_at <= self.world.clock.now():
            raise BadField(
                "closes_at", "The class would be over already.", "Choose an end that is to come."
            )
        spill = classrooms.checked_spill(draft.spill, self._provider(), self.elsewhere())
        said = {**asdict(draft), "labs": self._versions(draft.labs, {}), "spill": spill}
        room = Classroom(
            id=class_id,
            instructor=person.name,
            instructor_id=person.id,
            code="",
            provider=self._provider(),
            pool=self.world.pool,
            **said,
        )
        self._check_labs(room)
        return classrooms.checked(room)

    def _check_labs(self, room: Classroom) -> None:
        """Raise BadField when a provider of the class cannot have one of its labs."""
        usual = self.world.providers.get(room.provider)
        if usual is None or not usual.rented:
            return
        clouds = (room.provider, *(spill.provider for spill in room.spill))
        for name, version in room.labs:
            rentable.check(self.classes.lab(name, version), clouds)

    # --- change --------------------------------------------------------------------------------
    def change(self, class_id: str, version: int, changes: Mapping[str, Any]) -> Setup:
        """Change what is named of a class, if it still is as it was at this version.

        Labs that are named get their latest version; one that is not published any more stays as
        the class has it. Raises BadField, and Problem when somebody else was faster.
        """
        found = self.read(class_id)
        named = dict(changes)
        if "labs" in named:
            named["labs"] = self._versions(named["labs"], dict(found.room.labs))
        if "spill" in named:
            usual = found.room.provider
            others = self.elsewhere(usual)
            named["spill"] = classrooms.checked_spill(tuple(named["spill"]), usual, others)
        changed = classrooms.checked(replace(found.room, **named))
        if "labs" in named or "spill" in named:
            self._check_labs(changed)
        if changed == found.room:
            return self._repeated(found)
        if changed.seats < found.room.seats:
            self._check_seats(changed)
        try:
            if found.version == version:
                return Setup(changed, self.classes.write(changed, version))
        except ports.Conflict:
            pass
        raise Problem(
            "changed_meanwhile",
            f"{found.room.title} was changed by somebody else.",
            "Look at what it is now, then change it again.",
        )

    def _check_seats(self, room: Classroom) -> None:
        taken = len(self.classes.roster(room.id))
        if room.seats < taken:
            raise BadField(
                "seats",
                f"{taken} seats are taken; {room.seats} are not enough.",
                f"Choose {taken} or more: nobody loses their seat.",
            )

    def _versions(
        self, names: Sequence[str], have: Mapping[str, str]
    ) -> tuple[tuple[str, str], ...]:
        known = {**have, **{lab.name: lab.version for lab in self.classes.catalogue()}}
        missing = [name for name in names if name not in known]
        if missing:
            raise BadField(
                "labs",
                f"There is no lab called {missing[0]}.",
                f"Choose from {', '.join(sorted(known)) or 'labs that are published first'}.",
            )
        return tuple((name, known[name]) for name in names)


def _id_of(person: Person, key: str) -> str:
    """The same for the same key of the same person."""
    digest = hashlib.sha256(f"{person.id}#{key}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:12]
