"""Play where there was a sandbox before: one that failed, ended, or changes meanwhile."""

from __future__ import annotations

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import events
from brihaspati.domain.classrooms import Classroom
from brihaspati.engine.membership import Membership
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Person, Record, sandbox_key
from engine.test_playing import now_of, play
from house import House, a_lab


def stuck(house: House, *, price: int = 0, **more: object) -> tuple[Classroom, Person, Record]:
    """A lab that failed, and whose machine the provider does not delete yet."""
    house.provider = memory.Provider(
        house.clock,
        plan=lambda call, _: memory.Vague(done=False) if call == "delete" else None,
        price_micros_per_hour=price,
    )
    house.world.providers["memory"] = house.provider  # type: ignore[index]
    room = house.classroom(a_lab("hello", machines=("one", "two")), a_lab("other"), **more)
    asha = house.student(room)
    record = play(house, room, asha)
    house.run()
    label = now_of(house, record).sandbox.machines[0].label
    house.engine.worker.post(record.sandbox.slot, events.MachineLost(label))
    house.run()
    failed = now_of(house, record)
    assert (failed.sandbox.phase, failed.sandbox.at_rest) == ("failed", False)
    return room, asha, failed


def play_as(house: House, room: Classroom, member: Membership) -> tuple[Record, bool]:
    lab = house.engine.classes.lab_in(room, "hello")
    return house.engine.playing.play(room, lab, member)


def between(house: House) -> tuple[Classroom, Person, Record]:
    """A lab that has just ended: the proof of its machine is not written yet."""
    room = house.classroom()
    asha = house.student(room)
    first = play(house, room, asha)
    house.run()
    house.engine.playing.stop(first.sandbox.slot, "stopped")
    house.queue.take(10, visible_after_seconds=3600)
    [machine] = now_of(house, first).sandbox.machines
    house.provider.delete(machine.machine_id or "")
    house.engine.worker.post(first.sandbox.slot, events.MachineGone(machine.label))
    ended = now_of(house, first)
    assert (ended.sandbox.phase, bool(ended.unfinished)) == ("gone", True)
    return room, asha, ended


def test_a_failed_lab_starts_again_while_its_machine_is_still_going() -> None:
    house = House()
    room, asha, failed = stuck(house)
    again, new = play_as(house, room, house.engine.member(asha.id))
    assert new
    assert (again.sandbox.id, again.sandbox.phase) == (failed.sandbox.id, "queued")
    house.run()
    assert now_of(house, again).sandbox.phase == "ready"


def test_a_failed_lab_that_starts_again_is_as_new_to_its_student() -> None:
    house = House()
    room, asha, failed = stuck(house)
    house.clock.advance(300)
    again = play(house, room, asha)
    view = house.engine.reading.view(again.sandbox)
    assert (view.asked_at, view.ready_at) == (house.clock.now(), None)
    assert view.reason is None
    assert failed.sandbox.ready_at is not None


def test_a_failed_lab_does_not_start_again_after_the_class() -> None:
    house = House()
    room, asha, failed = stuck(house)
    house.clock.advance(8 * 3600)
    with pytest.raises(Problem) as over:
        play(house, room, asha)
    assert over.value.kind == "class_closed"
    assert now_of(house, failed).sandbox.phase == "failed"


def test_a_failed_lab_does_not_start_again_on_a_spent_budget() -> None:
    house = House()
    room, asha, _ = stuck(house, price=1_000_000, budget_micros=2_999_999)
    house.clock.advance(1800)
    with pytest.raises(Problem) as spent:
        play(house, room, asha)
    assert spent.value.kind == "budget_spent"


def test_of_two_failed_labs_that_start_again_at_once_one_gets_the_last_of_the_budget() -> None:
    house = House(index_lag_ms=5_000)
    room, asha, _ = stuck(house, price=1_000_000, budget_micros=5_000_000)
    ravi = house.student(room, "Ravi")
    other = play(house, room, ravi)
    house.run()
    label = now_of(house, other).sandbox.machines[0].label
    house.engine.worker.post(other.sandbox.slot, events.MachineLost(label))
    house.run()
    house.clock.advance(1800)
    assert play(house, room, asha).sandbox.phase == "queued"
    with pytest.raises(Problem) as spent:
        play(house, room, ravi)
    assert spent.value.kind == "budget_spent"


def test_a_failed_lab_counts_in_the_budget_for_the_time_it_was_there_and_no_longer() -> None:
    house = House()
    room, asha, _ = stuck(house, price=1_000_000, budget_micros=3_000_000)
    house.clock.advance(1800)
    assert house.engine.playing.budgets.committed(room.id) == 1_000_000
    assert play(house, room, asha).sandbox.phase == "queued"


def test_a_failed_lab_is_not_in_its_own_way_but_in_another_s() -> None:
    house = House()
    room, asha, _ = stuck(house, sandboxes_per_student_max=1)
    with pytest.raises(Problem) as many:
        play(house, room, asha, "other")
    assert many.value.kind == "too_many_sandboxes"
    assert play(house, room, asha).sandbox.phase == "queued"


def test_a_lab_started_on_another_device_meanwhile_is_kept_and_not_started_over() -> None:
    house = House()
    room, asha, _ = between(house)
    stale = house.engine.member(asha.id)
    theirs = play(house, room, asha)
    ours, new = play_as(house, room, stale)
    assert (ours.sandbox.id, new) == (theirs.sandbox.id, False)
    house.run()
    assert len(house.provider.running()) == 1


def test_a_sandbox_taken_out_of_the_store_meanwhile_is_no_hindrance() -> None:
    house = House()
    room, asha, failed = stuck(house)
    stale = house.engine.member(asha.id)
    house.store.transact((ports.Delete(sandbox_key(failed.sandbox.slot)),))
    fresh, new = play_as(house, room, stale)
    assert new
    assert fresh.sandbox.id != failed.sandbox.id


def test_play_that_is_outrun_again_and_again_says_busy() -> None:
    calls = [0]

    def always(operation: str) -> memory.Fault | None:
        calls[0] += operation == "transact"
        return "conflict" if operation == "transact" and calls[0] > 3 else None

    house = House(faults=always)
    room = house.classroom()
    asha = house.student(room)
    with pytest.raises(Problem) as busy:
        play(house, room, asha)
    assert busy.value.kind == "busy"
