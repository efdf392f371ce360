"""What trainers do over the API: classes, rosters, messages, the board, many at once."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from brihaspati import ports
from brihaspati.domain import labs, progress
from brihaspati.domain.progress import Result, Run, Verdict
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine import records
from brihaspati.engine.records import Person, Standing
from brihaspati.entrypoints.http import class_models, routes
from brihaspati.entrypoints.http import trainer as trainer_module
from guided import STEPS, guided_lab
from house import Browser, House, a_lab

IYER = Person("iyer", "Prof. Iyer", "instructor")
CLASS = "/v1/classes/demo"
SANDBOX = f"{CLASS}/labs/hello/sandbox"
KEY = "0123456789abcdef"
BOARD_BYTES_MAX = 50_000


def signed_in(house: House, person: Person) -> Browser:
    token, _ = house.engine.classes.invite(house.engine.classes.ensure_person(person))
    browser = Browser(house)
    browser.send("POST", "/v1/sign-in", {"token": token})
    assert browser.status == 200
    return browser


def joined(house: House, name: str = "Asha", code: str = "MARIGOLD") -> Browser:
    browser = Browser(house)
    browser.send("POST", "/v1/join", {"code": code, "name": name})
    assert browser.status == 201
    return browser


def me(browser: Browser) -> str:
    return str(browser.send("GET", "/v1/session")["user"]["id"])


@pytest.fixture
def house() -> House:
    house = House(price=50_000)
    house.classroom(guided_lab())
    return house


@pytest.fixture
def trainer(house: House) -> Browser:
    browser = signed_in(house, IYER)
    house.engine.classes.instruct(house.engine.classes.get("demo"), IYER)
    return browser


def a_body(house: House, **more: Any) -> dict[str, Any]:
    now = house.clock.now()
    return {
        "key": KEY,
        "title": "Linux basics",
        "labs": ["hello"],
        "opens_at": now,
        "closes_at": now + 3_600_000,
        "seats": 20,
        **more,
    }


# --- classes --------------------------------------------------------------------------------------
def test_the_story_of_a_new_class(house: House) -> None:
    trainer = signed_in(house, IYER)
    offered = trainer.send("GET", "/v1/labs")
    assert [(lab["name"], lab["micros_per_hour"]) for lab in offered["labs"]] == [
        ("hello", 100_000)
    ]
    assert (offered["currency"], offered["now"]) == ("USD", house.clock.now())
    body = a_body(house, roster_only=True, budget_micros=7, welcome="Hi.")
    made = trainer.send("POST", "/v1/classes", body)
    assert trainer.status == 201
    assert trainer.send("POST", "/v1/classes", {**body, "title": "Again"}) == made
    assert (made["instructor"], made["state"], made["seats_taken"]) == ("Prof. Iyer", "open", 0)
    assert (made["budget_micros"], made["roster_only"], made["welcome"]) == (7, True, "Hi.")
    lab = made["labs"][0]
    assert lab["steps"][1] == {"id": "serve", "title": "Serve"}
    assert lab["terminals"] == ["main"]
    place = f"/v1/classes/{made['id']}"
    assert trainer.send("GET", f"{place}/setup") == made
    shown = [c["join_code"] for c in trainer.send("GET", "/v1/session")["classes"]]
    assert shown == [made["join_code"]]


def test_only_who_is_on_the_list_joins_a_class_that_says_so(house: House, trainer: Browser) -> None:
    people = [{"name": "Asha Rao", "email": "asha@example.org"}, {"name": "Zara"}]
    made = trainer.send("POST", "/v1/classes", a_body(house, people=people, roster_only=True))
    place = f"/v1/classes/{made['id']}"
    stranger = Browser(house).send("POST", "/v1/join", {"code": made["join_code"], "name": "Ravi"})
    assert (stranger["status"], stranger["type"], stranger["field"]) == (
        403,
        "/problems/not-expected",
        "name",
    )
    joined(house, "asha rao", made["join_code"])
    roster = trainer.send("GET", f"{place}/roster")["people"]
    assert roster == [
        {
            "name": "asha rao",
            "email": "asha@example.org",
            "expected": True,
            "joined_at": house.clock.now(),
        },
        {"name": "Zara", "email": None, "expected": True, "joined_at": None},
    ]
    roster = trainer.send("PUT", f"{place}/roster", {"people": [{"name": "Ravi"}]})["people"]
    assert [(p["name"], p["expected"]) for p in roster] == [("asha rao", False), ("Ravi", True)]


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("closes_at", {"closes_at": 1}),
        ("labs", {"labs": []}),
        ("labs", {"labs": ["nope"]}),
        ("seats", {"seats": 0}),
        ("title", {"title": "  "}),
        ("people", {"people": [{"name": "Asha"}, {"name": "ASHA"}]}),
        ("key", {"key": "short"}),
        ("titel", {"titel": "x"}),
    ],
)
def test_a_class_that_cannot_be_names_the_field_and_the_fix(
    house: House, field: str, more: dict[str, Any]
) -> None:
    trainer = signed_in(house, IYER)
    problem = trainer.send("POST", "/v1/classes", a_body(house, **more))
    assert (trainer.status, problem["field"]) == (422, field)
    assert problem["fix"]
    assert len(house.engine.classes.all()) == 1


def test_a_class_is_changed_where_it_is_as_the_page_showed_it(
    house: House, trainer: Browser
) -> None:
    shown = trainer.send("GET", f"{CLASS}/setup")
    change = {"version": shown["version"], "title": "New", "budget_micros": 5}
    changed = trainer.send("PATCH", f"{CLASS}/setup", change)
    assert (changed["title"], changed["budget_micros"], changed["seats"]) == ("New", 5, 30)
    assert trainer.send("PATCH", f"{CLASS}/setup", change) == changed
    late = trainer.send("PATCH", f"{CLASS}/setup", {"version": shown["version"], "seats": 9})
    assert (trainer.status, late["type"]) == (409, "/problems/changed-meanwhile")
    free = {"version": changed["version"], "no_budget": True}
    assert trainer.send("PATCH", f"{CLASS}/setup", free)["budget_micros"] is None
    joined(house)
    joined(house, "Ravi")
    now = trainer.send("GET", f"{CLASS}/setup")["version"]
    problem = trainer.send("PATCH", f"{CLASS}/setup", {"version": now, "seats": 1})
    assert (trainer.status, problem["field"]) == (422, "seats")
    assert "2 seats are taken" in problem["title"]


def test_a_list_of_a_thousand_people_fits(trainer: Browser) -> None:
    people = [
        {"name": f"Raghunathan Subramaniam {n}", "email": f"r.subramaniam.{n}@example.org"}
        for n in range(1000)
    ]
    answer = trainer.send("PUT", f"{CLASS}/roster", {"people": people})
    assert trainer.status == 200
    assert len(answer["people"]) == 1000


# --- messages -------------------------------------------------------------------------------------
def test_what_the_trainer_says_is_heard_by_whom_it_is_for(house: House, trainer: Browser) -> None:
    asha, ravi = joined(house), joined(house, "Ravi")
    sent = trainer.send("POST", f"{CLASS}/messages", {"key": KEY, "text": " Break. "})
    assert (trainer.status, sent["text"], sent["students"]) == (201, "Break.", 2)
    again = trainer.send("POST", f"{CLASS}/messages", {"key": KEY, "text": " Break. "})
    assert again == sent
    to_one = {"key": f"{KEY}2", "text": "Look up.", "students": [me(ravi)]}
    assert trainer.send("POST", f"{CLASS}/messages", to_one)["students"] == 1
    heard = [(m["text"], m["to_me"]) for m in ravi.send("GET", SANDBOX)["messages"]]
    assert sorted(heard) == [("Break.", False), ("Look up.", True)]
    assert [m["text"] for m in asha.send("GET", CLASS)["messages"]] == ["Break."]
    for _ in range(2):
        trainer.send("DELETE", f"{CLASS}/messages/{sent['id']}")
        assert trainer.status == 204
    assert asha.send("GET", SANDBOX)["messages"] == []


# --- many at once ---------------------------------------------------------------------------------
def test_many_get_time_and_are_stopped(house: House, trainer: Browser) -> None:
    students = [joined(house, name) for name in ("Asha", "Ravi")]
    for student in students:
        student.send("PUT", SANDBOX)
    house.run()
    deadline = students[0].send("GET", SANDBOX)["sandbox"]["deadline_at"]
    seats = [{"student": me(student), "lab": "hello"} for student in students]
    body = {"minutes": 5, "sandboxes": [{**seat, "deadline_at": deadline} for seat in seats]}
    for _ in range(2):
        answer = trainer.send("POST", f"{CLASS}/extend", body)
        assert answer == {"count": 2, "capped": 0, "now": house.clock.now()}
        now = students[1].send("GET", SANDBOX)["sandbox"]["deadline_at"]
        assert now == deadline + 300_000
    assert trainer.send("POST", f"{CLASS}/stop", {"sandboxes": seats[:1]})["count"] == 1
    house.run()
    phases = [student.send("GET", SANDBOX)["sandbox"]["phase"] for student in students]
    assert phases == ["gone", "ready"]
    assert trainer.send("POST", f"{CLASS}/stop", {})["count"] == 1
    house.run()
    assert students[1].send("GET", SANDBOX)["sandbox"]["phase"] == "gone"


# --- watching -------------------------------------------------------------------------------------
def permissions(answer: dict[str, Any]) -> tuple[str, list[str]]:
    """Whose name a ticket is in, and what it allows."""
    payload = answer["ticket"].partition(".")[0]
    said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return said["name"], said["may"]


def test_a_trainer_looks_on_or_types_with_a_student_in_their_own_name(
    house: House, trainer: Browser
) -> None:
    asha = joined(house)
    asha.send("PUT", SANDBOX)
    path = f"{SANDBOX}/watch?student={me(asha)}"
    assert trainer.send("POST", path, {})["type"] == "/problems/not-ready"
    house.run()
    looking = trainer.send("POST", path, {"terminal": "main"})
    assert trainer.status == 201
    assert permissions(looking) == ("Prof. Iyer", ["watch"])
    assert looking["url"] == "ws://localhost:8000/agent/terminal"
    assert permissions(trainer.send("POST", path, {"join": True})) == ("Prof. Iyer", ["terminal"])
    trainer.send("POST", path, {"terminal": "main~2"})
    assert trainer.status == 201
    problem = trainer.send("POST", path, {"terminal": "nope"})
    assert (trainer.status, problem["field"]) == (422, "terminal")
    asha.send("POST", f"{SANDBOX}/watch", {})
    assert asha.status == 403


# --- the board ------------------------------------------------------------------------------------
def test_the_board_says_what_there_is_and_leaves_out_what_is_not(
    house: House, trainer: Browser
) -> None:
    asha = joined(house)
    asha.send("PUT", SANDBOX)
    house.run()
    asha.send("PUT", f"{CLASS}/labs/hello/hand", {"text": "I am stuck."})
    asha.send("PUT", f"{CLASS}/labs/hello/progress", {"step": "serve"})
    trainer.send("PUT", f"{CLASS}/roster", {"people": [{"name": "Zara"}]})
    answer = trainer.send("GET", f"{CLASS}/board")
    now = house.clock.now()
    assert answer["students"] == [
        {
            "id": me(asha),
            "name": "Asha",
            "joined_at": now,
            "lab": "hello",
            "need": {"kind": "hand", "since": now, "lab": "hello", "text": "I am stuck."},
            "labs": {
                "hello": {
                    "step": 2,
                    "marks": ".o..",
                    "phase": "ready",
                    "deadline_at": now + 3_600_000,
                }
            },
        },
        {"id": None, "name": "Zara", "joined_at": None, "lab": None, "need": None, "labs": {}},
    ]
    assert answer["cost"] == {"so_far_micros": 0, "hour_micros": 100_000, "budget_micros": None}
    assert answer["now"] == now


def a_full_class() -> tuple[House, Browser]:
    """A hundred students, each in three labs of eight steps; one in five needs help."""
    house = House(price=50_000)
    steps = tuple(
        labs.Step(f"step-{n}", f"Step {n}", "<p>", checks=(labs.Check("up", "It is up", "true"),))
        for n in range(8)
    )
    names = ("shell", "http-by-hand", "break-and-fix")
    found = [a_lab(name, steps=steps) for name in names]
    room = house.classroom(*found, seats=100, sandboxes_per_student_max=3)
    for number in range(100):
        student = house.student(room, f"Asha Raghunathan {number}")
        for name in names:
            member = house.engine.member(student.id)
            house.engine.playing.play(room, house.engine.classes.lab_in(room, name), member)
            own = progress.BLANK
            for step in steps[:5]:
                now, stays = house.clock.now(), step is steps[4]
                own = progress.turned(own, steps, step.id, now)
                for press in range(3 if stays and number % 5 == 0 else 1):
                    run = Run(f"{step.id}{press}", "check", step.id, "sbx", now)
                    text = "Nothing listens on port 8080 of web: connection refused"
                    said = Result((Verdict("up", ok=not stays, text=text, at=now),))
                    own = progress.ended(progress.begun(own, run), step, run, said, now)
            standing = Standing(room.id, name, student.id, own)
            house.store.transact((records.put_standing(standing),))
    house.run()
    for seat in house.engine.classes.roster(room.id):
        slot = Slot(room.id, "shell", user=seat.body["user"])
        house.engine.playing.stop(slot, "stopped")
        for record in house.engine.member(seat.body["user"]).sandboxes:
            line = "student@web:~$ curl -v http://localhost:8080/index.html | head"
            house.agents.typed[record.sandbox.id] = house.clock.now()
            house.agents.glances[record.sandbox.id] = ports.Glance(house.clock.now(), line)
    house.run()
    house.clock.advance(60)
    browser = signed_in(house, IYER)
    house.engine.classes.instruct(room, IYER)
    return house, browser


def test_the_board_of_a_hundred_students_is_small() -> None:
    _, trainer = a_full_class()
    answer = trainer.send("GET", f"{CLASS}/board")
    assert len(answer["students"]) == 100
    assert sum(student["need"] is not None for student in answer["students"]) == 20
    assert {len(student["labs"]) for student in answer["students"]} == {3}
    assert all("line" in student["labs"][student["lab"]] for student in answer["students"])
    assert len(trainer.last["body"].encode()) < BOARD_BYTES_MAX
    assert class_models.BoardAnswer.model_validate(answer).cost.hour_micros == 200 * 50_000


# --- as a table -----------------------------------------------------------------------------------
def test_the_table_has_every_lab_and_step_and_no_formulas(house: House, trainer: Browser) -> None:
    second = a_lab("web", steps=(labs.Step("one", "=Look", "<p>"),))
    house.engine.classes.publish(second)
    house.engine.classes.change(
        "demo", lambda room: replace(room, labs=(*room.labs, ("web", "v1")))
    )
    asha = joined(house, "Asha, the first")
    joined(house, "=HYPERLINK(1)")
    expected = [{"name": name} for name in ("+Zara", "@Ravi", "\uff1dEla")]
    trainer.send("PUT", f"{CLASS}/roster", {"people": expected})
    asha.send("PUT", SANDBOX)
    house.run()
    house.clock.advance(36)
    asha.send("PUT", f"{CLASS}/labs/hello/progress", {"step": "serve"})
    trainer.send("GET", f"{CLASS}/board.csv")
    assert trainer.last["headers"]["Content-Type"] == "text/csv; charset=utf-8"
    assert "board.csv" in trainer.last["headers"]["Content-Disposition"]
    text = trainer.last["body"]
    assert text.startswith("\ufeff")
    header, *rows = list(csv.reader(io.StringIO(text[1:])))
    assert header == [
        *("name", "email", "joined_at", "needs", "cost"),
        *("hello: lab", "hello: passed of 4"),
        *(f"hello: {n} {step.title}" for n, step in enumerate(STEPS, 1)),
        *("web: lab", "web: passed of 1", "web: 1 =Look"),
    ]
    by_name = {row[0]: row[1:] for row in rows}
    formulas = {"'=HYPERLINK(1)", "'+Zara", "'@Ravi", "'\uff1dEla"}
    assert set(by_name) == {"Asha, the first", *formulas}
    assert by_name["Asha, the first"] == [
        *("", "2027-01-15 08:00:00", "", "0.001000"),
        *("ready", "0", "", "seen", "", ""),
        *("", "", ""),
    ]
    assert by_name["'+Zara"] == ["", "", "", "0.000000", *[""] * 9]


# --- who may --------------------------------------------------------------------------------------
HERE = trainer_module.__name__
TRAINERS = [declared for declared in routes.TABLE if declared.handler.__module__ == HERE]


def send(browser: Browser, declared: routes.Route, student: str) -> int:
    """The status of a route of trainers, asked with a body that none would take."""
    path = declared.rule.replace("<class_id>", "demo").replace("<lab>", "hello")
    query = f"?student={student}" if declared.scope == "seat" else ""
    body = None if declared.method in ("GET", "DELETE") else {"nonsense": True}
    browser.send(declared.method, path + query, body)
    return browser.status


def test_only_who_teaches_a_class_or_runs_the_place_does_these_things(
    house: House, trainer: Browser
) -> None:
    assert len(TRAINERS) == 15
    asha, ravi = joined(house), me(joined(house, "Ravi"))
    of_another_class = signed_in(house, Person("rao", "Dr. Rao", "instructor"))
    admin = signed_in(house, Person("admin", "Admin", "admin"))
    for declared in TRAINERS:
        assert send(asha, declared, ravi) == 403, declared.rule
        makes = declared.action == "create_class"
        assert (send(of_another_class, declared, ravi) == 403) is not makes, declared.rule
        assert send(trainer, declared, ravi) in (200, 204, 422), declared.rule
        assert send(admin, declared, ravi) in (200, 204, 422), declared.rule
