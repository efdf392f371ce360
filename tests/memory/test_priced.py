"""A price on the machines of our own host, over a provider that has none."""

from __future__ import annotations

from brihaspati.adapters import memory
from brihaspati.adapters.priced import Priced
from brihaspati.domain import labs
from brihaspati.ports import MachineOrder


def test_it_is_the_provider_in_everything_but_the_price() -> None:
    clock = memory.ManualClock()
    plain = memory.Provider(clock)
    priced = Priced(plain, 50_000)
    spec = labs.MachineSpec(name="main")
    priced.prepare("host", lambda *_: None)
    made = priced.create(MachineOrder("bh-test-sbx-a1-main", "sbx", spec))
    assert (plain.price_micros_per_hour(spec), priced.price_micros_per_hour(spec)) == (0, 50_000)
    assert priced.name == plain.name
    found = priced.find(made.label)
    assert found is not None
    assert [m.label for m in priced.inventory()] == [m.label for m in plain.inventory()]
    assert [m.label for m in priced.inventory()] == [made.label]
    priced.delete(found.id)
    assert priced.inventory() == plain.inventory() == []
