"""Messages to a class, and what is done for many of its sandboxes, on the real engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import messages
from brihaspati.domain.classrooms import BadField, Classroom
from brihaspati.domain.sandboxes import Sandbox, Slot
from brihaspati.engine import teaching
from brihaspati.engine.engine import Engine
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Person, Standing, put_standing
from brihaspati.engine.teaching import Longer
from house import House
from meanwhile import Meanwhile

IYER = Person("iyer", "Prof. Iyer", "instructor")
RAO = Person("rao", "Dr. Rao", "instructor")


def heard(house: House, user: str) -> list[str]:
    return [message.text for message in house.engine.teaching.messages_for("demo", user)]


def later(house: House) -> None:
    house.clock.advance(teaching.MESSAGES_MS / 1000)


# --- messages -----------------------------------------------------------------------------------
def test_everybody_hears_what_is_for_all_and_one_what_is_for_one() -> None:
    house = House()
    room = house.classroom()
    asha, ravi = house.student(room), house.student(room, "Ravi")
    say = house.engine.teaching.send
    to_all = say("demo", IYER, "key-one-1", "  Break until\t11.\n\n See you ", None)
    assert (to_all.message.text, to_all.count) == ("Break until 11.\nSee you", 2)
    assert (to_all.message.sender, to_all.message.at) == ("Prof. Iyer", house.clock.now())
    house.clock.advance(1)
    to_one = say("demo", IYER, "key-two-2", "Look at line 3.", [ravi.id, ravi.id])
    assert (to_one.message.students, to_one.count) == ((ravi.id,), 1)
    assert heard(house, asha.id) == ["Break until 11.\nSee you"]
    assert heard(house, ravi.id) == ["Break until 11.\nSee you", "Look at line 3."]


def test_a_message_sent_again_is_one_message() -> None:
    house = House()
    asha = house.student(house.classroom())
    first = house.engine.teaching.send("demo", IYER, "key-one-1", "Hello", None)
    house.clock.advance(5)
    assert house.engine.teaching.send("demo", IYER, "key-one-1", "Hello!", None) == first
    assert heard(house, asha.id) == ["Hello"]
    house.engine.teaching.send("demo", RAO, "key-one-1", "Mine too", None)
    assert heard(house, asha.id) == ["Hello", "Mine too"], "keys are the sender's own"


def test_a_message_taken_down_stays_down_though_it_is_sent_again() -> None:
    house = House()
    asha = house.student(house.classroom())
    sent = house.engine.teaching.send("demo", IYER, "key-one-1", "Oops", None)
    assert heard(house, asha.id) == ["Oops"]
    house.engine.teaching.unsend("demo", sent.message.id)
    assert heard(house, asha.id) == []
    house.engine.teaching.unsend("demo", sent.message.id)
    house.engine.teaching.unsend("demo", "never-was")
    house.engine.teaching.send("demo", IYER, "key-one-1", "Oops", None)
    assert heard(house, asha.id) == []


def test_students_see_the_last_few_and_none_after_a_day() -> None:
    house = House()
    asha = house.student(house.classroom())
    for number in range(messages.SHOWN_MAX + 2):
        house.engine.teaching.send("demo", IYER, f"key-number-{number}", f"no. {number}", None)
        house.clock.advance(0.001)
    assert heard(house, asha.id) == [f"no. {n}" for n in range(2, messages.SHOWN_MAX + 2)]
    house.clock.advance(messages.LIFE_MS / 1000)
    assert heard(house, asha.id) == []


def test_one_reading_serves_a_class_for_a_second_and_another_server_s_news_come_after_it() -> None:
    calls: list[str] = []
    house = House(faults=calls.append)
    room = house.classroom()
    asha, ravi = house.student(room), house.student(room, "Ravi")
    elsewhere = Engine(replace(house.world, chance=memory.SeededChance(7)))
    assert heard(house, asha.id) == []
    calls.clear()
    elsewhere.teaching.send("demo", IYER, "key-one-1", "Hello", None)
    calls.clear()
    assert heard(house, ravi.id) == []
    assert calls == []
    later(house)
    assert heard(house, asha.id) == heard(house, ravi.id) == ["Hello"]
    assert calls == ["query"]
    house.clock.advance(-3600)
    heard(house, asha.id)
    assert calls == ["query", "query"], "read anew when the clock is put back"


@pytest.mark.parametrize(
    ("text", "students", "field"),
    [
        (" \n\x07 ", None, "text"),
        ("x" * (messages.TEXT_MAX + 1), None, "text"),
        ("Hello", [], "students"),
        ("Hello", ["nobody"], "students"),
    ],
)
def test_what_cannot_be_said_names_the_field(
    text: str, students: list[str] | None, field: str
) -> None:
    house = House()
    asha = house.student(house.classroom())
    with pytest.raises(BadField) as bad:
        house.engine.teaching.send("demo", IYER, "key-one-1", text, students)
    assert bad.value.field == field
    assert heard(house, asha.id) == []


# --- more time for many ---------------------------------------------------------------------------
def playing(house: House, room: Classroom, *names: str) -> list[Slot]:
    """These students, with a lab that runs."""
    slots = []
    lab = house.engine.classes.lab_in(room, "hello")
    for name in names:
        member = house.engine.member(house.student(room, name).id)
        house.engine.playing.play(room, lab, member)
        slots.append(Slot(room.id, "hello", user=member.person.id))
    house.run()
    return slots


def sandbox(house: House, slot: Slot) -> Sandbox:
    record = house.engine.worker.load(slot)
    assert record is not None
    return record.sandbox


def deadline(house: House, slot: Slot) -> int:
    at = sandbox(house, slot).deadline_at
    assert at is not None
    return at


def test_many_get_more_time_once_and_keep_their_own_extensions() -> None:
    house = House()
    room = house.classroom()
    asha, ravi, zara = playing(house, room, "Asha", "Ravi", "Zara")
    before = deadline(house, asha)
    shown = [(asha, before), (ravi, before)]
    assert house.engine.teaching.extend(room, 10, shown) == Longer(2, 0)
    assert house.engine.teaching.extend(room, 10, shown) == Longer(2, 0)
    house.run()
    assert deadline(house, asha) == deadline(house, ravi) == before + 600_000
    assert deadline(house, zara) == before
    assert sandbox(house, asha).extensions_left == 4
    house.pass_time(3601, 60)
    assert sandbox(house, asha).phase == "ready", "its alarm has moved, too"
    assert sandbox(house, zara).phase == "gone"
    house.pass_time(600, 60)
    assert sandbox(house, asha).phase == "gone"


def test_more_time_ends_with_the_class_as_it_is_by_now() -> None:
    house = House()
    hour = 3_600_000
    room = house.classroom(closes_at=house.clock.now() + hour)
    (asha,) = playing(house, room, "Asha")
    before = deadline(house, asha)
    assert before == room.closes_at
    assert house.engine.teaching.extend(room, 10, [(asha, before)]) == Longer(0, 1)
    longer = house.engine.classes.change(
        "demo", lambda room: replace(room, closes_at=room.closes_at + 60_000)
    )
    assert house.engine.teaching.extend(longer, 10, [(asha, before)]) == Longer(1, 0)
    assert deadline(house, asha) == longer.closes_at


def test_what_a_trainer_tries_after_the_class_has_no_other_end() -> None:
    house = House()
    room = house.classroom()
    house.engine.classes.ensure_person(IYER)
    house.engine.classes.instruct(room, IYER)
    house.clock.advance(9 * 3600)
    lab = house.engine.classes.lab_in(room, "hello")
    house.engine.playing.play(room, lab, house.engine.member(IYER.id))
    house.run()
    slot = Slot("demo", "hello", user=IYER.id)
    before = deadline(house, slot)
    assert house.engine.teaching.extend(room, 10, [(slot, before)]) == Longer(1, 0)
    assert deadline(house, slot) == before + 600_000


def test_what_does_not_run_gets_no_time() -> None:
    house = House()
    room = house.classroom()
    (asha,) = playing(house, room, "Asha")
    before = deadline(house, asha)
    house.engine.playing.stop(asha, "stopped")
    nobody = Slot("demo", "hello", user="nobody")
    assert house.engine.teaching.extend(room, 10, [(asha, before), (nobody, before)]) == Longer(
        0, 0
    )


# --- stop many --------------------------------------------------------------------------------
def test_some_are_stopped_and_the_others_go_on() -> None:
    house = House()
    room = house.classroom()
    asha, ravi = playing(house, room, "Asha", "Ravi")
    nobody = Slot("demo", "hello", user="nobody")
    assert house.engine.teaching.stop(room, [asha, nobody]) == 1
    assert house.engine.teaching.stop(room, [asha, nobody]) == 1
    house.run()
    assert (sandbox(house, asha).phase, sandbox(house, asha).end) == ("gone", "ended_by_trainer")
    assert sandbox(house, ravi).phase == "ready"


def test_all_are_stopped_without_the_request_waiting_for_any() -> None:
    house = House()
    room = house.classroom(pool=1)
    slots = playing(house, room, "Asha", "Ravi", "Zara")
    house.engine.sweeping.fill_pools()
    house.run()
    standing = Standing("demo", "hello", slots[0].user or "")
    house.store.transact((put_standing(standing),))
    house.engine.playing.stop(slots[0], "stopped")
    assert house.engine.teaching.stop(room, None) == 3
    assert [sandbox(house, slot).phase for slot in slots] == ["stopping"] * 3
    house.run()
    assert [sandbox(house, slot).phase for slot in slots] == ["gone"] * 3
    assert house.engine.teaching.stop(room, None) == 0
    assert sandbox(house, slots[0]).end == "stopped"
    assert len(house.provider.inventory()) == 1, "what is kept warm stays"


def test_more_time_asks_the_budget_and_says_how_far_it_went() -> None:
    house = House(price=1_000_000)
    room = house.classroom(budget_micros=2_200_000)
    asha, ravi = playing(house, room, "Asha", "Ravi")
    before = deadline(house, asha)
    with pytest.raises(Problem, match="1 of 2 labs have more time") as some:
        house.engine.teaching.extend(room, 10, [(asha, before), (ravi, before)])
    assert some.value.kind == "budget_spent"
    assert (deadline(house, asha), deadline(house, ravi)) == (before + 600_000, before)
    with pytest.raises(Problem, match="does not cover more time"):
        house.engine.playing.extend(room, ravi, 4)
    assert sandbox(house, ravi).extensions_left == 4
    raised = house.engine.classes.change("demo", lambda r: replace(r, budget_micros=3_000_000))
    house.engine.playing.extend(raised, ravi, 4)
    assert deadline(house, ravi) > before


class Asked(memory.Store):
    """A store that counts how often somebody looked for all of a class's sandboxes."""

    times = 0

    def query_index(self, index: str, *given: Any, **more: Any) -> ports.Page:
        self.times += index == "group"
        return super().query_index(index, *given, **more)


