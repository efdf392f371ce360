"""Many Plays at once, from pools, and right after an end: the engine over memory adapters."""

from __future__ import annotations

from dataclasses import replace

from brihaspati.domain import events
from brihaspati.engine import playing
from brihaspati.engine.engine import Engine
from brihaspati.engine.records import record_of
from engine.test_playing import now_of, play
from house import House


def test_a_warm_sandbox_is_claimed_without_a_new_machine_and_the_pool_refills() -> None:
    house = House()
    room = house.classroom(pool=2)
    house.engine.sweeping.fill_pools()
    house.run()
    assert len(house.provider.machines) == 2
    record = play(house, room, house.student(room))
    assert record.sandbox.phase == "ready"
    assert len(house.provider.machines) == 2
    house.pass_time(playing.AFTER_RUSH_SECONDS)
    assert len(house.provider.machines) == 3
    warm = house.store.query("w#demo#hello", "y#").items
    assert record.sandbox.id not in {item.key.sort.removeprefix("y#") for item in warm}


def test_a_class_that_starts_at_once_asks_for_one_refill_which_makes_up_for_all() -> None:
    house = House()
    room = house.classroom(pool=3)
    house.engine.sweeping.fill_pools()
    house.run()
    for name in ("Asha", "Ravi", "Meera"):
        play(house, room, house.student(room, name))
    asked = [t.message.topic for t in house.queue.take(10, visible_after_seconds=0)]
    assert "pool" not in asked
    house.clock.advance(playing.AFTER_RUSH_SECONDS)
    asked = [t.message.topic for t in house.queue.take(10, visible_after_seconds=0)]
    assert asked.count("pool") == 1
    house.run()
    assert len(house.provider.machines) == 6
    play(house, room, house.student(room, "Kavya"))
    house.pass_time(playing.AFTER_RUSH_SECONDS)
    assert len(house.provider.machines) == 7


def test_a_start_is_written_a_few_times_and_no_more() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    # Asked for; its attempt; ready; its doors open and its alarm set.
    assert now_of(house, record).version == 4


def test_whoever_waits_hears_of_every_saved_change() -> None:
    house = House()
    phases: list[str] = []
    world = replace(house.world, changed=lambda sandbox: phases.append(sandbox.phase))
    house.engine = Engine(world)
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    house.run()
    assert list(dict.fromkeys(phases)) == ["queued", "starting", "ready", "stopping", "gone"]


def test_two_students_never_get_the_same_warm_sandbox() -> None:
    house = House()
    room = house.classroom(pool=1)
    house.engine.sweeping.fill_pools()
    house.run()
    first = play(house, room, house.student(room, "Asha"))
    second = play(house, room, house.student(room, "Ravi"))
    assert first.sandbox.id != second.sandbox.id


def test_a_warm_sandbox_behind_others_that_are_not_ready_is_found() -> None:
    house = House()
    room = house.classroom(pool=12)
    house.engine.sweeping.fill_pools()
    house.run()
    items = house.store.query("w#demo#hello", "y#").items
    for item in items[:-1]:
        pooled = record_of(item).sandbox.slot
        house.engine.playing.stop(pooled, "unclaimed")
    record = play(house, room, house.student(room))
    assert record.sandbox.id == items[-1].key.sort.removeprefix("y#")


def test_play_right_after_the_end_is_a_new_sandbox_though_the_old_one_is_just_being_put_away() -> (
    None
):
    house = House(price=1_000_000)
    room = house.classroom()
    asha = house.student(room)
    first = play(house, room, asha)
    house.run()
    house.engine.playing.stop(first.sandbox.slot, "stopped")
    house.queue.take(10, visible_after_seconds=60)
    # The worker saved the end and is about to write the proof of it.
    [machine] = now_of(house, first).sandbox.machines
    house.provider.delete(machine.machine_id or "")
    house.engine.worker.post(first.sandbox.slot, events.MachineGone(machine.label))
    stale = house.engine.member(asha.id)
    assert now_of(house, first).sandbox.phase == "gone"
    assert now_of(house, first).unfinished
    house.engine.worker.work(first.sandbox.slot)
    lab = house.engine.classes.lab_in(room, "hello")
    second, new = house.engine.playing.play(room, lab, stale)
    assert new
    assert second.sandbox.id != first.sandbox.id
    assert second.sandbox.phase == "queued"


def test_play_before_the_proof_of_the_last_end_is_written_writes_it_first() -> None:
    house = House(price=1_000_000)
    room = house.classroom()
    asha = house.student(room)
    first = play(house, room, asha)
    house.run()
    house.engine.playing.stop(first.sandbox.slot, "stopped")
    house.queue.take(10, visible_after_seconds=60)
    [machine] = now_of(house, first).sandbox.machines
    house.engine.worker.post(first.sandbox.slot, events.MachineGone(machine.label))
    second = play(house, room, asha)
    assert second.sandbox.id != first.sandbox.id
    [entry] = house.engine.worker.scrubbing.chain("demo", first.sandbox.id)
    assert entry.end.label == machine.label
