"""Prices that those who rent tell those who do not."""

from __future__ import annotations

from dataclasses import replace

from brihaspati import ports
from brihaspati.adapters import elsewhere
from brihaspati.domain import labs
from brihaspati.engine import prices
from brihaspati.engine.engine import Engine
from house import House, a_lab

LARGE = labs.MachineSpec("main", resources=labs.Resources(memory_mb=8000))


def others(house: House) -> tuple[Engine, elsewhere.Elsewhere]:
    """Who has no token, and the provider as they know it."""
    told = prices.Told(house.store, house.clock, "memory")
    known = elsewhere.Elsewhere("memory", 7, told)
    world = replace(house.world, providers={"memory": known}, duties=frozenset({"end"}))
    return Engine(world), known


def test_a_price_is_the_operator_s_until_those_who_rent_have_told_theirs() -> None:
    house = House(price=20_000)
    house.classroom()
    engine, known = others(house)
    spec = a_lab().machines[0]
    assert known.price_micros_per_hour(spec) == 7
    assert engine.prices.refresh()
    assert house.run() == 1  # who rents hears of it, asks, and tells
    house.clock.advance(prices.KEPT_MS / 1000)
    assert known.price_micros_per_hour(spec) == 20_000
    assert known.price_micros_per_hour(LARGE) == 7  # no lab asks for such a machine


def test_prices_are_asked_for_once_an_hour() -> None:
    house = House(price=20_000)
    house.classroom()
    engine, _ = others(house)
    asked = 0
    for _ in range(120):
        asked += engine.prices.refresh()
        house.run()
        house.clock.advance(60)
    assert asked == 2


def test_stored_prices_are_read_once_in_ten_minutes() -> None:
    house = House(price=20_000)
    house.classroom()
    house.engine.prices.tell()
    _, known = others(house)
    spec = a_lab().machines[0]
    assert known.price_micros_per_hour(spec) == 20_000
    dearer = ports.Put(prices.key_of("memory"), {"at": 0, "micros": {prices.size_of(spec): 1}})
    house.store.transact((dearer,))
    assert known.price_micros_per_hour(spec) == 20_000
    house.clock.advance(prices.KEPT_MS / 1000)
    assert known.price_micros_per_hour(spec) == 1


def test_a_provider_that_does_not_say_leaves_what_was_said_before() -> None:
    class Silent(elsewhere.Elsewhere):
        def price_micros_per_hour(self, spec: labs.MachineSpec) -> int:
            raise ports.Unclear(f"no answer about {spec.name}")

    house = House(price=20_000)
    house.classroom()
    assert house.engine.prices.tell() == 1
    world = replace(house.world, providers={"memory": Silent("memory", 7)})
    assert Engine(world).prices.tell() == 0
    _, known = others(house)
    assert known.price_micros_per_hour(a_lab().machines[0]) == 20_000