def test_what_is_left_for_many_is_read_once_and_still_ends_with_the_budget() -> None:
    house = House(price=1_000_000)
    store = house.store = Asked(house.clock)
    house.world = replace(house.world, store=store)
    house.engine = Engine(house.world)
    room = house.classroom(budget_micros=5_600_000)
    slots = playing(house, room, "Asha", "Ravi", "Zara", "Uma")
    shown = [(slot, deadline(house, slot)) for slot in slots]
    store.times = 0
    with pytest.raises(Problem, match="3 of 4 labs have more time"):
        house.engine.teaching.extend(room, 30, shown)
    assert store.times == 1
    assert house.engine.playing.budgets.committed(room.id) == 5_500_000


def test_time_that_no_index_shows_yet_is_counted() -> None:
    house = House(price=1_000_000, index_lag_ms=5_000)
    room = house.classroom(budget_micros=2_300_000)
    asha, ravi = playing(house, room, "Asha", "Ravi")
    house.clock.advance(5)
    house.engine.playing.extend(room, asha, 4)
    with pytest.raises(Problem, match="does not cover more time"):
        house.engine.playing.extend(room, ravi, 4)


def test_nobody_gets_more_time_of_a_spent_budget() -> None:
    house = House(price=1_000_000)
    room = house.classroom(budget_micros=1_000_000)
    (asha,) = playing(house, room, "Asha")
    before = deadline(house, asha)
    with pytest.raises(Problem, match="does not cover more time"):
        house.engine.teaching.extend(room, 10, [(asha, before)])
    assert deadline(house, asha) == before


