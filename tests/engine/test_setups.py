"""Classes as trainers make and change them, the catalogue, and who is expected."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from brihaspati.adapters import memory
from brihaspati.domain.classrooms import BadField, Spill
from brihaspati.domain.rosters import Expected
from brihaspati.engine import demo
from brihaspati.engine.engine import Engine
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Person
from brihaspati.engine.setups import Draft
from house import House, a_lab
from meanwhile import Meanwhile

IYER = Person("iyer", "Prof. Iyer", "instructor")
RAO = Person("rao", "Dr. Rao", "instructor")
HOUR_MS = 3_600_000


class Falling(memory.SeededChance):
    """Its first code is all A, everything after it B."""

    def __init__(self) -> None:
        super().__init__()
        self.picks = 0

    def pick(self, count: int) -> int:  # noqa: ARG002
        self.picks += 1
        return int(self.picks > 8)


class Restless:
    """Faults of a memory store: before every write but its own, `then` happens."""

    def __init__(self) -> None:
        self.then: Callable[[], object] | None = None

    def __call__(self, operation: str) -> None:
        then, self.then = self.then, None
        if operation == "transact" and then is not None:
            then()
        self.then = then


def a_house(faults: memory.Faults | None = None, **more: Any) -> House:
    """A house with two published labs, and a teacher."""
    house = House(faults=faults)
    house.world = replace(house.world, **more)
    house.engine = Engine(house.world)
    house.engine.classes.offer([a_lab(), a_lab("web", ("main", "db"))])
    house.engine.classes.ensure_person(IYER)
    return house


def a_draft(house: House, **more: Any) -> Draft:
    now = house.clock.now()
    fields: dict[str, Any] = {
        "title": "Linux basics",
        "labs": ("hello", "web"),
        "opens_at": now,
        "closes_at": now + HOUR_MS,
        "seats": 20,
    }
    return Draft(**{**fields, **more})


# --- the catalogue --------------------------------------------------------------------------------
def test_the_catalogue_has_the_latest_version_of_what_is_offered() -> None:
    house = a_house()
    classes = house.engine.classes
    assert [lab.name for lab in classes.catalogue()] == ["hello", "web"]
    classes.offer([a_lab(version="v2")])
    assert [(lab.name, lab.version) for lab in classes.catalogue()] == [("hello", "v2")]
    assert classes.lab("web", "v1").name == "web", "classes keep the labs they have"


def test_an_hour_of_a_lab_costs_the_sum_of_its_machines() -> None:
    house = House(price=70_000)
    assert house.engine.setups.price_micros_per_hour(a_lab("web", ("main", "db"))) == 140_000


# --- making ---------------------------------------------------------------------------------------
def test_a_new_class_is_ready_to_be_joined_and_taught() -> None:
    house = a_house(pool=3)
    made = house.engine.setups.create(IYER, "key-one-1", a_draft(house, budget_micros=5, seats=2))
    room = made.room
    assert (room.title, room.instructor, room.instructor_id) == ("Linux basics", IYER.name, IYER.id)
    assert (room.labs, room.provider, room.pool) == ((("hello", "v1"), ("web", "v1")), "memory", 3)
    assert (room.seats, room.budget_micros) == (2, 5)
    assert house.engine.classes.by_code(room.code) == room
    assert house.engine.setups.read(room.id) == made
    assert house.engine.member(IYER.id).relations_to(room.id) == {"taught"}
    house.engine.classes.join(room, "Asha", None)


def test_a_key_makes_one_class_of_each_person() -> None:
    house = a_house()
    house.engine.classes.ensure_person(RAO)
    made = house.engine.setups.create(IYER, "key-one-1", a_draft(house))
    again = house.engine.setups.create(IYER, "key-one-1", a_draft(house, title="Other"))
    assert again == made
    other = house.engine.setups.create(RAO, "key-one-1", a_draft(house))
    assert other.room.id != made.room.id
    assert len(house.engine.classes.all()) == 2


def test_two_servers_with_the_same_key_make_one_class() -> None:
    meanwhile = Meanwhile()
    house = a_house(meanwhile)
    elsewhere = Engine(replace(house.world, chance=memory.SeededChance(7)))
    draft = a_draft(house)
    meanwhile.then = lambda: elsewhere.setups.create(IYER, "key-one-1", draft)
    meanwhile.passing = 1  # the list of who is expected
    made = house.engine.setups.create(IYER, "key-one-1", draft)
    assert made == elsewhere.setups.read(made.room.id)
    assert len(house.engine.classes.all()) == 1


def test_a_code_that_somebody_just_took_is_not_the_end() -> None:
    meanwhile = Meanwhile()
    house = a_house(meanwhile, chance=Falling())
    other = Engine(replace(house.world, chance=Falling()))
    draft = a_draft(house)
    meanwhile.then = lambda: other.setups.create(RAO, "key-two-2", draft)
    meanwhile.passing = 1
    made = house.engine.setups.create(IYER, "key-one-1", draft)
    assert made.room.code == "BBBBBBBB"
    assert {room.code for room in house.engine.classes.all()} == {"AAAAAAAA", "BBBBBBBB"}


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("closes_at", {"opens_at": 1, "closes_at": 2}),
        ("closes_at", {"opens_at": 10**14}),
        ("labs", {"labs": ()}),
        ("labs", {"labs": ("hello", "nope")}),
        ("title", {"title": ""}),
    ],
)
def test_a_class_that_cannot_be_is_not_made(field: str, more: dict[str, Any]) -> None:
    house = a_house()
    with pytest.raises(BadField) as bad:
        house.engine.setups.create(IYER, "key-one-1", a_draft(house, **more))
    assert bad.value.field == field
    assert bad.value.fix
    assert house.engine.classes.all() == []


def test_without_any_lab_the_fix_is_to_publish_one() -> None:
    house = a_house()
    house.engine.classes.offer([])
    with pytest.raises(BadField) as bad:
        house.engine.setups.create(IYER, "key-one-1", a_draft(house))
    assert "published" in bad.value.fix


# --- where else -----------------------------------------------------------------------------------
def renting(house: House, *others: str) -> House:
    """The house rents, usually at `memory`, and may do so at these."""
    house.provider.rented = True
    found = {name: memory.Provider(house.clock, name=name) for name in others}
    for provider in found.values():
        provider.rented = True
    house.world = replace(house.world, providers={"memory": house.provider, **found})
    house.engine = Engine(house.world)
    return house


@pytest.mark.parametrize(
    ("field", "spill"),
    [
        ("spill.0.provider", (Spill("memory"),)),
        ("spill.1.provider", (Spill("other"), Spill("nowhere"))),
        ("spill.1.provider", (Spill("other"), Spill("other"))),
        ("spill.0.share_percent", (Spill("other", 0),)),
        ("spill.1.share_percent", (Spill("other"), Spill("third", 101))),
        ("spill.0.micros_per_hour_max", (Spill("other", 50, 0),)),
    ],
)
def test_a_place_that_cannot_be_gone_to_is_named(field: str, spill: tuple[Spill, ...]) -> None:
    house = renting(a_house(), "other", "third")
    with pytest.raises(BadField) as bad:
        house.engine.setups.create(IYER, "key-one-1", a_draft(house, spill=spill))
    assert (bad.value.field, bool(bad.value.fix)) == (field, True)
    made = house.engine.setups.create(IYER, "key-one-1", a_draft(house, labs=("hello",)))
    with pytest.raises(BadField) as bad:
        house.engine.setups.change(made.room.id, made.version, {"spill": spill})
    assert bad.value.field == field


def test_machines_of_our_own_host_go_nowhere_else() -> None:
    house = a_house()
    assert house.engine.setups.elsewhere() == ()
    with pytest.raises(BadField) as bad:
        house.engine.setups.create(IYER, "key-one-1", a_draft(house, spill=(Spill("linode"),)))
    assert "no other provider is set up" in bad.value.fix


# --- changing -------------------------------------------------------------------------------------
def test_what_is_named_changes_and_all_else_stays() -> None:
    house = a_house()
    made = house.engine.setups.create(IYER, "key-one-1", a_draft(house, budget_micros=5))
    changed = house.engine.setups.change(
        made.room.id, made.version, {"title": " New ", "budget_micros": None}
    )
    assert changed.room == replace(made.room, title="New", budget_micros=None)
    assert changed.version > made.version
    assert house.engine.classes.get(made.room.id) == changed.room


def test_who_saw_an_older_class_is_told_and_who_repeats_themself_is_not() -> None:
    house = a_house()
    made = house.engine.setups.create(IYER, "key-one-1", a_draft(house))
    change = house.engine.setups.change
    changed = change(made.room.id, made.version, {"title": "New"})
    assert change(made.room.id, made.version, {"title": "New"}) == changed
    for version in (made.version, 0, 2**60):
        with pytest.raises(Problem) as problem:
            change(made.room.id, version, {"title": "Newer"})
        assert problem.value.kind == "changed_meanwhile"
    assert house.engine.setups.read(made.room.id) == changed


def test_of_two_changes_at_the_same_moment_one_is_told() -> None:
    meanwhile = Meanwhile()
    house = a_house(meanwhile)
    made = house.engine.setups.create(IYER, "key-one-1", a_draft(house))
    other = Engine(house.world)
    meanwhile.then = lambda: other.setups.change(made.room.id, made.version, {"seats": 25})
    with pytest.raises(Problem, match="somebody else"):
        house.engine.setups.change(made.room.id, made.version, {"title": "New"})
    now = house.engine.setups.read(made.room.id).room
    assert (now.title, now.seats) == (made.room.title, 25)


def test_named_labs_get_their_latest_version_and_withdrawn_ones_stay() -> None:
    house = a_house()
    made = house.engine.setups.create(IYER, "key-one-1", a_draft(house))
    house.engine.classes.offer([a_lab(version="v2")])
    titled = house.engine.setups.change(made.room.id, made.version, {"title": "New"})
    assert titled.room.labs == (("hello", "v1"), ("web", "v1"))
    named = house.engine.setups.change(made.room.id, titled.version, {"labs": ["web", "hello"]})
    assert named.room.labs == (("web", "v1"), ("hello", "v2"))


def test_a_class_shrinks_to_its_students_and_no_further() -> None:
    house = a_house()
    made = house.engine.setups.create(IYER, "key-one-1", a_draft(house, seats=40))
    for number in range(5):
        house.engine.classes.join(made.room, f"Student {number}", None)
    with pytest.raises(BadField, match="5 seats are taken; 4 are not enough") as bad:
        house.engine.setups.change(made.room.id, made.version, {"seats": 4})
    assert bad.value.field == "seats"
    smaller = house.engine.setups.change(made.room.id, made.version, {"seats": 6}).room
    house.engine.classes.join(smaller, "The last", None)
    with pytest.raises(Problem, match="All seats"):
        house.engine.classes.join(smaller, "One too many", None)


def test_a_change_that_meets_others_is_made_again_and_gives_up_at_last() -> None:
    meanwhile = Meanwhile()
    house = House(faults=meanwhile)
    house.classroom()
    other = Engine(house.world)
    meanwhile.then = lambda: other.classes.change("demo", lambda room: replace(room, seats=7))
    house.engine.classes.change("demo", lambda room: replace(room, title="New"))
    now, version = house.engine.classes.read("demo")
    assert (now.title, now.seats) == ("New", 7)
    assert house.engine.classes.change("demo", lambda room: room) == now
    assert house.engine.classes.read("demo")[1] == version, "nothing to write"


def test_a_class_that_never_stands_still_is_given_up_on() -> None:
    restless = Restless()
    house = House(faults=restless)
    room = house.classroom()
    other = Engine(house.world)
    more = functools.partial(
        other.classes.change, "demo", lambda room: replace(room, seats=room.seats + 1)
    )
    restless.then = more
    with pytest.raises(Problem) as problem:
        house.engine.classes.change("demo", lambda room: replace(room, title="Newer"))
    assert problem.value.kind == "busy"
    with pytest.raises(Problem) as problem:
        house.engine.classes.instruct(room, IYER)
    assert problem.value.kind == "busy"
    assert house.engine.classes.read("demo")[0].title == room.title


# --- who is expected ------------------------------------------------------------------------------
def test_the_list_is_replaced_as_a_whole_however_long_it_was() -> None:
    house = House()
    house.classroom()
    rosters = house.engine.classes.rosters
    many = [Expected(f"Student {n:04d}", f"s{n}@example.org") for n in range(1000)]
    rosters.expect("demo", many)
    assert list(rosters.expected("demo")) == many
    rosters.expect("demo", [Expected("Asha")])
    rosters.expect("demo", [Expected("Asha")])
    assert rosters.expected("demo") == (Expected("Asha"),)
    rosters.expect("demo", [])
    assert rosters.expected("demo") == ()


def test_only_who_is_expected_joins_where_the_trainer_says_so() -> None:
    house = House()
    room = house.classroom(roster_only=True)
    house.engine.classes.rosters.expect("demo", [Expected("Asha Rao")])
    with pytest.raises(Problem) as problem:
        house.engine.classes.join(room, "Ravi", None)
    assert (problem.value.kind, problem.value.field) == ("not_expected", "name")
    house.engine.classes.join(room, "ASHA  rao", None)
    people = house.engine.classes.rosters.attending("demo")
    assert [(p.name, p.expected, p.seat is not None) for p in people] == [("ASHA rao", True, True)]


def test_the_demo_class_goes_with_the_labs_of_the_folder() -> None:
    house = House()
    demo.ensure(house.engine.classes, [a_lab(), a_lab("web")], "memory", pool=1, seats=5)
    room = demo.ensure(house.engine.classes, [a_lab(version="v2")], "memory", pool=1, seats=5)
    assert room.labs == (("hello", "v2"),)
    assert [lab.version for lab in house.engine.classes.catalogue()] == ["v2"]
    assert house.engine.classes.read(demo.DEMO)[0] == room


def test_a_lab_of_several_machines_is_refused_where_machines_are_rented() -> None:
    house = renting(a_house())
    with pytest.raises(BadField, match="has 2 machines") as refused:
        house.engine.setups.create(IYER, "key-one-1", a_draft(house))
    assert (refused.value.field, bool(refused.value.fix)) == ("labs", True)
    made = house.engine.setups.create(IYER, "key-one-1", a_draft(house, labs=("hello",)))
    with pytest.raises(BadField, match="has 2 machines"):
        house.engine.setups.change(made.room.id, made.version, {"labs": ("web",)})
    assert house.engine.setups.read(made.room.id) == made
