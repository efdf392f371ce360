"""Roles are enough and not too much: what functions ask of AWS in a whole class, against them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from amazon import rented, watching
from amazon.deployed import Deployed
from brihaspati import settings
from brihaspati.domain import labs
from brihaspati.engine.records import Person
from brihaspati.entrypoints.aws_lambda import boundaries
from brihaspati.entrypoints.http import gate
from brihaspati.wiring import cloud
from house import a_lab

# What a role allows and the class below did not need, and when it is needed.
CONFLICT = "after a conflict, to read what others wrote"
REST = "a lab that is still starting: what is left of it is for those who start"
OVERDUE = "an alarm set when its moment is over: an older one of its name is not to come too"
SPARE: dict[tuple[str, watching.Deed], str] = {
    ("auth", ("dynamodb:BatchGetItem", "Table")): CONFLICT,
    ("api_student", ("dynamodb:BatchGetItem", "Table")): CONFLICT,
    ("deprovision", ("dynamodb:BatchGetItem", "Table")): CONFLICT,
    ("machines", ("sqs:SendMessage", "StartingQueue")): REST,
    ("deprovision", ("sqs:SendMessage", "StartingQueue")): REST,
    ("deprovision", ("sqs:SendMessage", "EndingQueue")): "an end that is not verified yet",
    ("provision", ("sqs:SendMessage", "EndingQueue")): "a start that failed is taken down",
    ("provision", ("scheduler:UpdateSchedule", "schedule")): "an alarm that is set again",
    ("deprovision", ("scheduler:UpdateSchedule", "schedule")): "an alarm that is set again",
    ("deprovision", ("scheduler:DeleteSchedule", "schedule")): OVERDUE,
    ("provision", ("dynamodb:DeleteItem", "Table")): "warm sandboxes that ended are forgotten",
    ("sweep", ("dynamodb:DeleteItem", "Table")): "warm sandboxes that ended are forgotten",
    ("sweep", ("sqs:SendMessage", "EndingQueue")): "an end that was missed",
}
CHOICES = (labs.Choice("a", "A", right=True, why=""), labs.Choice("b", "B", right=False, why=""))
STEP = labs.Step(
    "one",
    "Look",
    "<p>ls</p>",
    checks=(labs.Check("there", "It is there", ":"),),
    solve=":",
    hints=("<p>Look up.</p>",),
    quiz=(labs.Question("which", "one", "<p>?</p>", CHOICES),),
)


@dataclass
class Caller:
    """Somebody with a session."""

    house: Deployed
    cookie: str

    def did(self, function: str, method: str, path: str, body: Any = None) -> Any:
        answer = self.house.ask(function, method, path, body, cookie=self.cookie)
        assert answer["statusCode"] < 400, (method, path, answer)
        return json.loads(answer["body"]) if (answer["body"] or "")[:1] == "{" else None


def signed_in(house: Deployed, role: Any) -> Caller:
    """A trainer or an admin, by a link as the command line makes it."""
    engine = cloud.cloud(settings.read()).engine
    token, _ = engine.classes.invite(engine.classes.ensure_person(Person(role, "Iyer", role)))
    answer = house.ask("auth", "POST", "/v1/sign-in", {"token": token})
    return Caller(house, answer["cookies"][0].partition(";")[0])


def joined(house: Deployed, code: str, name: str) -> Caller:
    answer = house.ask("auth", "POST", "/v1/join", {"code": code, "name": name})
    return Caller(house, answer["cookies"][0].partition(";")[0])


def a_class(house: Deployed, trainer: Caller) -> dict[str, Any]:
    """What a trainer does before it begins."""
    now = cloud.cloud(settings.read()).engine.world.clock.now()
    trainer.did("api_trainer", "GET", "/v1/labs")
    draft = {
        "key": "k" * 20,
        "title": "Shells",
        "labs": ["hello"],
        "opens_at": now - 1000,
        "closes_at": now + 8 * 3_600_000,
        "seats": 5,
        "people": [{"name": "Asha"}],
        "budget_micros": 100_000_000,
    }
    room: dict[str, Any] = trainer.did("api_trainer", "POST", "/v1/classes", draft)
    page = f"/v1/classes/{room['id']}"
    changed = {"version": room["version"], "title": "Shells again"}
    trainer.did("api_trainer", "GET", f"{page}/setup")
    trainer.did("api_trainer", "PATCH", f"{page}/setup", changed)
    people = {"people": [{"name": "Asha"}, {"name": "Ravi"}]}
    trainer.did("api_trainer", "PUT", f"{page}/roster", people)
    trainer.did("api_trainer", "GET", f"{page}/roster")
    trainer.did("api_trainer", "GET", f"{page}/preflight")
    trainer.did("api_trainer", "POST", f"{page}/preflight", {})
    later = {"opens_at": now + 3_600_000, "key": "l" * 20, "title": "Later"}
    trainer.did("api_trainer", "POST", "/v1/classes", {**draft, **later})
    house.work()  # its alarms are set
    house.call("warm", {})
    trainer.did("auth", "GET", "/v1/classes")
    signed_in(house, "admin").did("auth", "GET", "/v1/classes")
    nobody = Caller(house, "")
    for path in ("/v1/health", "/v1/openapi.json", "/v1/session", f"/v1/join/{room['join_code']}"):
        nobody.did("auth", "GET", path)
    return room


def booted(house: Deployed, count: int, known: set[str]) -> list[rented.Machine]:
    """Machines that had not been booted yet, so many at least, ready now; they become known."""

    def fresh() -> list[rented.Machine]:
        return [one for one in rented.every(house) if one.id not in known]

    house.until(lambda: len(fresh()) >= count)
    machines = fresh()
    known |= {machine.id for machine in machines}
    for machine in machines:
        program = f"/v1/agent/{machine.boot['agent_sha256']}.pyz"
        assert house.ask("machines", "GET", program)["statusCode"] == 200
        assert machine.begin()["statusCode"] == 200
        machine.say("/v1/machines/ticket", {})
        machine.say("/v1/machines/beat", {"state": "starting"})
        machine.say("/v1/machines/beat", {"state": "ready", "input_at": 1})
    house.work()
    return machines


def a_lesson(student: Caller, lab: str) -> None:
    """What a student does in a lab that is ready."""
    page = student.did("api_student", "GET", f"{lab}/sandbox")
    left = page["sandbox"]["extensions_left"]
    did, steps = student.did, f"{lab}/steps/one"
    did("api_student", "GET", lab)
    did("api_student", "POST", f"{lab}/sandbox/ticket", {"for": "terminal"})
    did("api_student", "POST", f"{lab}/sandbox/extend", {"extensions_left": left})
    did("api_student", "POST", f"{lab}/sandbox/stay")
    did("api_student", "PUT", f"{lab}/progress", {"step": "one"})
    did("api_student", "POST", f"{steps}/check", {})
    student.house.work()
    did("api_student", "POST", f"{steps}/solve")
    student.house.work()
    did("api_student", "POST", f"{steps}/hint", {"seen": 0})
    did("api_student", "POST", f"{steps}/quiz", {"question": "which", "choices": ["a"]})
    did("api_student", "PUT", f"{lab}/hand", {"text": "?"})
    did("api_student", "DELETE", f"{lab}/hand")


def a_trainers_hour(trainer: Caller, page: str) -> None:
    """What a trainer does while it goes on."""
    did = trainer.did
    board = did("api_trainer", "GET", f"{page}/board")
    did("api_trainer", "GET", f"{page}/board.csv")
    sent = did("api_trainer", "POST", f"{page}/messages", {"key": "m" * 20, "text": "Hello"})
    did("api_trainer", "DELETE", f"{page}/messages/{sent['id']}")
    row = next(one for one in board["students"] if one["name"] == "Asha")
    deadline = row["labs"]["hello"]["deadline_at"]
    seat = {"student": row["id"], "lab": "hello", "deadline_at": deadline}
    did("api_trainer", "POST", f"{page}/extend", {"minutes": 5, "sandboxes": [seat]})
    watch = f"{page}/labs/hello/sandbox/watch?student={row['id']}"
    did("api_trainer", "POST", watch, {"join": True})


def the_story(house: Deployed) -> None:
    """A class from nothing to nothing, with every route of every function."""
    cloud.cloud(settings.read()).engine.classes.publish(a_lab(steps=(STEP,)))
    trainer = signed_in(house, "instructor")
    room = a_class(house, trainer)
    page = f"/v1/classes/{room['id']}"
    lab = f"{page}/labs/hello"
    house.call("sweep", {})  # fills the pool
    known: set[str] = set()
    booted(house, 2, known)
    asha, ravi, mina = (joined(house, room["join_code"], n) for n in ("Asha", "Ravi", "Mina"))
    asha.did("auth", "POST", "/v1/session/link", {})
    for student in (asha, ravi, mina):  # two claim what is warm, one waits
        student.did("api_student", "GET", "/v1/awake")
        student.did("api_student", "GET", page)
        student.did("api_student", "PUT", f"{lab}/sandbox")
        house.work()
    last = booted(house, 1, known)[0]
    a_lesson(asha, lab)
    house.call("sweep", {})
    a_trainers_hour(trainer, page)
    asha.did("api_student", "DELETE", f"{lab}/sandbox")
    house.work()
    last.say("/v1/machines/stop", {"reason": "Its time is over."})
    house.work()
    trainer.did("api_trainer", "POST", f"{page}/stop", {})
    house.work()
    house.call("sweep", {})
    house.until(lambda: _phase(asha, lab) == "gone")
    asha.did("auth", "DELETE", "/v1/session")


def _phase(student: Caller, lab: str) -> str:
    phase: str = student.did("api_student", "GET", f"{lab}/sandbox")["sandbox"]["phase"]
    return phase


def untold(house: Deployed) -> set[str]:
    """Routes that no request of the story succeeded at."""
    return {
        f"{name} {one.method} {one.rule}"
        for name in boundaries.BOUNDARIES
        for one in gate.routes_of(boundaries.modules(name))
        if not any(
            (function, method) == (name, one.method) and one.pattern.match(path) and status < 400
            for function, method, path, status in house.answered
        )
    }


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_function_may_do_what_it_does_and_little_else(house: Deployed) -> None:
    with watching.watched(house) as deeds:
        the_story(house)
    assert untold(house) == set()
    allowed = watching.granted()
    assert set(deeds) == set(allowed)
    lacking = {name: deeds[name] - allowed[name] for name in deeds}
    spare = {
        name: {deed for deed in allowed[name] - deeds[name] if (name, deed) not in SPARE}
        for name in deeds
    }
    assert _told(lacking) == {}, "roles lack what functions did"
    assert _told(spare) == {}, "roles allow what no function did"


def _told(found: dict[str, set[watching.Deed]]) -> dict[str, set[watching.Deed]]:
    return {name: deeds for name, deeds in found.items() if deeds}
