"""Every machine's end is written down: also of those that nobody wanted or saw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import scrubs
from engine.test_playing import now_of, play
from engine.test_sweeping import Moods, a_stray
from house import House, a_lab
from meanwhile import Meanwhile

PRICE = 3_600_000


def test_a_sandbox_with_two_machines_has_a_chain_of_two() -> None:
    house = House(price=PRICE)
    room = house.classroom(a_lab(machines=("main", "second")))
    record = play(house, room, house.student(room))
    house.run()
    house.clock.advance(10)
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    house.run()
    chain = house.engine.worker.scrubbing.chain("demo", record.sandbox.id)
    assert [link.end.label for link in chain] == [
        m.label for m in now_of(house, record).sandbox.machines
    ]
    assert [link.cost_micros for link in chain] == [10_000, 10_000]
    assert scrubs.faults(chain) == []


def test_a_machine_that_comes_after_nobody_found_it_is_charged_to_its_class() -> None:
    moods = Moods()
    house = House(plan=moods, price=PRICE)
    room = house.classroom()
    record = play(house, room, house.student(room))
    with moods.being_unclear("create"):
        house.run()
    house.pass_time(120)
    label = now_of(house, record).sandbox.machines[0].label
    order = ports.MachineOrder(label, record.sandbox.id, a_lab().machines[0])
    made = house.provider.create(order)
    house.pass_time(300)
    entries = [e for e in house.engine.worker.scrubbing.of_class("demo") if e.end.label == label]
    assert [entry.end.machine_id for entry in entries] == [None, made.id]
    assert entries[1].cost_micros > 0
    assert entries[1].lab == "hello"


def test_a_stray_of_a_class_nobody_knows_is_kept_apart() -> None:
    house = House()
    a_stray(house)
    house.pass_time(300)
    [entry] = house.engine.worker.scrubbing.of_class("-")
    assert (entry.sandbox, entry.end.label) == ("ghost", "bh-test-ghost-a1-main")
    assert house.provider.running() == []


def test_the_end_of_a_stray_is_written_when_its_sweep_died_after_the_delete() -> None:
    moods = Moods()
    house = House(plan=moods)
    a_stray(house)
    house.engine.sweeping.reconcile()

    def die() -> None:
        raise KeyboardInterrupt

    moods.then["delete"] = die
    house.clock.advance(60)
    try:
        house.engine.sweeping.reconcile()
    except KeyboardInterrupt:
        house.provider.delete(house.provider.machines[0].id)
    house.engine.sweeping.reconcile()
    assert [e.end.machine_id for e in house.engine.worker.scrubbing.of_class("-")] == ["m1"]


def test_of_two_sweeps_at_once_the_slower_deletes_nothing() -> None:
    meanwhile = Meanwhile()
    house = House(faults=meanwhile)
    a_stray(house)
    house.engine.sweeping.reconcile()
    house.clock.advance(60)
    meanwhile.then = house.engine.sweeping.reconcile
    assert house.engine.sweeping.reconcile().strays == 0
    assert house.provider.running() == []
    house.engine.sweeping.reconcile()
    assert len(house.engine.worker.scrubbing.of_class("-")) == 1


def test_two_machines_that_end_at_once_both_get_their_link() -> None:
    meanwhile = Meanwhile()
    house = House(faults=meanwhile)
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    scrubbing = house.engine.worker.scrubbing
    sandbox = now_of(house, record).sandbox
    ends = [scrubs.End(label, label, 0, 5, "") for label in ("a", "b")]
    meanwhile.then = lambda: scrubbing.ended(sandbox, ends[1])
    scrubbing.ended(sandbox, ends[0])
    assert [link.end.label for link in scrubbing.chain("demo", sandbox.id)] == ["b", "a"]


def test_a_young_machine_that_lists_do_not_show_yet_is_not_lost() -> None:
    house = House(delays=memory.Delays(lag_ms=10_000))
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    assert house.engine.sweeping.reconcile().lost == 0
    assert now_of(house, record).sandbox.attempt == 1


def test_a_proof_of_before_there_were_chains_still_counts_for_the_cost() -> None:
    house = House(price=PRICE)
    room = house.classroom()
    old = {"user": "asha", "lab": "hello", "cost_micros": 700}
    house.store.transact((ports.Put(ports.Key("k#demo", "x#bh-test-old-a1-main"), old),))
    assert house.engine.scrubbing.of_class("demo") == []
    assert house.engine.boards.board(room).cost.so_far_micros == 700


class Telling(memory.Provider):
    """A provider that says how it keeps disks."""

    def create(self, order: ports.MachineOrder) -> ports.MachineSeen:
        return replace(super().create(order), disk="in a drawer")


def test_the_record_says_how_the_disk_was_kept_where_the_provider_does() -> None:
    house = House()
    house.provider.__class__ = Telling
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.engine.playing.stop(record.sandbox.slot, "stopped")
    house.run()
    [link] = house.engine.worker.scrubbing.chain("demo", record.sandbox.id)
    assert link.end.how.endswith("the inventory agrees; its disk was in a drawer")
    assert scrubs.faults([link]) == []
    assert scrubs.faults([replace(link, end=replace(link.end, how="its disk was burnt"))])


def test_an_end_that_is_told_twice_is_written_once() -> None:
    house = House()
    end = scrubs.End("bh-test-ghost-a1-main", "m1", 1, 2, "seen twice")
    for _ in range(2):
        house.engine.scrubbing.stray_ended("ghost", end)
    assert [link.end for link in house.engine.scrubbing.chain("-", "ghost")] == [end]


def test_whoever_is_never_first_to_write_an_end_says_so() -> None:
    house = House(faults=lambda operation: "conflict" if operation == "transact" else None)
    with pytest.raises(ports.Busy, match="too many at once"):
        house.engine.scrubbing.stray_ended("ghost", scrubs.End("label", "m1", 1, 2, "gone"))


def test_a_delete_is_not_believed_while_the_look_up_is_silent() -> None:
    moods = Moods()
    house = House(plan=moods)
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    house.clock.advance(60)
    with moods.being_unclear("find"):
        house.engine.playing.stop(record.sandbox.slot, "stopped")
        house.engine.worker.work(record.sandbox.slot)
    assert now_of(house, record).sandbox.phase == "stopping"
    house.pass_time(60)
    assert now_of(house, record).sandbox.phase == "gone"


def test_a_stray_has_no_proof_of_its_end_while_the_look_up_shows_it_or_is_silent() -> None:
    moods = Moods()
    house = House(plan=moods)
    a_stray(house)
    for _ in range(2):
        house.engine.sweeping.sweep()
    listed = house.provider.inventory
    with moods.being_unclear("find"):
        house.engine.sweeping.sweep()
    assert house.engine.scrubbing.chain("-", "ghost") == []
    house.engine.sweeping.sweep()
    assert len(house.engine.scrubbing.chain("-", "ghost")) == 1
    assert listed() == []
