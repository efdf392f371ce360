"""How many environments of a function should be warm: for classes that are about to begin.

A class begins at a known time, and then everybody opens the same page. Functions that were called a
few minutes before answer at once; others begin cold.
"""

from __future__ import annotations

from collections.abc import Iterable

from brihaspati.domain.classrooms import Classroom

# Raised for a class that begins within this time, or began a moment ago; dropped after that.
AHEAD_MS = 10 * 60_000
AFTER_MS = 5 * 60_000
# One environment serves about so many students who press at the same time.
STUDENTS_EACH = 10
ENVIRONMENTS_MAX = 50


def environments(rooms: Iterable[Classroom], now: int) -> int:
    """For the students of classes that begin now, a little before or after."""
    seats = sum(room.seats for room in rooms if -AFTER_MS <= room.opens_at - now <= AHEAD_MS)
    return min(-(-seats // STUDENTS_EACH), ENVIRONMENTS_MAX)
