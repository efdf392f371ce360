"""Everything one person has, in one query: who they are, their classes, sandboxes, progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from brihaspati.domain import access
from brihaspati.engine import records
from brihaspati.engine.paging import every
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Person, Record, Standing
from brihaspati.ports import Store


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A seat in a class, or the instructor's place in it."""

    class_id: str
    title: str
    role: access.Role


@dataclass(frozen=True, slots=True)
class Membership:
    """One person's partition of the store. `plays`: how many new sandboxes, by class."""

    person: Person
    enrolments: tuple[Enrolment, ...]
    sandboxes: tuple[Record, ...]
    standings: tuple[Standing, ...] = ()
    plays: Mapping[str, int] = field(default_factory=dict)

    def relations_to(self, class_id: str | None) -> frozenset[access.Relation]:
        """How this person stands to a class (None: to things of no class)."""
        found: set[access.Relation] = {"any"} if self.person.role == "admin" else set()
        for enrolment in self.enrolments:
            if enrolment.class_id == class_id:
                found.add("taught" if enrolment.role == "instructor" else "member")
        return frozenset(found)

    def sandbox(self, class_id: str, lab: str) -> Record | None:
        """This person's sandbox of a lab in a class."""
        for record in self.sandboxes:
            slot = record.sandbox.slot
            if (slot.class_id, slot.lab) == (class_id, lab):
                return record
        return None

    def standing(self, class_id: str, lab: str) -> Standing:
        """How far this person is in a lab of a class; not stored while they have not begun."""
        for standing in self.standings:
            if (standing.class_id, standing.lab) == (class_id, lab):
                return standing
        return Standing(class_id, lab, self.person.id)


def read(store: Store, user: str) -> Membership:
    """One query of the person's partition. Raises Problem when nobody is there."""
    person: Person | None = None
    enrolments: list[Enrolment] = []
    sandboxes: list[Record] = []
    standings: list[Standing] = []
    plays: dict[str, int] = {}
    for item in every(lambda cursor: store.query(f"u#{user}", cursor=cursor)):
        kind = item.key.sort.partition("#")[0]
        if kind == "user":
            person = records.person_of(user, item.body)
        elif kind == "k":
            class_id = item.key.sort.removeprefix("k#")
            enrolments.append(Enrolment(class_id, item.body["title"], item.body["role"]))
        elif kind == "y":
            sandboxes.append(records.record_of(item))
        elif kind == "p":
            standings.append(records.standing_of(item))
        elif kind == "n":
            plays[item.key.sort.removeprefix("n#")] = item.version
    if person is None:
        raise Problem("not_signed_in", "Sign in first.", "Join with your class code.")
    return Membership(person, tuple(enrolments), tuple(sandboxes), tuple(standings), plays)
