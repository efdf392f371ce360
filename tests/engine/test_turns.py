"""Who may begin, when, and where: limits shared through the store."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import events, labs, pace
from brihaspati.domain.classrooms import Classroom, Spill
from brihaspati.domain.pace import Pace, Window
from brihaspati.domain.sandboxes import Sandbox, Slot
from brihaspati.engine import turns
from brihaspati.engine.engine import Engine
from brihaspati.engine.problems import Problem
from house import House
from meanwhile import Meanwhile


def paced(house: House, **paces: Pace) -> House:
    """The house with providers of these paces; `memory` is the usual one."""
    others = {name: memory.Provider(house.clock, name=name) for name in paces if name != "memory"}
    told = {name: (lambda given=given: given) for name, given in paces.items()}
    house.world = replace(house.world, providers={"memory": house.provider, **others}, paces=told)
    house.engine = Engine(house.world)
    return house


def play(house: House, room: Classroom, count: int) -> list[Slot]:
    found = []
    for number in range(count):
        person = house.student(room, f"Student {number}")
        (lab, version), *_ = room.labs
        published = house.engine.classes.lab(lab, version)
        record, _ = house.engine.playing.play(room, published, house.engine.member(person.id))
        found.append(record.sandbox.slot)
    return found


def sandboxes(house: House, slots: list[Slot]) -> list[Sandbox]:
    records = [house.engine.worker.load(slot) for slot in slots]
    return [record.sandbox for record in records if record is not None]


def test_who_has_no_limits_costs_no_look_at_a_ledger() -> None:
    house = House()
    (slot,) = play(house, house.classroom(), 1)
    house.run()
    assert sandboxes(house, [slot])[0].phase == "ready"
    assert house.store.query("turns#memory").items == ()


def test_a_rush_is_spread_over_the_windows_and_everybody_starts() -> None:
    house = paced(House(), memory=Pace((Window(3, 10),), boot_seconds=9))
    slots = play(house, house.classroom(), 7)
    house.run()
    found = sandboxes(house, slots)
    assert [one.phase for one in found].count("ready") == 3
    waiting = [one for one in found if one.phase == "queued"]
    assert [house.engine.worker.turns.ahead(one) for one in waiting] == [0, 0, 0, 3]
    views = [house.engine.reading.view(one) for one in waiting]
    assert [(view.ahead, view.seconds_expected) for view in views[::3]] == [(0, 19.1), (3, 29.2)]
    house.pass_time(11)
    assert [one.phase for one in sandboxes(house, slots)].count("ready") == 6
    house.pass_time(11)
    assert {one.phase for one in sandboxes(house, slots)} == {"ready"}
    made = [machine.created_at for machine in house.provider.machines]
    assert all(late - early >= 10_000 for early, late in zip(made, made[3:], strict=False))


def test_a_ledger_of_a_thousand_turns_is_written_with_few_units() -> None:
    ledger, windows = pace.Ledger(), (Window(200, 60), Window(4_000, 3_600))
    for number in range(1_000):
        ledger, _ = pace.give(ledger, windows, 1_800_000_000_000 + 61 * number)
    put = turns._put("cloud", ledger, 0)
    assert len(put.body["z"]) <= 3 * 1024
    stored = ports.Item(put.key, 7, json.loads(json.dumps(put.body)))
    assert turns._ledger(stored) == (ledger, 7)


def test_waiting_for_a_turn_is_not_taking_too_long_to_start() -> None:
    house = paced(House(), memory=Pace((Window(1, 100),), start_seconds_max=60))
    slots = play(house, house.classroom(), 4)
    house.run()
    house.pass_time(310)
    assert {one.phase for one in sandboxes(house, slots)} == {"ready"}


def test_whoever_stops_while_waiting_is_gone_and_nothing_was_made() -> None:
    house = paced(House(), memory=Pace((Window(1, 60),)))
    slots = play(house, house.classroom(), 2)
    house.run()
    house.engine.playing.stop(slots[1], "stopped")
    house.run()
    house.pass_time(70)
    assert sandboxes(house, slots)[1].phase == "gone"
    assert len(house.provider.machines) == 1


def test_a_provider_that_says_wait_is_asked_by_nobody_until_then() -> None:
    refusals = iter([memory.Refuse("rate", "too many requests", 20)])
    asked: list[str] = []

    def plan(call: str, _what: str) -> memory.Refuse | None:
        asked.extend([call] if call == "create" else [])
        return next(refusals, None) if call == "create" else None

    house = paced(House(plan=plan), memory=Pace((Window(1, 1),)))
    slots = play(house, house.classroom(), 5)
    house.run()
    house.pass_time(15)
    assert asked == ["create"]
    house.pass_time(15)
    assert {one.phase for one in sandboxes(house, slots)} == {"ready"}


@pytest.mark.parametrize("kind", ["sold_out", "quota"])
def test_who_is_sold_out_sends_everybody_elsewhere(kind: ports.RefusalKind) -> None:
    def plan(call: str, _what: str) -> memory.Refuse | None:
        return memory.Refuse(kind) if call == "create" else None

    house = paced(House(plan=plan), memory=Pace(), other=Pace())
    room = house.classroom(spill=(Spill("other"),))
    slots = play(house, room, 3)
    house.run()
    house.pass_time(2)
    found = sandboxes(house, slots)
    assert {one.phase for one in found} == {"ready"}
    assert {one.provider_of(one.current[0]) for one in found} == {"other"}
    assert [one.attempt for one in found] == [2, 1, 1]
    for slot in slots:
        house.engine.playing.stop(slot, "stopped")
    house.run()
    house.pass_time(200)
    assert {one.phase for one in sandboxes(house, slots)} == {"gone"}


def test_who_is_slow_shares_with_whom_the_class_allows() -> None:
    house = paced(House(), memory=Pace((Window(2, 60),)), other=Pace((Window(2, 60),)))
    room = house.classroom(spill=(Spill("other"),))
    slots = play(house, room, 4)
    house.run()
    places = [one.provider_of(one.current[0]) for one in sandboxes(house, slots)]
    assert places == ["memory", "memory", "other", "other"]


def test_who_is_not_much_slower_keeps_what_the_class_prefers() -> None:
    house = paced(House(), memory=Pace((Window(1, 20),)), other=Pace())
    room = house.classroom(spill=(Spill("other"),))
    slots = play(house, room, 3)
    house.run()
    house.pass_time(22)
    places = [one.provider_of(one.current[0]) for one in sandboxes(house, slots)]
    assert places == ["memory", "memory", "other"]


def test_a_share_is_never_more_than_the_class_allows() -> None:
    house = paced(House(), memory=Pace((Window(1, 3600),)), other=Pace())
    room = house.classroom(spill=(Spill("other", share_percent=25),))
    slots = play(house, room, 8)
    house.run()
    found = sandboxes(house, slots)
    there = [one for one in found if one.current and one.provider_of(one.current[0]) == "other"]
    assert len(there) == 2


def test_a_place_above_the_price_cap_is_not_gone_to() -> None:
    house = paced(House(), memory=Pace((Window(1, 60),)), other=Pace())
    dear = memory.Provider(house.clock, name="other", price_micros_per_hour=50_000)
    house.world = replace(house.world, providers={"memory": house.provider, "other": dear})
    house.engine = Engine(house.world)
    cheap = house.classroom(spill=(Spill("other", micros_per_hour_max=49_999),))
    play(house, cheap, 3)
    house.run()
    assert dear.machines == []


def test_a_stray_elsewhere_is_no_stray_of_the_usual_provider() -> None:
    house = paced(House(), memory=Pace((Window(1, 3600),)), other=Pace())
    slots = play(house, house.classroom(spill=(Spill("other"),)), 2)
    house.run()
    house.pass_time(300, step_seconds=10)
    assert {one.phase for one in sandboxes(house, slots)} == {"ready"}


class Unpriced(memory.Provider):
    """Somebody who does not say what a machine costs."""

    def price_micros_per_hour(self, spec: labs.MachineSpec) -> int:
        raise ports.Unclear(f"no answer about {spec.name}")


def test_a_place_that_is_gone_or_names_no_price_is_not_gone_to() -> None:
    house = paced(House(), memory=Pace((Window(1, 60),)), left=Pace(), silent=Pace())
    room = house.classroom(spill=(Spill("left"), Spill("silent")))
    silent = Unpriced(house.clock, name="silent")
    house.world = replace(house.world, providers={"memory": house.provider, "silent": silent})
    house.engine = Engine(house.world)
    slots = play(house, room, 2)
    house.run()
    found = sandboxes(house, slots)
    assert [[offer.provider for offer in one.offers] for one in found] == [["memory"]] * 2
    assert [one.phase for one in found] == ["ready", "queued"]


def test_a_lab_whose_usual_place_names_no_price_is_not_started_and_the_student_is_told() -> None:
    house = House()
    silent = Unpriced(house.clock)
    house.world = replace(house.world, providers={"memory": silent})
    house.engine = Engine(house.world)
    with pytest.raises(Problem, match="memory has no price for this lab: no answer") as told:
        play(house, house.classroom(), 1)
    assert told.value.kind == "no_machines"
    assert silent.machines == []


def moment(event: events.Event) -> int:
    """When the turn is that somebody was given."""
    assert isinstance(event, events.TurnCame | events.TurnGiven)
    assert event.turn is not None
    return event.turn.at


def waiting(house: House, count: int) -> list[Sandbox]:
    """Sandboxes that have not asked for their turn yet."""
    return sandboxes(house, play(house, house.classroom(), count))


def test_nobody_is_ahead_of_whose_turn_has_come() -> None:
    house = paced(House(), memory=Pace((Window(1, 10),)))
    slots = play(house, house.classroom(), 3)
    house.run()
    last = max(sandboxes(house, slots), key=lambda one: one.next_turn.at if one.next_turn else 0)
    assert house.engine.worker.turns.ahead(last) > 0
    house.clock.advance(60)
    assert house.engine.worker.turns.ahead(last) == 0


def test_nobody_is_ahead_of_who_has_not_asked_for_a_turn() -> None:
    house = paced(House(), memory=Pace((Window(1, 60),)))
    first, second = waiting(house, 2)
    house.engine.worker.turns.ask(first)
    assert house.engine.worker.turns.ahead(second) == 0


def test_two_who_ask_in_the_same_moment_get_a_turn_each() -> None:
    meanwhile = Meanwhile()
    house = paced(House(faults=meanwhile), memory=Pace((Window(1, 60),)))
    slow, quick = waiting(house, 2)
    turns = house.engine.worker.turns
    given: list[events.Event] = []
    meanwhile.then = lambda: given.append(turns.ask(quick))
    given.append(turns.ask(slow))
    assert [type(one) for one in given] == [events.TurnCame, events.TurnGiven]
    assert [moment(one) - house.clock.now() for one in given] == [0, 60_100]


class Crowd:
    """Faults of a memory store: once it is `there`, somebody else is always first to write."""

    there = False

    def __call__(self, operation: str) -> memory.Fault | None:
        return "conflict" if self.there and operation == "transact" else None


def test_who_is_never_first_to_write_a_turn_hears_that_it_is_busy() -> None:
    crowd = Crowd()
    house = paced(House(faults=crowd), memory=Pace((Window(1, 60),)))
    (sandbox,) = waiting(house, 1)
    crowd.there = True
    with pytest.raises(ports.Busy, match="too many ask for their turn"):
        house.engine.worker.turns.ask(sandbox)


WAIT = ports.CreateRefused("rate", "too many requests", retry_after_seconds=20)


def test_a_refusal_nobody_gets_to_write_down_holds_up_nobody() -> None:
    crowd = Crowd()
    house = paced(House(faults=crowd), memory=Pace((Window(5, 60),)))
    refused, other = waiting(house, 2)
    crowd.there = True
    assert not house.engine.worker.turns.refused(refused, "memory", WAIT)
    crowd.there = False
    assert isinstance(house.engine.worker.turns.ask(other), events.TurnCame)


def test_a_refusal_that_is_known_already_is_not_written_again() -> None:
    meanwhile = Meanwhile()
    house = paced(House(faults=meanwhile), memory=Pace((Window(5, 60),)))
    (sandbox,) = waiting(house, 1)
    before = meanwhile.writes
    for _ in range(2):
        house.engine.worker.turns.refused(sandbox, "memory", WAIT)
    assert meanwhile.writes == before + 1


@pytest.mark.parametrize(("count", "seconds"), [(1, 60.1), (2, 20)])
def test_a_refusal_and_a_turn_written_at_once_are_both_kept(count: int, seconds: float) -> None:
    meanwhile = Meanwhile()
    house = paced(House(faults=meanwhile), memory=Pace((Window(count, 60),)))
    refused, quick, late = waiting(house, 3)
    turns = house.engine.worker.turns
    meanwhile.then = lambda: turns.ask(quick)
    turns.refused(refused, "memory", WAIT)
    # Where the turn filled the window it is waited for, and else the refusal.
    assert moment(turns.ask(late)) == house.clock.now() + seconds * 1000
