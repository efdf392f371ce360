"""Labs, classes, seats and one-time links, on the real engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain.classrooms import Classroom
from brihaspati.engine import classes, demo
from brihaspati.engine.engine import Engine
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Person
from house import House, a_lab
from meanwhile import Meanwhile


class Lowest(memory.SeededChance):
    """Always takes the first of what there is."""

    def pick(self, count: int) -> int:  # noqa: ARG002
        return 0


def refused(problem: pytest.ExceptionInfo[Problem]) -> tuple[str, str | None]:
    return problem.value.kind, problem.value.field


def another(house: House) -> Engine:
    """Another process over the same store, with caches of its own."""
    return Engine(replace(house.world, chance=memory.SeededChance(7)))


# --- classes and labs ---------------------------------------------------------------------------
def test_a_class_that_is_not_there_is_a_problem() -> None:
    with pytest.raises(Problem, match="no such class"):
        House().engine.classes.get("nowhere")


def test_a_lab_the_class_does_not_have_is_a_problem_though_it_is_published() -> None:
    house = House()
    room = house.classroom()
    house.engine.classes.publish(a_lab("other"))
    with pytest.raises(Problem, match="no lab called other"):
        house.engine.classes.lab_in(room, "other")


def test_a_lab_nobody_published_is_a_problem() -> None:
    with pytest.raises(Problem, match="ghost is not published"):
        House().engine.classes.lab("ghost", "v1")


def test_a_class_changed_by_another_process_is_seen_within_ten_seconds() -> None:
    house = House()
    room = house.classroom()
    assert house.engine.classes.get(room.id) == room
    changed = replace(room, title="Renamed")
    another(house).classes.change(room.id, lambda _: changed)
    assert house.engine.classes.get(room.id) == room
    house.clock.advance(classes.CACHE_MS / 1000 + 0.001)
    assert house.engine.classes.get(room.id) == changed


def test_a_class_is_read_anew_when_the_clock_is_put_back() -> None:
    house = House()
    room = house.classroom()
    house.engine.classes.get(room.id)
    changed = replace(room, title="Renamed")
    another(house).classes.change(room.id, lambda _: changed)
    house.clock.advance(-3600)
    assert house.engine.classes.get(room.id) == changed


def test_a_code_that_is_taken_is_not_given_out_again() -> None:
    house = House()
    taken = another(house).classes.free_code()
    house.classroom(code=taken)
    assert another(house).classes.free_code() != taken


def test_two_classes_of_one_code_or_one_id_are_refused() -> None:
    house = House()
    house.classroom()
    for more in ({"id": "second"}, {"code": "OTHERONE"}):
        with pytest.raises(ports.Conflict):
            house.classroom(**more)
    assert [room.id for room in house.engine.classes.all()] == ["demo"]


# --- seats --------------------------------------------------------------------------------------
def test_a_second_click_on_join_by_somebody_known_is_the_same_seat() -> None:
    meanwhile = Meanwhile()
    house = House(faults=meanwhile)
    first = house.classroom(id="first", code="FIRSTONE")
    asha = house.student(first)
    room = house.classroom()
    join = house.engine.classes.join
    meanwhile.then = lambda: join(room, "Asha", None, asha)
    assert join(room, "Asha", None, asha) == asha
    assert len(house.engine.classes.roster(room.id)) == 1


def test_the_same_press_of_join_gives_the_same_seat_even_the_last_one() -> None:
    house = House()
    room = house.classroom(seats=1)
    join = house.engine.classes.join
    asha = join(room, "Asha", None, None, "secret of one press")
    assert join(room, "Asha", None, None, "secret of one press") == asha
    assert len(house.engine.classes.roster(room.id)) == 1
    with pytest.raises(Problem, match="All seats"):
        join(room, "Asha", None, None, "secret of another press")


def test_a_key_of_one_class_says_nothing_in_another() -> None:
    house = House()
    first, second = house.classroom(), house.classroom(id="other", code="SAFFRONS")
    join = house.engine.classes.join
    here = join(first, "Asha", None, None, "secret of one press")
    assert join(second, "Asha", None, None, "secret of one press").id != here.id


def test_a_seat_somebody_just_took_is_passed_over_for_another() -> None:
    meanwhile = Meanwhile()
    house = House(faults=meanwhile)
    room = house.classroom(seats=2)
    seat = ports.Key("k#demo", "seat#0000")
    taken = ports.Put(seat, {"user": "x", "name": "X"}, expect=0)
    meanwhile.then = lambda: house.store.transact((taken,))
    person = Engine(replace(house.world, chance=Lowest())).classes.join(room, "Asha", None)
    assert [s.body["user"] for s in house.engine.classes.roster(room.id)] == ["x", person.id]


def test_a_rush_in_which_every_seat_is_snatched_says_busy() -> None:
    snatched: list[memory.Fault] = []
    house = House(faults=lambda call: snatched[0] if snatched and call == "transact" else None)
    room = house.classroom()
    snatched.append("conflict")
    with pytest.raises(Problem) as busy:
        house.student(room)
    assert refused(busy) == ("busy", None)


def test_an_upcoming_class_lets_people_take_their_seats() -> None:
    house = House()
    now = house.clock.now()
    room = house.classroom(opens_at=now + 1000, closes_at=now + 2000)
    house.student(room)
    assert len(house.engine.classes.roster(room.id)) == 1


# --- people and links ---------------------------------------------------------------------------
def test_a_person_two_processes_make_at_once_is_made_once() -> None:
    meanwhile = Meanwhile()
    house = House(faults=meanwhile)
    first, second = Person("admin", "Asha", "admin"), Person("admin", "Ravi", "admin")
    meanwhile.then = lambda: another(house).classes.ensure_person(second)
    assert house.engine.classes.ensure_person(first) == second
    assert house.engine.classes.ensure_person(first) == second


def test_one_link_used_on_two_devices_at_once_signs_one_in() -> None:
    meanwhile = Meanwhile()
    house = House(faults=meanwhile)
    iyer = house.engine.classes.ensure_person(Person("iyer", "Prof. Iyer", "instructor"))
    token, _ = house.engine.classes.invite(iyer)
    signed_in: list[Person] = []
    meanwhile.then = lambda: signed_in.append(house.engine.classes.sign_in(token))
    with pytest.raises(Problem) as spent:
        house.engine.classes.sign_in(token)
    assert refused(spent) == ("link_spent", "token")
    assert signed_in == [iyer]


def test_a_link_is_too_old_after_its_time() -> None:
    house = House()
    iyer = house.engine.classes.ensure_person(Person("iyer", "Prof. Iyer", "instructor"))
    token, expires_at = house.engine.classes.invite(iyer)
    house.clock.advance((expires_at - house.clock.now()) / 1000)
    with pytest.raises(Problem) as old:
        house.engine.classes.sign_in(token)
    assert old.value.kind == "link_spent"


def test_somebody_who_is_gone_is_not_signed_in() -> None:
    with pytest.raises(Problem) as unknown:
        House().engine.classes.person("nobody")
    assert unknown.value.kind == "not_signed_in"
    with pytest.raises(Problem) as empty:
        House().engine.member("nobody")
    assert empty.value.kind == "not_signed_in"


def test_items_of_a_person_that_a_later_version_added_are_passed_over() -> None:
    house = House()
    room = house.classroom()
    asha = house.student(room)
    before = house.engine.member(asha.id)
    house.store.transact((ports.Put(ports.Key(f"u#{asha.id}", "z#badge"), {"new": True}),))
    assert house.engine.member(asha.id) == before


def test_a_roster_longer_than_a_page_is_read_to_its_end() -> None:
    house = House()
    room = house.classroom(seats=120)
    for number in range(120):
        house.student(room, f"Student {number}")
    assert len(house.engine.classes.roster(room.id)) == 120
    assert len(house.engine.boards.board(room).students) == 120


# --- the demo class -----------------------------------------------------------------------------
def ensured(engine: Engine, *versions: str, pool: int = 0, seats: int = 30) -> Classroom:
    labs = [a_lab(version=version) for version in versions]
    return demo.ensure(engine.classes, labs, "memory", pool=pool, seats=seats)


def test_the_demo_class_is_open_from_the_first_start() -> None:
    house = House()
    room = ensured(house.engine, "v1")
    assert room.state(house.clock.now()) == "open"
    assert house.engine.classes.by_code(room.code) == room
    assert house.student(room).role == "student"


def test_a_restart_keeps_the_demo_class_and_brings_its_labs_up_to_date() -> None:
    house = House()
    first = ensured(house.engine, "v1")
    again = ensured(another(house), "v2", pool=3, seats=0)
    assert again == replace(first, labs=(("hello", "v2"),), pool=3, seats=1)
    assert another(house).classes.get(first.id) == again


def test_a_restart_that_changes_nothing_writes_nothing_of_the_class() -> None:
    house = House()
    ensured(house.engine, "v1")
    item = house.store.get(ports.Key("k#demo", "class"))
    ensured(another(house), "v1")
    assert house.store.get(ports.Key("k#demo", "class")) == item


def test_two_servers_that_start_at_once_have_one_demo_class() -> None:
    meanwhile = Meanwhile()
    house = House(faults=meanwhile)
    made: list[Classroom] = []
    meanwhile.passing = 1  # the lab is published, the class not yet made
    meanwhile.then = lambda: made.append(ensured(another(house), "v1"))
    assert [ensured(house.engine, "v1")] == made