def test_of_two_who_get_the_last_of_the_budget_at_once_the_slower_one_is_told() -> None:
    meanwhile = Meanwhile()
    house = House(price=1_000_000, faults=meanwhile)
    room = house.classroom(budget_micros=2_300_000)
    asha, ravi = playing(house, room, "Asha", "Ravi")
    meanwhile.then = lambda: house.engine.playing.extend(room, ravi, 4)
    with pytest.raises(Problem, match="does not cover more time"):
        house.engine.playing.extend(room, asha, 4)


def test_whoever_is_never_first_is_told_to_try_again() -> None:
    house = House(faults=lambda operation: "conflict" if busy and operation == "transact" else None)
    busy: list[bool] = []
    room = house.classroom()
    (asha,) = playing(house, room, "Asha")
    busy.append(True)
    with pytest.raises(Problem, match="at once"):
        house.engine.playing.extend(room, asha, 4)


def test_what_is_over_counts_by_its_proofs_alone() -> None:
    house = House(price=1_000_000)
    room = house.classroom(budget_micros=9_000_000)
    asha, _ = playing(house, room, "Asha", "Ravi")
    house.engine.playing.stop(asha, "stopped")
    house.run()
    assert sandbox(house, asha).phase == "gone"
    assert house.engine.playing.budgets.committed(room.id) == 1_000_000
