"""Two workers at the same sandbox in the same moment, on the real engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from brihaspati.adapters import memory
from brihaspati.domain import effects, events
from brihaspati.domain.effects import Effect
from engine.test_playing import now_of, play
from house import House, a_lab


class Meeting:
    """While the first worker waits for the provider's answer to `call`, `then` happens."""

    def __init__(self, call: str, *, clearly: bool = True) -> None:
        self.call = call
        self.then: Callable[[], object] | None = None
        self.clearly = clearly

    def __call__(self, call: str, _: str) -> memory.Refuse | memory.Vague | None:
        then, self.then = (self.then, None) if call == self.call else (None, self.then)
        if then is not None:
            then()
        return None if self.clearly or call != self.call else memory.Vague(done=False)


@pytest.mark.parametrize(
    ("call", "kind"), [("find", effects.FindMachine), ("delete", effects.DeleteMachine)]
)
def test_what_two_workers_ask_at_once_is_asked_again_once(call: str, kind: type[Effect]) -> None:
    meeting = Meeting(call, clearly=call == "find")
    house = House(plan=meeting, delays=memory.Delays(boot_ms=60_000))
    room = house.classroom()
    record = play(house, room, house.student(room))
    house.run()
    slot = record.sandbox.slot
    if call == "delete":
        house.engine.playing.stop(slot, "stopped")
    house.clock.advance(1)

    def second() -> None:
        house.engine.worker.work(slot)
        house.clock.advance(0.003)

    meeting.then = second
    house.engine.worker.work(slot)
    assert [type(e) for e in now_of(house, record).unfinished].count(kind) == 1


def test_a_turn_taken_twice_makes_one_attempt_and_one_machine() -> None:
    meeting = Meeting("create")
    house = House(plan=meeting)
    room = house.classroom()
    record = play(house, room, house.student(room))
    meeting.then = lambda: house.engine.worker.work(record.sandbox.slot)
    house.run()
    house.pass_time(30)
    ready = now_of(house, record).sandbox
    assert (ready.phase, ready.attempt) == ("ready", 1)
    assert len(house.provider.machines) == 1


def test_a_lab_stopped_while_its_machine_is_made_leaves_none() -> None:
    meeting = Meeting("create")
    house = House(plan=meeting)
    room = house.classroom()
    record = play(house, room, house.student(room))
    meeting.then = lambda: house.engine.playing.stop(record.sandbox.slot, "stopped")
    house.run()
    assert len(house.provider.machines) == 1
    assert house.provider.running() == []
    assert now_of(house, record).sandbox.phase == "gone"
    assert house.agents.opened == []


def test_the_next_lab_is_not_disturbed_by_late_news_of_the_last() -> None:
    house = House()
    room = house.classroom()
    asha = house.student(room)
    first = play(house, room, asha)
    house.run()
    [old] = now_of(house, first).sandbox.machines
    house.engine.playing.stop(first.sandbox.slot, "stopped")
    house.run()
    second = play(house, room, asha)
    house.run()
    for late in (events.MachineGone(old.label), events.MachineLost(old.label)):
        house.engine.worker.post(first.sandbox.slot, late)
    assert now_of(house, second).sandbox.phase == "ready"


def test_two_machines_sold_out_together_are_both_tried_again() -> None:
    refused: list[str] = []

    def plan(call: str, label: str) -> memory.Refuse | memory.Vague | None:
        if call != "create" or len(refused) == 2:
            return None
        refused.append(label)
        return memory.Refuse("sold_out", "No machines left.", 2)

    house = House(plan=plan)
    room = house.classroom(a_lab(machines=("attacker", "shop")))
    record = play(house, room, house.student(room))
    house.run()
    assert now_of(house, record).sandbox.phase == "queued"
    house.pass_time(3)
    assert now_of(house, record).sandbox.phase == "ready"
    assert len(house.provider.running()) == 2
