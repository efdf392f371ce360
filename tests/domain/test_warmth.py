"""Warmth rises before a class begins, and falls after."""

from __future__ import annotations

from brihaspati.domain import warmth
from brihaspati.domain.classrooms import Classroom

NOW = 1_800_000_000_000
MINUTE = 60_000


def room(begins_in_minutes: float, seats: int = 30) -> Classroom:
    opens_at = NOW + round(begins_in_minutes * MINUTE)
    return Classroom(
        id=f"c{opens_at}",
        title="A class",
        instructor="Prof. Iyer",
        code="MARIGOLD",
        opens_at=opens_at,
        closes_at=opens_at + 60 * MINUTE,
        seats=seats,
        labs=(("hello", "v1"),),
        provider="cloud",
    )


def test_it_rises_ten_minutes_before_a_class_and_falls_five_after_its_begin() -> None:
    when = {11: 0, 10: 3, 1: 3, 0: 3, -5: 3, -6: 0, -30: 0}
    assert {m: warmth.environments([room(m)], NOW) for m in when} == when


def test_classes_that_begin_together_add_up_and_others_count_nothing() -> None:
    rooms = [room(3, 30), room(4, 25), room(60, 500)]
    assert warmth.environments(rooms, NOW) == 6


def test_without_classes_nothing_is_kept_warm_and_there_is_a_most() -> None:
    assert warmth.environments([], NOW) == 0
    assert warmth.environments([room(0, 5_000)], NOW) == warmth.ENVIRONMENTS_MAX


def test_calls_that_come_late_still_find_the_class_about_to_begin() -> None:
    begins = room(30)
    for at in warmth.moments(begins, NOW).values():
        for late in (0, 90 * 1000):
            assert warmth.environments([begins], at + late) == 3
