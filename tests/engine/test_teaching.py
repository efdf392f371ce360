"""Messages to a class, and what is done for many of its sandboxes, on the real engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati.adapters import memory
from brihaspati.domain import messages
from brihaspati.domain.classrooms import BadField
from brihaspati.engine import teaching
from brihaspati.engine.engine import Engine
from brihaspati.engine.records import Person
from house import House

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
