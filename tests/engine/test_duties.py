"""A house whose functions have duties of their own: one starts machines, one ends them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati.adapters import memory
from brihaspati.domain import effects
from brihaspati.engine.engine import Engine
from engine.test_playing import now_of, play
from house import House


class SplitHouse(House):
    """People's requests, starting and ending are three engines over one store and two queues."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.asked: list[tuple[str, str]] = []
        self.works = "?"
        self.engines: dict[str, Engine] = {
            "sandbox": Engine(replace(self.world, duties=frozenset({"start"}))),
            "ending": Engine(replace(self.world, duties=frozenset({"end"}))),
        }
        self.engine = Engine(replace(self.world, duties=frozenset()))

    def plan_(self, call: str, _: str) -> None:
        self.asked.append((self.works, call))

    def run(self) -> int:
        count = 0
        while taken := self.queue.take(10, visible_after_seconds=60):
            for one in taken:
                self.works = one.message.topic
                self.engines[one.message.topic].handle(one.message)
                self.queue.done(one)
                self.works = "?"
                count += 1
        return count


@pytest.fixture
def house() -> SplitHouse:
    found = SplitHouse()
    found.provider._plan = found.plan_
    return found


def test_every_effect_is_somebody_s(house: SplitHouse) -> None:
    said = {effects.duty(e) for e in (effects.CreateMachine("l"), effects.AskForTurn())}
    assert said == {"start"}
    assert effects.duty(effects.DeleteMachine("l", "m")) == "end"
    assert not house.engine.world.may(effects.SetAlarm(1))


def test_one_starts_the_lab_and_the_other_ends_it(house: SplitHouse) -> None:
    room = house.classroom()
    record = play(house, room, house.student(room))
    assert house.asked == []
    house.run()
    assert now_of(house, record).sandbox.phase == "ready"
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    assert house.provider.running()
    house.run()
    ended = now_of(house, record)
    assert (ended.sandbox.phase, ended.unfinished) == ("gone", ())
    assert ("sandbox", "create") in house.asked
    assert {who for who, call in house.asked if call == "create"} == {"sandbox"}
    assert {who for who, call in house.asked if call == "delete"} == {"ending"}


def test_time_ends_a_lab_without_whoever_starts_labs(house: SplitHouse) -> None:
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.clock.advance(3700)
    # As the schedule of the cloud does: its message goes to those who end things.
    house.engines["ending"].worker.work(record.sandbox.slot)
    assert now_of(house, record).sandbox.phase == "gone"


def test_a_refused_create_comes_back_to_whoever_may_create() -> None:
    refused = iter([memory.Refuse(retry_after_seconds=1)])
    house = SplitHouse(plan=lambda call, _: next(refused, None) if call == "create" else None)
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    assert now_of(house, record).sandbox.phase == "queued"
    house.pass_time(5)
    ready = now_of(house, record).sandbox
    assert (ready.phase, ready.attempt) == ("ready", 2)


def test_work_whose_message_was_lost_is_found_by_the_sweep(house: SplitHouse) -> None:
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    for lost in house.queue.take(10, visible_after_seconds=60):
        house.queue.done(lost)
    house.clock.advance(61)
    house.engines["ending"].sweeping.sweep()
    house.run()
    assert now_of(house, record).sandbox.phase == "gone"


def test_without_duties_what_an_end_still_needs_is_left_to_others(house: SplitHouse) -> None:
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    before = now_of(house, record)
    house.engine.worker.work(record.sandbox.slot)
    assert now_of(house, record).unfinished == before.unfinished
    assert {call for _, call in house.asked} <= {"create", "find", "prepare"}
