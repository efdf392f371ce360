"""Functions are called shortly before a class begins, whoever sets its hours and moves them."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.engine.engine import Engine
from brihaspati.engine.records import Person
from brihaspati.engine.setups import Draft
from house import House, a_lab

IYER = Person("iyer", "Prof. Iyer", "instructor")
MINUTE = 60_000


class Stumbling(memory.Queue):
    """Takes no message while it is busy, which it is once."""

    busy = False

    def put(self, message: ports.Message, *, delay_seconds: float = 0) -> None:
        if self.busy:
            self.busy = False
            raise ports.Busy("no message was taken")
        super().put(message, delay_seconds=delay_seconds)


class SplitHouse(House):
    """People's requests have no duties; who starts machines sets alarms. `called`: when."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.called: list[int] = []
        self.queue: Stumbling = Stumbling(self.clock)
        self.timer = memory.Timer(self.queue)
        self.world = replace(self.world, queue=self.queue, timer=self.timer)
        self.starter = Engine(replace(self.world, duties=frozenset({"start"})))
        self.engine = Engine(replace(self.world, duties=frozenset()))

    def run(self) -> int:
        count = 0
        while taken := self.queue.take(10, visible_after_seconds=60):
            for one in taken:
                if one.message.topic == "warm":
                    self.called.append(self.clock.now())
                self.starter.handle(one.message)
                self.queue.done(one)
                count += 1
        return count


@pytest.fixture
def house() -> SplitHouse:
    return SplitHouse()


def opens_in(house: House, minutes: int) -> str:
    at = house.clock.now() + minutes * MINUTE
    return house.classroom(opens_at=at, closes_at=at + 60 * MINUTE).id


def calls(house: SplitHouse, minutes: int) -> list[float]:
    """When functions are called from now on, in minutes from now."""
    begun = house.clock.now()
    house.run()
    house.pass_time(minutes * 60, step_seconds=30)
    return [(at - begun) / MINUTE for at in house.called]


def test_functions_are_called_twice_before_a_class_begins(house: SplitHouse) -> None:
    opens_in(house, 30)
    assert calls(house, 60) == [24, 28]


def test_calls_move_with_the_hours_of_a_class(house: SplitHouse) -> None:
    room = opens_in(house, 30)
    house.run()
    later = house.clock.now() + 50 * MINUTE
    house.engine.classes.change(room, lambda was: replace(was, opens_at=later))
    assert calls(house, 60) == [44, 48]


def test_calls_of_hours_that_a_class_has_no_more_do_not_come(house: SplitHouse) -> None:
    room = opens_in(house, 60)
    house.run()
    sooner = house.clock.now() + 4 * MINUTE
    house.engine.classes.change(room, lambda was: replace(was, opens_at=sooner))
    assert calls(house, 90) == [2], "no time is left for the first, which was to come later"


def test_a_class_that_begins_at_once_after_all_has_no_calls_later(house: SplitHouse) -> None:
    room = opens_in(house, 60)
    house.run()
    at = house.clock.now()
    house.engine.classes.change(room, lambda was: replace(was, opens_at=at))
    assert calls(house, 90) == []


def a_draft(house: House) -> Draft:
    at = house.clock.now() + 30 * MINUTE
    return Draft("Linux basics", ("hello",), at, at + 60 * MINUTE, 20)


def test_who_repeats_the_making_of_a_class_has_its_calls_set(house: SplitHouse) -> None:
    house.engine.classes.publish(a_lab())
    draft = a_draft(house)
    house.queue.busy = True
    with pytest.raises(ports.Busy):
        house.engine.setups.create(IYER, "key-one-1", draft)
    house.engine.setups.create(IYER, "key-one-1", draft)
    assert calls(house, 60) == [24, 28]


def test_who_repeats_a_change_has_its_calls_set(house: SplitHouse) -> None:
    house.engine.classes.publish(a_lab())
    made = house.engine.setups.create(IYER, "key-one-1", a_draft(house))
    house.run()
    changes = {"opens_at": made.room.opens_at + 10 * MINUTE}
    house.queue.busy = True
    with pytest.raises(ports.Busy):
        house.engine.setups.change(made.room.id, made.version, changes)
    house.engine.setups.change(made.room.id, made.version, changes)
    assert calls(house, 60) == [34, 38]


def test_who_repeats_an_edit_has_its_calls_set(house: SplitHouse) -> None:
    room = opens_in(house, 30)
    house.run()
    later = house.clock.now() + 50 * MINUTE
    house.queue.busy = True
    for _ in range(2):
        with contextlib.suppress(ports.Busy):
            house.engine.classes.change(room, lambda was: replace(was, opens_at=later))
    assert calls(house, 60) == [44, 48]


def test_a_class_that_is_made_at_the_last_minute_has_one_call(house: SplitHouse) -> None:
    opens_in(house, 3)
    assert calls(house, 10) == [1]


def test_a_class_that_is_open_has_none(house: SplitHouse) -> None:
    opens_in(house, 0)
    assert calls(house, 10) == []


def test_a_class_that_is_not_there_has_none(house: SplitHouse) -> None:
    house.starter.handle(ports.Message("hours", {"class": "nowhere"}))
    assert calls(house, 10) == []


def test_where_one_process_does_everything_nothing_is_called() -> None:
    house = House()
    opens_in(house, 30)
    assert house.queue.take(10, visible_after_seconds=60) == []
