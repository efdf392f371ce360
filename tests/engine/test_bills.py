"""What one student has the control plane do, counted on the real engine and the real routes."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import bills, looks
from brihaspati.domain.bills import Calls
from brihaspati.engine.engine import Engine
from brihaspati.engine.machines import Beat
from brihaspati.wiring import cloud
from engine.test_machines import Rental
from house import Browser, House

ROOT = Path(__file__).resolve().parents[2]
LAB = "/v1/classes/demo/labs/hello"
DOLLARS_PER_STUDENT_HOUR_MAX = 0.0005


class Metered(memory.Store):
    """A store that counts DynamoDB's units, on demand: 4 KB a read, half when it may be stale;
    1 KB a write, twice in a transaction, and twice for each index."""

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
        done = super().transact(writes)
        for write in writes:
            size = _units(write.body if isinstance(write, ports.Put) else None, 1024)
            indexes = len(write.indexes) if isinstance(write, ports.Put) else 0
            self.writes += size * ((2 if len(writes) > 1 else 1) + 2 * indexes)
        return done


def _units(body: Any, size: int) -> int:
    return max(1, math.ceil(len(json.dumps(body)) / size))


class Lived:
    """A house that counts what is asked of it."""

    def __init__(self) -> None:
        self.house = House()
        self.store = self.house.store = Metered(self.house.clock)
        self.alarms = self.messages = self.requests = 0
        self.house.timer = _Alarms(self)
        world = replace(self.house.world, store=self.store, timer=self.house.timer)
        self.house.world, self.house.engine = world, Engine(world)
        self.house.classroom()
        self.browser = Browser(self.house)
        self.store.reads = self.store.writes = 0

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.requests += 1
        answer = self.browser.send(method, path, body)
        assert self.browser.status < 300, answer
        return answer

    def work(self) -> None:
        self.messages += self.house.run()

    def calls(self) -> Calls:
        store = self.store
        return Calls(self.requests, self.messages, self.alarms, store.reads, store.writes)


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


def test_the_bill_counts_what_a_look_at_a_running_lab_takes() -> None:
    lived = Lived()
    lived.ask("POST", "/v1/join", {"code": "MARIGOLD", "name": "Asha"})
    lived.ask("PUT", f"{LAB}/sandbox", {})
    lived.work()
    before = lived.calls()
    lived.ask("GET", f"{LAB}/sandbox")
    assert lived.calls() == before + bills.LOOK


def test_a_bill_is_its_calls_times_their_prices() -> None:
    twice = bills.student_hour(look_seconds=5)["api"] - bills.student_hour(look_seconds=10)["api"]
    assert math.isclose(twice, 360 / 1e6)
    assert bills.class_hour(0) == 0
    assert set(bills.student_hour()) | set(bills.month_at_rest()) == set(bills.PRICES)


def test_the_bill_counts_what_a_sign_of_life_of_a_rented_machine_takes() -> None:
    rental = Rental()
    rental.house.clock.advance(10)
    known = rental.begun()
    rental.machines.hear(known, Beat("ready"))
    rental.house.run()
    store = Metered(rental.house.clock)
    store.__dict__.update(rental.house.store.__dict__)
    world = replace(rental.house.world, store=store)
    machines = Engine(world).machines
    machines.hear(machines.identify(rental.signed()), Beat("ready"))
    assert Calls(1, 0, 0, store.reads, store.writes) == bills.BEAT


def test_the_bill_has_the_pace_of_the_cloud_mode() -> None:
    assert cloud.BOUNDS.beat_seconds == bills.BEAT_SECONDS
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
