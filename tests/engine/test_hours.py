"""Labs and the hours of their class, on the real engine."""

from __future__ import annotations

import pytest

from brihaspati.domain.classrooms import Classroom
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Person
from engine.test_playing import now_of, play
from house import House, a_lab

HOUR_MS = 3_600_000


def ending_soon(house: House, **more: object) -> Classroom:
    """A class with half an hour to go, of a lab that lives an hour."""
    return house.classroom(a_lab(), closes_at=house.clock.now() + HOUR_MS // 2, **more)


def trainer(house: House, room: Classroom) -> Person:
    person = house.engine.classes.ensure_person(Person("iyer", "Prof. Iyer", "instructor"))
    house.engine.classes.instruct(room, person)
    return person


def test_a_class_that_closes_takes_its_labs_with_it() -> None:
    house = House()
    room = ending_soon(house)
    record = play(house, room, house.student(room))
    house.run()
    house.pass_time(1799, step_seconds=30)
    assert now_of(house, record).sandbox.phase == "ready"
    house.pass_time(2)
    ended = now_of(house, record).sandbox
    assert (ended.phase, ended.end) == ("gone", "class_closed")
    assert house.provider.running() == []


def test_the_sweep_ends_a_closed_class_s_labs_when_the_alarm_is_lost() -> None:
    house = House()
    room = ending_soon(house)
    record = play(house, room, house.student(room))
    house.run()
    house.timer.cancel(str(record.sandbox.slot))
    house.clock.advance(1800)
    assert house.engine.sweeping.sweep().looked_at == 1
    house.run()
    assert now_of(house, record).sandbox.end == "class_closed"


def test_warm_sandboxes_end_with_their_class() -> None:
    house = House()
    ending_soon(house, pool=2)
    house.engine.sweeping.fill_pools()
    house.run()
    house.pass_time(1801, step_seconds=30)
    assert len(house.provider.machines) == 2
    assert house.provider.running() == []


def test_a_trainer_tries_a_lab_before_and_after_the_class_and_a_student_does_not() -> None:
    house = House()
    now = house.clock.now()
    room = house.classroom(opens_at=now + HOUR_MS, closes_at=now + 2 * HOUR_MS)
    asha, iyer = house.student(room), trainer(house, room)
    with pytest.raises(Problem) as early:
        play(house, room, asha)
    assert early.value.title == "Demo class is not open."
    before = play(house, room, iyer)
    house.run()
    house.pass_time(600, step_seconds=60)
    assert now_of(house, before).sandbox.phase == "ready"
    house.engine.playing.stop(before.sandbox.slot, "stopped")
    house.run()
    house.clock.advance(3 * 3600)
    with pytest.raises(Problem) as late:
        play(house, room, asha)
    assert late.value.title == "Demo class is over."
    after = play(house, room, iyer)
    house.run()
    house.pass_time(600, step_seconds=60)
    assert now_of(house, after).sandbox.phase == "ready"


def test_a_page_shows_no_extensions_that_the_class_leaves_no_time_for() -> None:
    house = House()
    room = ending_soon(house)
    record = play(house, room, house.student(room))
    house.run()
    view = house.engine.reading.view(now_of(house, record).sandbox)
    assert view.deadline_at == room.closes_at
    assert view.extensions_left == 0


def test_a_budget_counts_a_lab_to_the_end_of_its_class_at_most() -> None:
    house = House(price=2_000_000)
    room = ending_soon(house, budget_micros=2_000_000)
    play(house, room, house.student(room, "Asha"))
    assert house.engine.playing.budgets.committed(room.id) == 1_000_000
    house.run()
    play(house, room, house.student(room, "Ravi"))
    assert house.engine.playing.budgets.committed(room.id) == 2_000_000
