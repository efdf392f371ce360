"""A budget that was lowered counts again when a waiting lab's turn comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati import ports
from brihaspati.domain import events
from brihaspati.domain.classrooms import Classroom
from brihaspati.engine.records import Record
from engine.test_playing import now_of, play
from house import House
from meanwhile import Meanwhile

LAB_MICROS = 1_000_000


def lowered(house: House, room: Classroom, micros: int | None) -> None:
    house.engine.classes.change(room.id, lambda now: replace(now, budget_micros=micros))


def waiting(house: House, room: Classroom, *names: str) -> list[Record]:
    """Labs that were asked for, and for whose turn nobody has asked yet."""
    return [play(house, room, house.student(room, name)) for name in names]


def phases(house: House, records: list[Record]) -> list[str]:
    return [now_of(house, record).sandbox.phase for record in records]


@pytest.mark.parametrize("before", [None, 9 * LAB_MICROS])
def test_a_lab_that_waited_while_its_budget_was_lowered_fails_in_words(before: int | None) -> None:
    house = House(price=LAB_MICROS)
    room = house.classroom(budget_micros=before)
    [asha] = waiting(house, room, "Asha")
    lowered(house, room, LAB_MICROS - 1)
    house.run()
    ended = now_of(house, asha).sandbox
    assert (ended.phase, ended.machines) == ("failed", ())
    assert "budget" in (ended.reason or "")
    assert house.provider.machines == []


def test_what_a_lowered_budget_covers_still_begins_and_no_more() -> None:
    house = House(price=LAB_MICROS, index_lag_ms=5_000)
    room = house.classroom()
    both = waiting(house, room, "Asha", "Ravi")
    lowered(house, room, LAB_MICROS)
    house.run()
    assert sorted(phases(house, both)) == ["failed", "ready"]


def test_of_two_whose_turns_come_at_once_one_gets_the_last_of_a_lowered_budget() -> None:
    meanwhile = Meanwhile()
    house = House(price=LAB_MICROS, index_lag_ms=5_000, faults=meanwhile)
    room = house.classroom()
    asha, ravi = both = waiting(house, room, "Asha", "Ravi")
    lowered(house, room, LAB_MICROS)
    meanwhile.then = lambda: house.engine.worker.work(ravi.sandbox.slot)
    assert not house.engine.worker.budgets.allow(now_of(house, asha).sandbox)
    house.run()
    assert phases(house, both) == ["failed", "ready"]


def test_a_lab_whose_budget_was_raised_or_given_up_begins() -> None:
    for budget in (2 * LAB_MICROS, None):
        house = House(price=LAB_MICROS)
        room = house.classroom(budget_micros=LAB_MICROS)
        labs = waiting(house, room, "Asha")
        lowered(house, room, budget)
        house.run()
        assert phases(house, labs) == ["ready"]


def test_another_attempt_asks_the_budget_that_the_one_before_has_used() -> None:
    house = House(price=LAB_MICROS)
    room = house.classroom(budget_micros=LAB_MICROS)
    [asha] = waiting(house, room, "Asha")
    worker, slot = house.engine.worker, asha.sandbox.slot
    worker.post(slot, events.TurnCame())
    label = now_of(house, asha).sandbox.machines[0].label
    worker.post(slot, events.MachineSeen(label, "m1", usable=False, created_at=house.clock.now()))
    house.clock.advance(60)
    worker.post(slot, events.MachineLost(label))
    house.run()
    assert now_of(house, asha).sandbox.phase == "failed"
    assert house.provider.machines == []


def test_a_warm_lab_does_not_begin_on_a_lowered_budget_and_is_not_noted_as_a_students() -> None:
    house = House(price=LAB_MICROS)
    room = house.classroom(pool=1)
    house.engine.sweeping.fill_pools()
    lowered(house, room, LAB_MICROS - 1)
    house.run()
    assert house.provider.machines == []
    lowered(house, room, None)
    house.engine.sweeping.fill_pools()
    lowered(house, room, LAB_MICROS)
    house.run()
    assert len(house.provider.running()) == 1
    purse = house.store.get(ports.Key(f"k#{room.id}", "budget"))
    assert purse is not None
    assert purse.body["noted"] == {}


def test_a_lab_waits_where_too_many_note_theirs_at_once() -> None:
    crowd: set[str] = set()
    house = House(price=LAB_MICROS, faults=lambda asked: "conflict" if asked in crowd else None)
    room = house.classroom()
    [asha] = waiting(house, room, "Asha")
    lowered(house, room, LAB_MICROS)
    crowd.add("transact")
    with pytest.raises(ports.Busy):
        house.engine.worker.budgets.allow(asha.sandbox)


def test_a_lab_of_a_class_that_is_not_there_any_more_is_not_asked_about_its_budget() -> None:
    house = House(price=LAB_MICROS)
    room = house.classroom(budget_micros=LAB_MICROS)
    [asha] = waiting(house, room, "Asha")
    house.store.transact((ports.Delete(ports.Key(f"k#{room.id}", "class")),))
    assert house.engine.worker.budgets.allow(asha.sandbox)
