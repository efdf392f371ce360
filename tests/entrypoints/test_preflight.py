"""The look at the clouds before a class, over the API."""

from __future__ import annotations

from dataclasses import replace

from brihaspati.domain.labs import Lab
from brihaspati.domain.preflight import Standing
from brihaspati.engine.engine import Engine
from brihaspati.engine.records import Person
from house import Browser, House

PLACE = "/v1/classes/demo/preflight"


def trainer(house: House) -> Browser:
    person = house.engine.classes.ensure_person(Person("iyer", "Prof. Iyer", "instructor"))
    house.engine.classes.instruct(house.classroom(seats=30), person)
    token, _ = house.engine.classes.invite(person)
    browser = Browser(house)
    browser.send("POST", "/v1/sign-in", {"token": token})
    return browser


def renting(house: House, limit: int) -> None:
    def standing(_: Lab) -> Standing:
        return Standing(
            "memory", "fra1", size="s-1", machines_max=limit, price_micros_per_hour=9_000
        )

    house.world = replace(house.world, standings={"memory": standing})
    house.engine = Engine(house.world)


def test_a_trainer_sees_what_the_clouds_lack_and_the_letter_to_send() -> None:
    house = House()
    renting(house, limit=10)
    browser = trainer(house)
    said = browser.send("GET", PLACE)
    assert (said["state"], said["looked_at"], said["currency"]) == (
        "looked",
        house.clock.now(),
        "USD",
    )
    (look,) = said["looks"]
    assert (look["title"], look["region"]) == ("Find your way in the shell", "fra1")
    assert (look["figures"]["needed"], look["figures"]["machines_max"]) == (30, 10)
    found = {one["name"]: one for one in look["findings"]}
    assert (found["limit"]["state"], found["limit"]["verdict"]) == ("low", "missing")
    assert "30 machines of type s-1 in fra1" in found["limit"]["letter"]
    assert found["region"]["letter"] is None


def test_pressing_again_looks_again() -> None:
    house = House()
    renting(house, limit=10)
    browser = trainer(house)
    browser.send("GET", PLACE)
    house.clock.advance(30)
    said = browser.send("POST", PLACE, {})
    assert (browser.status, said["looked_at"]) == (202, house.clock.now())


def test_labs_of_our_own_host_have_nothing_to_show() -> None:
    house = House()
    said = trainer(house).send("GET", PLACE)
    assert (said["state"], said["looks"], said["looked_at"]) == ("own", [], None)
