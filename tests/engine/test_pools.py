"""Warm sandboxes: made, let go, forgotten, and paid for."""

from __future__ import annotations

from dataclasses import replace

from brihaspati import ports
from brihaspati.domain import events
from brihaspati.domain.classrooms import Classroom
from brihaspati.engine import playing
from engine.test_playing import play
from house import House, a_lab
from meanwhile import Meanwhile


def warm(house: House, lab: str = "hello") -> list[str]:
    """The ids of the pooled sandboxes in the store, in order."""
    items = house.store.query(f"w#demo#{lab}", "y#").items
    return [item.key.sort.removeprefix("y#") for item in items]


def filled(house: House, room: Classroom) -> None:
    """Let the pools of a changed class be filled, and what that asks for be done."""
    house.engine.classes.change(room.id, lambda _: room)
    house.engine.sweeping.fill_pools()
    house.run()


def test_a_smaller_pool_lets_its_surplus_go_and_forgets_it() -> None:
    house = House()
    room = house.classroom(pool=3)
    filled(house, room)
    assert len(house.provider.running()) == 3
    filled(house, replace(room, pool=1))
    assert len(house.provider.running()) == 1
    house.engine.sweeping.fill_pools()
    assert len(warm(house)) == 1


def test_a_warm_sandbox_of_an_older_lab_version_is_not_given_out_and_makes_room() -> None:
    house = House()
    room = house.classroom(pool=1)
    filled(house, room)
    [old] = warm(house)
    house.engine.classes.publish(a_lab(version="v2"))
    newer = replace(room, labs=(("hello", "v2"),))
    house.engine.classes.change(newer.id, lambda _: newer)
    record = play(house, newer, house.student(room))
    assert record.sandbox.terms.lab_version == "v2"
    filled(house, newer)
    assert old not in {r.sandbox.id for r in house.engine.reading.running()}


def test_a_warm_sandbox_is_not_forgotten_before_the_proof_of_its_end_is_written() -> None:
    house = House(price=1_000_000)
    room = house.classroom(pool=1)
    filled(house, room)
    [record] = house.engine.reading.running()
    house.engine.playing.stop(record.sandbox.slot, "unclaimed")
    house.queue.take(10, visible_after_seconds=3600)
    label = record.sandbox.machines[0].label
    house.engine.worker.post(record.sandbox.slot, events.MachineGone(label))
    house.engine.sweeping.fill_pools()
    house.engine.worker.work(record.sandbox.slot)
    [entry] = house.engine.worker.scrubbing.chain("demo", record.sandbox.id)
    assert entry.end.label == label


def test_an_ended_warm_sandbox_that_somebody_else_forgets_meanwhile_is_no_fault() -> None:
    meanwhile = Meanwhile()
    house = House(faults=meanwhile)
    room = house.classroom(pool=1)
    filled(house, room)
    filled(house, replace(room, pool=0))
    [ended] = house.store.query("w#demo#hello", "y#").items
    meanwhile.then = lambda: house.store.transact((ports.Delete(ended.key),))
    house.engine.sweeping.fill_pools()
    assert warm(house) == []


def test_a_pool_costs_no_more_than_the_budget_of_its_class() -> None:
    house = House(price=1_000_000)
    room = house.classroom(a_lab("hello"), a_lab("other"), pool=2, budget_micros=3_000_000)
    filled(house, room)
    assert (len(warm(house)), len(warm(house, "other"))) == (2, 1)
    house.pass_time(4 * 3600, step_seconds=60)
    house.engine.sweeping.fill_pools()
    house.run()
    assert house.provider.running() == []
    assert house.engine.playing.budgets.committed(room.id) == 3_000_000


def test_a_lab_nobody_published_keeps_no_other_pool_from_being_filled() -> None:
    house = House()
    room = house.classroom(pool=1)
    filled(house, replace(room, labs=(("ghost", "v1"), *room.labs)))
    assert len(warm(house)) == 1


def test_the_last_warm_sandbox_taken_by_two_at_once_goes_to_one_of_them() -> None:
    meanwhile = Meanwhile()
    calls: list[str] = []

    def told(operation: str) -> None:
        calls.append(operation)
        meanwhile(operation)

    house = House(faults=told)
    room = house.classroom(pool=1)
    filled(house, room)
    [last] = warm(house)
    asha, ravi = house.student(room, "Asha"), house.student(room, "Ravi")
    meanwhile.then = lambda: play(house, room, ravi)
    ours = play(house, room, asha)
    # Whoever was slower looks for another warm one, and does not begin anew.
    assert calls[-3:] == ["transact", "query", "transact"]
    [theirs] = house.engine.member(ravi.id).sandboxes
    assert theirs.sandbox.id == last
    assert ours.sandbox.phase == "queued"
    house.run()
    assert len(house.provider.running()) == 2


def test_a_student_s_second_device_is_seen_at_the_first_try_of_a_claim() -> None:
    meanwhile = Meanwhile()
    house = House(faults=meanwhile)
    room = house.classroom(pool=3)
    filled(house, room)
    asha = house.student(room)
    meanwhile.then = lambda: play(house, room, asha)
    before = meanwhile.writes
    ours = play(house, room, asha)
    [theirs] = house.engine.member(asha.id).sandboxes
    assert ours.sandbox.id == theirs.sandbox.id
    assert meanwhile.writes == before + 2
    assert len(warm(house)) == 2


def test_play_looks_past_more_warm_ones_that_are_not_ready_than_a_page_holds() -> None:
    house = House()
    room = house.classroom(pool=playing.CLAIM_CHOICES[-1] + 1)
    house.engine.sweeping.fill_pools()
    record = play(house, room, house.student(room))
    assert record.sandbox.phase == "queued"
