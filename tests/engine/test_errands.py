"""Machines that are no student's: wanted while their errand lasts, and strays after it."""

from __future__ import annotations

import pytest

from brihaspati import ports
from brihaspati.engine import errands
from house import House, a_lab
from meanwhile import Meanwhile


def test_a_machine_of_an_errand_is_no_stray_until_the_errand_ends() -> None:
    house = House()
    with errands.errand(house.world, "builder", 600) as label:
        house.provider.create(ports.MachineOrder(label, "builder", a_lab().machines[0]))
        house.pass_time(300, step_seconds=10)
        assert len(house.provider.running()) == 1
    house.pass_time(240, step_seconds=10)
    assert house.provider.running() == []


def test_an_errand_is_wanted_no_longer_than_its_time_even_if_its_maker_died() -> None:
    house = House()
    cut = errands.errand(house.world, "builder", 300)
    label = cut.__enter__()
    house.clock.advance(299)
    assert errands.wanted(house.world) == {label}
    house.clock.advance(1)
    assert errands.wanted(house.world) == frozenset()


def test_an_errand_that_fails_is_let_go_and_others_are_kept() -> None:
    house = House()
    with errands.errand(house.world, "smoke", 600) as kept:
        failing = errands.errand(house.world, "builder", 600)
        with pytest.raises(ports.Unclear), failing as label:
            _fail(house, {kept, label})
        assert errands.wanted(house.world) == {kept}


def _fail(house: House, under_way: set[str]) -> None:
    assert errands.wanted(house.world) == under_way
    raise ports.Unclear("the request timed out")


def test_two_errands_written_at_once_are_both_wanted() -> None:
    meanwhile = Meanwhile()
    house = House(faults=meanwhile)
    other = errands.errand(house.world, "smoke", 600)
    labels: list[str] = []
    meanwhile.then = lambda: labels.append(other.__enter__())
    with errands.errand(house.world, "builder", 600) as label:
        assert errands.wanted(house.world) == {label, *labels}
        assert len(labels) == 1


def test_an_errand_that_is_never_first_to_be_written_does_not_begin() -> None:
    house = House(faults=lambda operation: "conflict" if operation == "transact" else None)
    errand = errands.errand(house.world, "builder", 600)
    with pytest.raises(ports.Busy, match="too many at once"), errand:
        pytest.fail("its label was never written")
