"""How many environments of a function should be warm: for classes that are about to begin.

A class begins at a known time, and then everybody opens the same page. Functions that were called a
few minutes before answer at once; others begin cold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from brihaspati.domain.classrooms import Classroom

# Raised for a class that begins within this time, or began a moment ago; dropped after that.
AHEAD_MS = 10 * 60_000
AFTER_MS = 5 * 60_000
# When functions are called before a class opens, by a name each. The first is in time even if it
# comes 90 seconds late; the second keeps what the first began, and adds what it lacks.
CALLS_MS: Mapping[str, int] = {"early": 6 * 60_000, "late": 2 * 60_000}
# One environment serves about so many students who press at the same time.
STUDENTS_EACH = 10
ENVIRONMENTS_MAX = 50


def environments(rooms: Iterable[Classroom], now: int) -> int:
    """For the students of classes that begin now, a little before or after."""
    seats = sum(room.seats for room in rooms if -AFTER_MS <= room.opens_at - now <= AHEAD_MS)
    return min(-(-seats // STUDENTS_EACH), ENVIRONMENTS_MAX)


def moments(room: Classroom, now: int) -> dict[str, int]:
    """When functions are to be called for a class, by name; what is over is left out."""
    calls = {name: room.opens_at - ahead_ms for name, ahead_ms in CALLS_MS.items()}
    return {name: at for name, at in calls.items() if at > now}
