"""The demo class every embedded deployment starts with, so that a newcomer can press Play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from brihaspati import ports
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.labs import Lab
from brihaspati.engine.classes import Classes
from brihaspati.engine.problems import Problem

DEMO = "demo"
YEARS_10_MS = 10 * 365 * 24 * 3_600_000


def ensure(
    classes: Classes, labs: Sequence[Lab], provider: str, *, pool: int, seats: int
) -> Classroom:
    """The demo class, open, with the labs as they are now. Raises what the store raises."""
    classes.offer(labs)
    versions = tuple((lab.name, lab.version) for lab in labs)
    try:
        room = classes.get(DEMO)
    except Problem:
        now = classes.world.clock.now()
        room = Classroom(
            id=DEMO,
            title="Demo class",
            instructor="Brihaspati",
            code=classes.free_code(),
            opens_at=now,
            closes_at=now + YEARS_10_MS,
            seats=seats,
            labs=versions,
            provider=provider,
            welcome="Pick a lab and press Play. Everything in it is deleted when you stop.",
            sandboxes_per_student_max=3,
            pool=pool,
        )
        try:
            classes.create(room)
        except ports.Conflict:
            return classes.get(DEMO)
        return room
    return classes.change(
        room.id,
        lambda room: replace(
            room, labs=versions, provider=provider, pool=pool, seats=max(seats, 1)
        ),
    )
