"""Which labs are looked at where, before a class, and what for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from brihaspati.domain.classrooms import Spill
from brihaspati.domain.labs import Lab
from brihaspati.domain.preflight import Standing
from brihaspati.engine.engine import Engine
from brihaspati.engine.preflight import Seen
from engine.test_names import Named
from house import House, a_lab


def renting(house: House, *names: str) -> list[tuple[str, str]]:
    """The house rents from these; returns who was asked about which lab."""
    asked: list[tuple[str, str]] = []

    def standing(provider: str, lab: Lab) -> Standing:
        asked.append((provider, lab.name))
        return Standing(provider, region="fra1", size="small", price_micros_per_hour=10_000)

    told = {name: lambda lab, name=name: standing(name, lab) for name in names}
    house.world = replace(house.world, standings=told)
    house.engine = Engine(house.world)
    return asked


def test_each_lab_is_looked_at_once_wherever_the_class_may_rent() -> None:
    house = House()
    asked = renting(house, "memory", "other")
    spill = (Spill("other"), Spill("ours"), Spill("other"))
    room = house.classroom(a_lab("one"), a_lab("two"), spill=spill)
    found = house.engine.preflight.look(room)
    places = [("memory", "one"), ("memory", "two"), ("other", "one"), ("other", "two")]
    assert [(one.provider, one.lab) for one in found] == places == asked


def test_labs_on_our_own_host_need_no_look() -> None:
    house = House()
    asked = renting(house, "other")
    assert house.engine.preflight.look(house.classroom()) == ()
    assert asked == []


def test_a_class_is_looked_at_for_its_seats_its_hours_and_its_money() -> None:
    house = House()
    renting(house, "memory")
    opens = dt.datetime(2030, 5, 1, 9, tzinfo=dt.UTC).timestamp() * 1000
    room = house.classroom(
        a_lab("one", lifetime_minutes=90),
        a_lab("two"),
        seats=40,
        sandboxes_per_student_max=3,
        opens_at=round(opens),
        closes_at=round(opens) + 8 * 3_600_000,
        budget_micros=599_999,
    )
    looked = house.engine.preflight.look(room)[0]
    found = {one.name: one for one in looked.findings}
    # Two labs, so never three at once; 40 students for 1.5 hours are 0.60.
    assert "80 are needed" in found["limit"].text
    assert (found["budget"].verdict, found["budget"].text[:10]) == ("warn", "About 0.60")
    letter = found["limit"].letter or ""
    for words in ("01 May 2030, 09:00 UTC", "40 students", "1.5 hours"):
        assert words in letter


def test_a_look_is_begun_aside_and_kept_until_it_is_old_or_the_class_is_another() -> None:
    house = House()
    asked = renting(house, "memory")
    waiting: list[Callable[[], None]] = []
    house.world = replace(house.world, aside=waiting.append)
    house.engine = Engine(house.world)
    room, look = house.classroom(), house.engine.preflight
    assert look.seen(room) == look.seen(room) == Seen("looking")
    assert (len(waiting), asked) == (1, [])
    waiting.pop()()
    seen = look.seen(room)
    assert (seen.state, seen.at, len(seen.looks)) == ("looked", house.clock.now(), 1)
    house.clock.advance(4)
    assert look.seen(room, again=True) == seen
    house.clock.advance(1)
    anew = look.seen(room, again=True)
    assert (anew.state, anew.at, anew.looks) == ("looking", seen.at, seen.looks)
    assert look.seen(room, again=True) == anew
    waiting.pop()()
    house.clock.advance(599)
    assert look.seen(room).state == "looked"
    house.clock.advance(1)
    assert look.seen(room).state == "looking"
    larger = replace(room, seats=31)
    assert look.seen(larger) == Seen("looking")
    first, second = waiting
    second()
    first()  # of the class as it was: nobody wants it any more
    assert look.seen(larger).looks[0].figures is not None
    assert look.seen(larger).looks[0].figures.needed == 31  # type: ignore[union-attr]


def test_a_look_that_breaks_is_said_and_may_be_tried_again() -> None:
    house = House()

    def broken(_: Lab) -> Standing:
        raise RuntimeError

    house.world = replace(house.world, standings={"memory": broken})
    house.engine = Engine(house.world)
    room = house.classroom()
    assert house.engine.preflight.seen(room).state == "failed"


def test_where_machines_get_names_those_that_are_ready_are_counted() -> None:
    rental = Named()
    rental.names.fill()
    renting(rental.house, "memory")
    [looked] = rental.house.engine.preflight.look(rental.house.engine.classes.get("demo"))
    assert "3 names are certified ahead" in "".join(one.text for one in looked.findings)


def test_where_others_have_the_tokens_nobody_looks() -> None:
    house = House()
    house.provider.rented = True
    assert house.engine.preflight.seen(house.classroom()) == Seen("elsewhere")


def test_there_is_nothing_to_see_of_our_own_host() -> None:
    house = House()
    assert house.engine.preflight.seen(house.classroom()) == Seen("own")
