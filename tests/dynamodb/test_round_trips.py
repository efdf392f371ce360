"""How often DynamoDB is asked for each thing people do, from the request event to the answer.

A function that has answered before knows the class and its labs; who asks is read each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from brihaspati.adapters import dynamodb
from brihaspati.domain.classrooms import Classroom
from brihaspati.engine.engine import Engine
from emulators import faults
from house import Browser, House, a_lab

LABS = "/v1/classes/demo/labs"
SANDBOX = f"{LABS}/hello/sandbox"


@pytest.fixture
def house(store: dynamodb.Store) -> House:
    """The engine over DynamoDB; queue, timer and provider in memory."""
    found = House()
    found.world = replace(found.world, store=store, due_shards=8)
    found.engine = Engine(found.world)
    return found


@pytest.fixture
def asked(connection: dynamodb.Connection) -> Callable[[Callable[[], Any]], list[str]]:
    """The requests that a call sends to DynamoDB."""

    def asked(call: Callable[[], Any]) -> list[str]:
        sent: list[str] = []

        def plan(operation: str, _: dict[str, Any]) -> None:
            sent.append(operation)

        with faults.met(connection.client(), plan):
            call()
        return sent

    return asked


Asked = Callable[[Callable[[], Any]], list[str]]


def _student(house: House, room: Classroom, name: str = "Asha") -> Browser:
    """A student's browser that has seen the class page, so that the process knows the class."""
    browser = Browser(house)
    answer = browser.send("POST", "/v1/join", {"code": room.code, "name": name})
    assert browser.last["statusCode"] == 201, answer
    assert browser.send("GET", "/v1/classes/demo")["labs"]
    return browser


def _ready(browser: Browser, house: House) -> None:
    assert browser.send("PUT", SANDBOX)["sandbox"]
    house.run()
    assert browser.send("GET", SANDBOX)["sandbox"]["phase"] == "ready"


def test_class_page_takes_one(house: House, asked: Asked) -> None:
    browser = _student(house, house.classroom())
    assert asked(lambda: browser.send("GET", "/v1/classes/demo")) == ["Query"]
    assert browser.last["statusCode"] == 200


def test_status_takes_one(house: House, asked: Asked) -> None:
    browser = _student(house, house.classroom())
    _ready(browser, house)
    assert asked(lambda: browser.send("GET", SANDBOX)) == ["Query"]
    assert browser.last["statusCode"] == 200


def test_a_cold_play_takes_two(house: House, asked: Asked) -> None:
    browser = _student(house, house.classroom())
    assert asked(lambda: browser.send("PUT", SANDBOX)) == ["Query", "TransactWriteItems"]
    assert browser.last["statusCode"] == 201


def test_a_warm_play_takes_two_once_the_process_knows_the_pool(house: House, asked: Asked) -> None:
    room = house.classroom(pool=3)
    first, second = _student(house, room), _student(house, room, "Bela")
    house.engine.sweeping.fill_pools()
    house.run()
    look = ["Query", "Query", "TransactWriteItems"]
    assert asked(lambda: first.send("PUT", SANDBOX)) == look
    assert asked(lambda: second.send("PUT", SANDBOX)) == ["Query", "TransactWriteItems"]
    for browser in (first, second):
        assert browser.send("GET", SANDBOX)["sandbox"]["phase"] == "ready"
    assert len(house.provider.running()) == 3


def test_what_another_process_claimed_meanwhile_is_not_claimed_again(house: House) -> None:
    room = house.classroom(pool=2)
    people = [house.student(room, name) for name in ("Asha", "Bela", "Chandra")]
    house.engine.sweeping.fill_pools()
    house.run()
    phases = []
    for engine, person in zip(
        (house.engine, Engine(house.world), house.engine), people, strict=True
    ):
        member, lab = engine.member(person.id), engine.classes.lab_in(room, "hello")
        record, new = engine.playing.play(room, lab, member)
        phases.append(record.sandbox.phase)
        assert new
    assert phases == ["ready", "ready", "queued"]
    assert len(house.provider.running()) == 2


def test_stop_takes_two(house: House, asked: Asked) -> None:
    browser = _student(house, house.classroom())
    _ready(browser, house)
    sent = asked(lambda: browser.send("DELETE", SANDBOX))
    assert browser.last["statusCode"] == 202
    assert len(sent) <= 2, sent


def test_the_board_of_a_hundred_students_takes_two(house: House, asked: Asked) -> None:
    room = house.classroom(a_lab(), a_lab("files"), seats=100, pool=1)
    for n in range(100):
        person = house.student(room, f"Student {n}")
        member = house.engine.member(person.id)
        lab = house.engine.classes.lab_in(room, "hello")
        house.engine.playing.play(room, lab, member)
    house.run()
    house.engine.boards.board(room)
    sent = asked(lambda: house.engine.boards.board(room))
    assert len(house.engine.boards.board(room).students) == 100
    assert sent == ["Query", "Query"]
