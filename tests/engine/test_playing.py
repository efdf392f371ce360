"""Play to gone, on the real engine over the memory adapters."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import events
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Person, Record
from brihaspati.engine.world import Bounds
from house import House, a_lab


def play(house: House, room: Classroom, person: Person, lab: str = "hello") -> Record:
    found = house.engine.classes.lab_in(room, lab)
    record, _ = house.engine.playing.play(room, found, house.engine.member(person.id))
    return record


def now_of(house: House, record: Record) -> Record:
    loaded = house.engine.worker.load(record.sandbox.slot)
    assert loaded is not None
    return loaded


def test_play_makes_one_machine_and_says_ready() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    assert record.sandbox.phase == "queued"
    house.run()
    assert now_of(house, record).sandbox.phase == "ready"
    assert len(house.provider.machines) == 1
    assert house.agents.opened == [record.sandbox.id]


def test_a_double_click_and_a_second_device_get_the_same_sandbox() -> None:
    house = House()
    room = house.classroom()
    asha = house.student(room)
    stale = house.engine.member(asha.id)
    first = play(house, room, asha)
    lab = house.engine.classes.lab_in(room, "hello")
    second, _ = house.engine.playing.play(room, lab, stale)
    house.run()
    assert second.sandbox.id == first.sandbox.id
    assert len(house.provider.machines) == 1


def test_a_message_delivered_twice_makes_no_second_machine() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.engine.worker.wake(record.sandbox.slot)
    house.engine.worker.wake(record.sandbox.slot)
    house.run()
    assert len(house.provider.machines) == 1


def test_a_process_that_dies_before_its_create_is_sent_looks_up_and_tries_again() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.queue.take(10, visible_after_seconds=60)
    started = house.engine.worker.post(record.sandbox.slot, events.TurnCame())
    assert started is not None
    assert started.sandbox.phase == "starting"
    house.pass_time(120)
    after = now_of(house, record).sandbox
    assert after.phase == "ready"
    assert after.attempt == 2
    assert len(house.provider.machines) == 1


def first_create(twist: memory.Refuse | memory.Vague) -> memory.Plan:
    """A plan that twists the first create and no other."""
    asked: list[str] = []

    def plan(operation: str, label: str) -> memory.Refuse | memory.Vague | None:
        if operation != "create":
            return None
        asked.append(label)
        return twist if len(asked) == 1 else None

    return plan


def test_a_create_whose_answer_was_lost_is_adopted_not_repeated() -> None:
    house = House(plan=first_create(memory.Vague(done=True)))
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.pass_time(10)
    assert now_of(house, record).sandbox.phase == "ready"
    assert len(house.provider.machines) == 1


def test_a_create_that_never_happened_leads_to_another_attempt() -> None:
    house = House(plan=first_create(memory.Vague(done=False)))
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.pass_time(60)
    ready = now_of(house, record).sandbox
    assert (ready.phase, ready.attempt) == ("ready", 2)
    assert len(house.provider.machines) == 1


def test_a_provider_that_is_sold_out_for_a_moment_only_costs_a_moment() -> None:
    refuse = memory.Refuse("sold_out", "No machines left in this region.", 3)
    house = House(plan=first_create(refuse))
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    assert now_of(house, record).sandbox.phase == "queued"
    house.pass_time(5)
    assert now_of(house, record).sandbox.phase == "ready"


def test_a_broken_setup_fails_with_its_words_and_play_starts_afresh() -> None:
    house = House(plan=first_create(memory.Refuse("setup", "setup.sh: no python3")))
    room = house.classroom()
    asha = house.student(room)
    record = play(house, room, asha)
    house.run()
    failed = now_of(house, record).sandbox
    assert (failed.phase, failed.reason) == ("failed", "setup.sh: no python3")
    again = play(house, room, asha)
    house.run()
    assert again.sandbox.id != record.sandbox.id
    assert now_of(house, again).sandbox.phase == "ready"


def test_stop_deletes_the_machine_and_keeps_its_proof() -> None:
    house = House(price=3_600_000)
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.clock.advance(10)
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    house.run()
    assert now_of(house, record).sandbox.phase == "gone"
    assert house.provider.running() == []
    proof = house.store.query("k#demo", "x#").items[0]
    assert proof.body["cost_micros"] == 10_000
    assert house.agents.closed[0][0] == record.sandbox.id


def test_expiry_comes_by_the_alarm() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.pass_time(3601, step_seconds=60)
    assert now_of(house, record).sandbox.end == "expired"
    assert house.provider.running() == []


def test_expiry_comes_by_the_sweep_when_the_alarm_is_lost() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.timer.cancel(str(record.sandbox.slot))
    house.clock.advance(3601)
    assert house.engine.sweeping.sweep().looked_at == 1
    house.run()
    assert now_of(house, record).sandbox.phase == "gone"


def test_a_machine_deleted_by_hand_is_noticed_by_the_sweep() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.clock.advance(20)
    house.provider.delete(house.provider.machines[0].id)
    assert house.engine.sweeping.sweep().lost == 1
    assert now_of(house, record).sandbox.phase == "failed"


def test_a_stray_is_deleted_when_it_was_seen_twice_and_not_before() -> None:
    house = House()
    room = house.classroom()
    lab = house.engine.classes.lab_in(room, "hello")
    house.provider.create(ports.MachineOrder("bh-test-ghost-a1-main", "ghost", lab.machines[0]))
    house.clock.advance(60)
    assert house.engine.sweeping.sweep().suspects == 1
    assert len(house.provider.running()) == 1
    house.clock.advance(60)
    assert house.engine.sweeping.sweep().strays == 1
    assert house.provider.running() == []


def test_the_class_s_limits_are_kept() -> None:
    house = House()
    room = house.classroom(a_lab("one"), a_lab("two"), a_lab("three"))
    asha = house.student(room)
    play(house, room, asha, "one")
    play(house, room, asha, "two")
    with pytest.raises(Problem) as full:
        play(house, room, asha, "three")
    assert full.value.kind == "too_many_sandboxes"


def test_a_class_that_is_not_open_refuses_play() -> None:
    house = House()
    room = house.classroom()
    asha = house.student(room)
    house.clock.advance(9 * 3600)
    with pytest.raises(Problem) as closed:
        play(house, room, asha)
    assert closed.value.kind == "class_closed"


def test_a_spent_budget_refuses_play_before_any_money_is_spent() -> None:
    house = House(price=2_000_000)
    room = house.classroom(budget_micros=3_000_000)
    play(house, room, house.student(room, "Asha"))
    house.run()
    house.clock.advance(1800)
    with pytest.raises(Problem) as spent:
        play(house, room, house.student(room, "Ravi"))
    assert spent.value.kind == "budget_spent"
    assert len(house.provider.machines) == 1


def test_an_idle_lab_ends_unless_somebody_types() -> None:
    house = House()
    room = house.classroom(a_lab(idle_minutes=10))
    record = play(house, room, house.student(room))
    house.run()
    house.pass_time(300, step_seconds=30)
    house.agents.typed[record.sandbox.id] = house.clock.now()
    assert house.engine.sweeping.hear() == 1
    house.pass_time(540, step_seconds=30)
    assert now_of(house, record).sandbox.phase == "ready"
    house.pass_time(120, step_seconds=30)
    assert now_of(house, record).sandbox.end == "idle"


def test_a_running_sandbox_keeps_the_lab_version_it_began_with() -> None:
    house = House()
    room = house.classroom()
    record = play(house, room, house.student(room))
    newer = replace(a_lab(), version="v2", title="Newer")
    house.engine.classes.publish(newer)
    house.engine.classes.change(room.id, lambda room: replace(room, labs=(("hello", "v2"),)))
    house.run()
    assert house.engine.reading.view(now_of(house, record).sandbox).id == record.sandbox.id
    assert now_of(house, record).sandbox.terms.lab_version == "v1"


def stumbling(fault: memory.Fault, at: int) -> memory.Faults:
    """The write of this number stumbles; no other does."""
    writes = [0]

    def faults(operation: str) -> memory.Fault | None:
        writes[0] += operation == "transact"
        return fault if operation == "transact" and writes[0] == at else None

    return faults


def patiently(house: House, seconds: int = 120) -> None:
    """Let the queue bring back what failed, as a server does."""
    stumbles = (ports.Busy, ports.Conflict)
    for _ in range(seconds // 2):
        house.clock.advance(2)
        house.timer.fire(house.clock.now())
        for one in house.queue.take(10, visible_after_seconds=60):
            try:
                house.engine.handle(one.message)
                house.queue.done(one)
            except stumbles:
                house.queue.again(one, delay_seconds=1)
        if house.clock.now() % 30_000 == 0:
            with contextlib.suppress(*stumbles):
                house.engine.sweeping.sweep()


@pytest.mark.parametrize("fault", ["busy", "conflict", "lost"])
@pytest.mark.parametrize("at", range(4, 14))
def test_a_store_that_stumbles_at_any_write_loses_nothing(fault: memory.Fault, at: int) -> None:
    house = House(faults=stumbling(fault, at), bounds=Bounds(lookup_grace_ms=100))
    room = house.classroom()
    asha = house.student(room)
    for _ in range(2):
        with contextlib.suppress(ports.Busy, Problem):
            play(house, room, asha)
    patiently(house)
    record = house.engine.worker.load(Slot("demo", "hello", user=asha.id))
    assert record is not None
    assert record.sandbox.phase == "ready"
    for _ in range(2):
        with contextlib.suppress(ports.Busy):
            house.engine.playing.stop(record.sandbox.slot, "stopped")
    patiently(house)
    assert now_of(house, record).sandbox.phase == "gone"
    assert house.provider.running() == []
