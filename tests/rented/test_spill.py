"""A class whose cloud has nothing left: its labs begin where its trainer said, and nowhere else."""

from __future__ import annotations

import collections

import pytest

from brihaspati.domain.classrooms import Classroom, Spill
from brihaspati.engine.records import Person
from brihaspati.engine.setups import Draft
from brihaspati_cloudsim.account import Lags
from house import a_lab
from rented.classroom import Rented

TRAINER = Person("iyer", "Prof. Iyer", "instructor")


def a_class(rented: Rented, *spill: Spill) -> Classroom:
    """As a trainer makes it."""
    engine, now = rented.house.engine, rented.sky.clock.now()
    engine.classes.offer([a_lab()])
    engine.classes.ensure_person(TRAINER)
    draft = Draft("Linux", ("hello",), now, now + 8 * 3_600_000, 30, spill=spill)
    return engine.setups.create(TRAINER, "a-key-of-one", draft).room


def places(rented: Rented, room: Classroom, students: int) -> collections.Counter[str]:
    """Where everybody's lab is ready in the end."""
    for number in range(students):
        rented.play(room, number)
        rented.pass_time(2)
    rented.pass_time(200)
    return collections.Counter(
        one.provider_of(one.current[0]) for one in rented.sandboxes() if one.phase == "ready"
    )


@pytest.mark.parametrize("kind", ["sold_out", "quota"])
def test_labs_begin_where_the_class_may_go_when_its_cloud_has_none(kind: str) -> None:
    rented = Rented(lags=Lags.none())
    rented.sky.fault(kind, operation="droplets_create", times=None)
    assert places(rented, a_class(rented, Spill("linode")), 4) == {"linode": 4}


def test_no_more_go_elsewhere_than_their_share() -> None:
    rented = Rented(lags=Lags.none())
    rented.sky.fault("quota", operation="droplets_create", times=8)
    found = places(rented, a_class(rented, Spill("linode", share_percent=50)), 6)
    assert found["linode"] <= 3


def test_nobody_goes_where_it_is_too_dear() -> None:
    rented = Rented(lags=Lags.none())
    rented.sky.fault("sold_out", operation="droplets_create", times=None)
    room = a_class(rented, Spill("linode", micros_per_hour_max=1))
    assert places(rented, room, 2) == {}
