"""Functions are called shortly before a class begins, whoever sets its hours and moves them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati import ports
from brihaspati.engine.engine import Engine
from house import House

MINUTE = 60_000


class SplitHouse(House):
    """People's requests have no duties; who starts machines sets alarms. `called`: when."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.called: list[int] = []
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
