"""What a worker does when the world gives no clear answer, or none at all."""

from __future__ import annotations

from typing import Any

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import events
from brihaspati.engine import playing, records, working
from brihaspati.engine.engine import Engine
from engine.test_playing import now_of, play
from engine.test_sweeping import Moods
from house import House


def test_a_look_up_without_an_answer_is_repeated_until_there_is_one() -> None:
    moods = Moods()
    house = House(plan=moods)
    room = house.classroom()
    record = play(house, room, house.student(room))
    with moods.being_unclear("create", "find"):
        house.run()
        house.pass_time(60)
    assert now_of(house, record).sandbox.phase == "starting"
    house.pass_time(60)
    ready = now_of(house, record).sandbox
    assert (ready.phase, ready.attempt) == ("ready", 2)


def test_a_machine_that_boots_is_looked_at_again_after_a_look_without_an_answer() -> None:
    moods = Moods()
    house = House(plan=moods, delays=memory.Delays(boot_ms=30_000))
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    with moods.being_unclear("find"):
        house.pass_time(10)
    assert now_of(house, record).sandbox.phase == "starting"
    house.pass_time(30)
    ready = now_of(house, record).sandbox
    assert (ready.phase, ready.attempt) == ("ready", 1)


def test_a_delete_without_an_answer_is_repeated_until_the_machine_is_seen_gone() -> None:
    moods = Moods()
    house = House(plan=moods)
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    with moods.being_unclear("delete"):
        house.run()
        house.pass_time(30)
    assert now_of(house, record).sandbox.phase == "stopping"
    house.pass_time(60)
    assert now_of(house, record).sandbox.phase == "gone"
    assert house.provider.running() == []


def test_a_machine_still_in_the_inventory_is_not_believed_gone() -> None:
    house = House(delays=memory.Delays(lag_ms=10_000))
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.pass_time(30)
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    house.run()
    assert house.provider.running() == []
    assert now_of(house, record).sandbox.phase == "stopping"
    house.pass_time(30)
    assert now_of(house, record).sandbox.phase == "gone"


def test_the_alarm_of_a_place_that_was_claimed_meanwhile_is_nobody_s() -> None:
    house = House()
    room = house.classroom(pool=1)
    house.engine.sweeping.fill_pools()
    house.run()
    [pooled] = house.engine.reading.running()
    record = play(house, room, house.student(room))
    assert house.engine.worker.work(pooled.sandbox.slot) is None
    assert house.engine.playing.stop(pooled.sandbox.slot, "unclaimed") is None
    assert house.engine.playing.extend(room, pooled.sandbox.slot, 4) is None
    assert now_of(house, record).sandbox.phase == "ready"


def test_the_doors_a_dying_worker_left_shut_are_opened_for_the_student_who_claims() -> None:
    house = House()
    room = house.classroom(pool=1)
    asha = house.student(room)
    house.engine.sweeping.fill_pools()
    opens = house.agents.open_early

    def dies(*_: Any, **__: Any) -> None:
        raise RuntimeError("killed")

    house.agents.open_early = dies  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        house.run()
    house.agents.open_early = opens  # type: ignore[method-assign]
    record = play(house, room, asha)
    assert record.sandbox.phase == "ready"
    house.pass_time(playing.AFTER_RUSH_SECONDS)
    assert house.agents.opened[0] == record.sandbox.id
    assert now_of(house, record).unfinished == ()


def test_an_event_that_never_gets_through_is_said_to_be_lost() -> None:
    crowded: list[memory.Fault] = []
    house = House(faults=lambda call: crowded[0] if crowded and call == "transact" else None)
    room = house.classroom()
    record = play(house, room, house.student(room))
    crowded.append("conflict")
    with pytest.raises(working.Lost, match="too many at once"):
        house.engine.worker.post(record.sandbox.slot, events.StopAsked("stopped"))
    crowded.clear()
    assert now_of(house, record).sandbox.phase == "queued"


def test_a_lab_taken_out_of_the_store_makes_no_machine_and_the_start_fails_in_time() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.store.transact((ports.Delete(records.lab_key("hello", "v1")),))
    house.engine = Engine(house.world)
    with pytest.raises(working.Lost, match="hello version v1 is not published"):
        house.run()
    house.clock.advance(180)
    house.engine.sweeping.sweep()
    house.pass_time(60)
    assert now_of(house, record).sandbox.phase == "failed"
    assert house.provider.machines == []


def test_a_message_nobody_knows_is_a_fault_and_not_swallowed() -> None:
    with pytest.raises(ValueError, match="no handler for the topic 'gossip'"):
        House().engine.handle(ports.Message("gossip", {}))


def test_a_stop_repeated_after_the_end_wakes_nobody() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    for _ in range(2):
        house.engine.playing.stop(record.sandbox.slot, "stopped")
        house.run()
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    house.engine.playing.extend(room, record.sandbox.slot, 4)
    assert house.queue.take(10, visible_after_seconds=1) == []


def test_a_message_that_comes_again_while_something_waits_does_not_multiply() -> None:
    moods = Moods()
    house = House(plan=moods)
    room = house.classroom()
    record = play(house, room, house.student(room))
    with moods.being_unclear("create", "find"):
        house.run()
        for _ in range(10):
            house.queue.put(records.alarm_message(record.sandbox.slot))
            house.run()
        house.clock.advance(house.bounds.lookup_grace_ms / 1000)
        assert len(house.queue.take(50, visible_after_seconds=60)) == 1


def test_a_young_machine_that_no_list_shows_yet_is_not_gone_when_its_delete_has_no_answer() -> None:
    moods = Moods()
    house = House(plan=moods, delays=memory.Delays(lag_ms=10_000))
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    with moods.being_unclear("delete"):
        house.run()
    assert now_of(house, record).sandbox.phase == "stopping"
    house.pass_time(60)
    assert now_of(house, record).sandbox.phase == "gone"
    assert house.provider.running() == []


def test_a_worker_whose_clock_is_behind_waits_instead_of_dropping_the_alarm() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    slot = record.sandbox.slot
    ready = house.engine.worker.load(slot)
    assert ready is not None
    assert ready.sandbox.deadline_at is not None
    at = ready.sandbox.deadline_at
    house.clock.advance((at - house.clock.now()) / 1000 - 1)
    house.engine.handle(records.alarm_message(slot, at))
    still = house.engine.worker.load(slot)
    assert still is not None
    assert still.sandbox.phase == "ready"
    house.clock.advance(1)
    [taken] = [t for t in house.queue.take(10, visible_after_seconds=60) if "at" in t.message.body]
    house.engine.handle(taken.message)
    over = house.engine.worker.load(slot)
    assert over is not None
    assert over.sandbox.phase == "gone"
