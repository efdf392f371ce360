"""What one student has the control plane do, counted on the real engine and the real routes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import bills, labs, looks
from brihaspati.domain.bills import Calls
from brihaspati.engine.engine import Engine
from brihaspati.engine.machines import TYPING_MS, Beat
from brihaspati.engine.records import Person
from brihaspati.wiring import cloud
from engine.test_machines import Rental
from house import Browser, House, a_lab

ROOT = Path(__file__).resolve().parents[2]
STEPS = (
    labs.Step("one", "Look around", "<p>ls</p>", checks=(labs.Check("there", "It is there", ":"),)),
    labs.Step("two", "Look again", "<p>ls</p>"),
)
LAB = "/v1/classes/demo/labs/hello"
DOLLARS_PER_STUDENT_HOUR_MAX = 0.0005


class Metered(memory.Store):
    """A store that counts DynamoDB's units, on demand: 4 KB a read, half when it may be stale;
    1 KB a write, twice in a transaction, and once more for each index that has the item (all of
    it), and for each that it has left, or left the place it had there."""

    reads = 0.0
    writes = 0.0

    def get(self, key: ports.Key) -> ports.Item | None:
        found = super().get(key)
        self.reads += _units(found.body if found else None, 4096)
        return found

    def get_many(self, keys: Sequence[ports.Key]) -> dict[ports.Key, ports.Item]:
        found = super().get_many(keys)
        for key in keys:
            self.reads += _units(found[key].body if key in found else None, 4096)
        return found

    def query(self, *given: Any, **more: Any) -> ports.Page:
        page = super().query(*given, **more)
        self.reads += _units([dict(item.body) for item in page.items], 4096)
        return page

    def query_index(self, *given: Any, **more: Any) -> ports.Page:
        page = super().query_index(*given, **more)
        self.reads += _units([dict(item.body) for item in page.items], 4096) / 2
        return page

    def transact(self, writes: Sequence[ports.Write]) -> tuple[int, ...]:
        before = {write.key: super(Metered, self).get(write.key) for write in writes}
        done = super().transact(writes)
        for write in writes:
            put = write if isinstance(write, ports.Put) else None
            size = _units(put.body if put is not None else None, 1024)
            self.writes += size * (2 if len(writes) > 1 else 1)
            found = before[write.key]
            old: Mapping[str, ports.Key] = found.indexes if found is not None else {}
            new = put.indexes if put is not None else {}
            self.writes += size * len(new)
            self.writes += sum(old[index] != new.get(index) for index in old)
        return done


def _units(body: Any, size: int) -> int:
    return max(1, math.ceil(len(json.dumps(body)) / size))


class Lived:
    """A house that counts what is asked of it."""

    def __init__(self) -> None:
        self.house = House()
        self.store = self.house.store = Metered(self.house.clock)
        self.alarms = self.messages = self.requests = self.scripts = 0
        self.house.timer = _Alarms(self)
        world = replace(
            self.house.world, store=self.store, timer=self.house.timer, runs_scripts=False
        )
        self.house.world, self.house.engine = world, Engine(world)
        self.house.classroom(a_lab(steps=STEPS), seats=bills.BOARD_STUDENTS)
        self.browser = Browser(self.house)
        self.store.reads = self.store.writes = 0

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.requests += 1
        answer = self.browser.send(method, path, body)
        assert self.browser.status < 300, answer
        return answer

    def work(self) -> None:
        before = len(self.house.agents.ran)
        self.messages += self.house.run()
        self.scripts += len(self.house.agents.ran) > before

    def calls(self) -> Calls:
        store = self.store
        return Calls(
            self.requests, self.messages, self.alarms, store.reads, store.writes, self.scripts
        )


class _Alarms(memory.Timer):
    def __init__(self, lived: Lived) -> None:
        super().__init__(lived.house.queue)
        self.lived = lived

    def set(self, name: str, at: ports.Moment, message: ports.Message) -> None:
        self.lived.alarms += 1
        super().set(name, at, message)


def lesson(lived: Lived) -> None:
    lived.ask("POST", "/v1/join", {"code": "MARIGOLD", "name": "Asha"})
    lived.ask("GET", "/v1/session")
    lived.ask("GET", "/v1/classes/demo")
    lived.ask("PUT", f"{LAB}/sandbox", {})
    lived.work()
    lived.ask("GET", LAB)
    lived.ask("POST", f"{LAB}/sandbox/ticket", {"for": "terminal"})
    left = lived.ask("GET", f"{LAB}/sandbox")["sandbox"]["extensions_left"]
    lived.ask("POST", f"{LAB}/sandbox/extend", {"extensions_left": left})
    lived.work()
    lived.ask("DELETE", f"{LAB}/sandbox")
    lived.work()
    for _ in range(120):
        lived.house.clock.advance(1)
        lived.house.timer.fire(lived.house.clock.now())
        lived.work()
    assert lived.ask("GET", f"{LAB}/sandbox")["sandbox"]["phase"] == "gone"


def test_the_bill_counts_the_calls_that_a_lesson_makes() -> None:
    lived = Lived()
    lesson(lived)
    counted = lived.calls()
    assert counted == bills.LESSON


def playing() -> Lived:
    """Somebody in a lab that is ready."""
    lived = Lived()
    lived.ask("POST", "/v1/join", {"code": "MARIGOLD", "name": "Asha"})
    lived.ask("PUT", f"{LAB}/sandbox", {})
    lived.work()
    return lived


def looked(lived: Lived) -> None:
    lived.ask("GET", f"{LAB}/sandbox")


def looked_at_the_class(lived: Lived) -> None:
    lived.ask("GET", "/v1/classes/demo")


def checked(lived: Lived) -> None:
    lived.ask("POST", f"{LAB}/steps/one/check", {})
    lived.work()
    assert lived.ask("GET", f"{LAB}/sandbox")["progress"]["busy"] is None


def turned(lived: Lived) -> None:
    lived.ask("PUT", f"{LAB}/progress", {"step": "two"})


@pytest.mark.parametrize(
    ("does", "counted"),
    [
        (looked, bills.LOOK),
        (looked_at_the_class, bills.CLASS_LOOK),
        (checked, bills.CHECK),
        (turned, bills.TURN),
    ],
)
def test_the_bill_counts_what_a_student_does_while_a_lab_runs(
    does: Callable[[Lived], None], counted: Calls
) -> None:
    lived = playing()
    before = lived.calls()
    does(lived)
    assert lived.calls() - before == counted


def test_the_bill_counts_what_a_look_at_the_board_of_a_class_takes() -> None:
    lived = playing()
    for number in range(1, bills.BOARD_STUDENTS):
        lived.browser = Browser(lived.house)
        lived.ask("POST", "/v1/join", {"code": "MARIGOLD", "name": f"Asha {number}"})
        lived.ask("PUT", f"{LAB}/sandbox", {})
        lived.work()
        checked(lived)
    lived.browser = trainers(lived.house)
    lived.ask("GET", "/v1/classes/demo/board")  # what it remembers of labs and class it reads once
    before = lived.calls()
    lived.house.clock.advance(looks.AFAR.board_ms / 1000)
    lived.ask("GET", "/v1/classes/demo/board")
    assert lived.calls() - before == bills.BOARD_LOOK


def trainers(house: House) -> Browser:
    """The browser of somebody who teaches the class."""
    iyer = Person("iyer", "Prof. Iyer", "instructor")
    house.engine.classes.ensure_person(iyer)
    house.engine.classes.instruct(house.engine.classes.get("demo"), iyer)
    browser = Browser(house)
    token, _ = house.engine.classes.invite(iyer)
    browser.send("POST", "/v1/sign-in", {"token": token})
    return browser


def test_a_bill_is_its_calls_times_their_prices() -> None:
    twice = bills.student_hour(look_seconds=5)["api"] - bills.student_hour(look_seconds=10)["api"]
    calm_seconds = 3600 - bills.CLASS_SECONDS - (bills.START_MS + bills.END_MS) / 1000
    assert math.isclose(twice, calm_seconds / 10 / 1e6)
    assert bills.class_hour(0) == 0
    assert set(bills.student_hour()) | set(bills.month_at_rest()) == set(bills.PRICES)


@pytest.mark.parametrize(
    ("types", "counted"), [(False, bills.BEAT), (True, bills.BEAT + bills.TYPED)]
)
def test_the_bill_counts_what_a_sign_of_life_of_a_rented_machine_takes(
    types: bool,  # noqa: FBT001 - the two cases
    counted: Calls,
) -> None:
    rental = Rental()
    rental.house.clock.advance(10)
    known = rental.begun()
    rental.machines.hear(known, Beat("ready"))
    rental.house.run()
    rental.house.clock.advance(TYPING_MS / 1000)
    store = Metered(rental.house.clock)
    store.__dict__.update(rental.house.store.__dict__)
    world = replace(rental.house.world, store=store)
    machines = Engine(world).machines
    said = Beat("ready", input_at=world.clock.now() if types else None)
    machines.hear(machines.identify(rental.signed()), said)
    assert Calls(1, 0, 0, store.reads, store.writes) == counted


def test_the_bill_has_the_pace_of_the_cloud_mode() -> None:
    assert cloud.BOUNDS.beat_seconds == bills.BEAT_SECONDS
    assert bills.TYPED_SECONDS * 1000 == TYPING_MS
    assert looks.AFAR.calm_ms == bills.LOOK_SECONDS * 1000


def test_a_student_keeps_to_the_budget_at_the_pace_that_the_server_tells_pages() -> None:
    assert bills.class_hour(500) / 500 <= DOLLARS_PER_STUDENT_HOUR_MAX


def test_pages_that_looked_every_five_seconds_would_not() -> None:
    assert bills.class_hour(500, look_seconds=5) / 500 > DOLLARS_PER_STUDENT_HOUR_MAX


def test_the_page_on_cost_has_the_amounts_that_are_computed() -> None:
    page = (ROOT / "docs/explanation/cost.md").read_text()
    for students in (0, 30, 500, 5000):
        usual, often = (bills.class_hour(students, look_seconds=s) for s in (bills.LOOK_SECONDS, 5))
        assert f"| {students:,} | {usual:.4f} | {often:.4f} |" in page
    assert f"{sum(bills.month_at_rest().values()):.2f} $ a month" in page
    assert bills.PRICED_ON in page


def test_the_page_on_operating_has_the_amounts_that_are_computed() -> None:
    page = (ROOT / "docs/how-to/operate-on-aws.md").read_text()
    rest = sum(bills.month_at_rest().values())
    for students in (0, 30, 500, 5000):
        hour = bills.class_hour(students)
        assert f"| {students:,} | {hour:.2f} | {rest + 40 * hour:.2f} |" in page
    assert bills.PRICED_ON in page
