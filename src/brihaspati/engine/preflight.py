"""Looks at a class days before it begins, at every provider that it may have machines of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from brihaspati.domain import preflight
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.labs import Lab
from brihaspati.domain.preflight import Finding, Standing, Wanted
from brihaspati.engine.classes import Classes
from brihaspati.engine.world import World


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found about one lab at one provider."""

    provider: str
    lab: str
    findings: tuple[Finding, ...]


class Preflight:
    """Asks providers what they have, and says what a class lacks."""

    def __init__(self, world: World, classes: Classes) -> None:
        self.world = world
        self.classes = classes

    def look(self, room: Classroom) -> tuple[Looked, ...]:
        """Each lab of a class at each of its providers; nothing for labs on our own host."""
        names = [room.provider, *(spill.provider for spill in room.spill)]
        return tuple(
            Looked(name, lab.name, preflight.look(self._standing(name, lab), _wanted(room, lab)))
            for name in dict.fromkeys(names)
            if name in self.world.standings
            for lab in (self.classes.lab(*pinned) for pinned in room.labs)
        )

    def _standing(self, provider: str, lab: Lab) -> Standing:
        return self.world.standings[provider](lab)


def _wanted(room: Classroom, lab: Lab) -> Wanted:
    opens = dt.datetime.fromtimestamp(room.opens_at / 1000, tz=dt.UTC)
    return Wanted(
        title=room.title,
        lab=lab.name,
        students=room.seats,
        at_once=min(room.sandboxes_per_student_max, len(room.labs)),
        hours=round(lab.lifetime_minutes / 60, 2),
        opens_on=f"{opens:%d %B %Y, %H:%M} UTC",
        budget_micros=room.budget_micros,
    )
