"""The guide over the wire: what a page is told of it, and what never leaves the server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from brihaspati import ports
from brihaspati.engine.records import Person
from guided import FAIL, guided_lab
from house import Browser, House

LAB = "/v1/classes/demo/labs/hello"
SANDBOX = f"{LAB}/sandbox"
SERVE, ASK = f"{LAB}/steps/serve", f"{LAB}/steps/ask"


@pytest.fixture
def house() -> House:
    house = House()
    house.classroom(guided_lab())
    return house


@pytest.fixture
def asha(house: House) -> Browser:
    return joined(house, "Asha")


def joined(house: House, name: str) -> Browser:
    browser = Browser(house)
    browser.send("POST", "/v1/join", {"code": "MARI-GOLD", "name": name})
    assert browser.status == 201
    return browser


def playing(browser: Browser, house: House) -> Browser:
    browser.send("PUT", SANDBOX)
    house.run()
    return browser


def signed_in(house: House, person: Person) -> Browser:
    token, _ = house.engine.classes.invite(house.engine.classes.ensure_person(person))
    browser = Browser(house)
    browser.send("POST", "/v1/sign-in", {"token": token})
    return browser


def states(progress: dict[str, Any]) -> list[str]:
    return [step["state"] for step in progress["steps"]]


def test_the_lab_page_tells_all_that_a_student_may_know(asha: Browser) -> None:
    page = asha.send("GET", LAB)
    assert page["sandbox"] is None
    assert page["messages"] == []
    assert (page["lab"]["number"], page["lab"]["lifetime_minutes"]) == (1, 60)
    read, serve, ask, _ = page["lab"]["steps"]
    assert read == {
        "id": "read",
        "title": "Read",
        "html": "<p>Welcome.</p>",
        "minutes": 5,
        "checks": [],
        "quiz": [],
        "hints": [],
        "hints_total": 0,
        "solvable": False,
    }
    assert serve["checks"] == [
        {"id": "page", "title": "The page is there", "watch": False},
        {"id": "port", "title": "The port answers", "watch": True},
    ]
    assert (serve["hints"], serve["hints_total"], serve["solvable"]) == ([], 2, True)
    assert ask["quiz"][0]["choices"] == [
        {"id": "etc", "html": "/etc"},
        {"id": "var", "html": "/var"},
    ]
    assert ask["quiz"][1] == {
        "id": "secret",
        "kind": "text",
        "html": "<p>What does it say?</p>",
        "choices": [],
    }
    assert page["progress"]["step"] is None
    assert (page["progress"]["done"], page["progress"]["of"]) == (0, 4)
    assert states(page["progress"]) == ["untouched"] * 4


def test_scripts_hints_and_answers_are_on_the_wire_only_when_it_is_their_time(
    house: House, asha: Browser
) -> None:
    said = ""

    def send(method: str, path: str, body: Any = None) -> None:
        nonlocal said
        asha.send(method, path, body)
        assert asha.status < 300
        said += asha.last["body"]

    playing(asha, house)
    send("GET", LAB)
    send("GET", SANDBOX)
    send("POST", f"{SERVE}/check", {})
    send("POST", f"{ASK}/quiz", {"question": "where", "choices": ["var"]})
    send("POST", f"{ASK}/quiz", {"question": "secret", "text": "rose"})
    send("GET", LAB)
    assert "WHY-WRONG" in said
    for secret in ("WHY-RIGHT", "WHY-ALL", "arigold", "HINT", "check page", "solve", 'right": tr'):
        assert secret not in said.replace("solvable", ""), secret
    send("POST", f"{ASK}/quiz", {"question": "where", "choices": ["etc"]})
    assert "WHY-RIGHT</p><p>WHY-ALL" in said
    send("POST", f"{SERVE}/hint", {"seen": 0})
    assert "HINT-1" in said
    assert "HINT-2" not in said


def test_turning_is_remembered_on_every_device(house: House, asha: Browser) -> None:
    asha.send("PUT", f"{LAB}/progress", {"step": "read"})
    turned = asha.send("PUT", f"{LAB}/progress", {"step": "serve"})
    assert states(turned["progress"]) == ["passed", "seen", "untouched", "untouched"]
    url = asha.send("POST", "/v1/session/link", {})["url"]
    other = Browser(house)
    other.send("POST", "/v1/sign-in", {"token": url.partition("#")[2]})
    assert other.send("GET", SANDBOX)["progress"] == turned["progress"]
    card = other.send("GET", "/v1/classes/demo")["labs"][0]
    assert (card["step"], card["done"]) == (2, 1)


def test_a_check_that_fails_then_passes(house: House, asha: Browser) -> None:
    playing(asha, house)
    house.agents.scripts = {"check page": FAIL}
    failed = asha.send("POST", f"{SERVE}/check", {})
    assert asha.status == 202
    step = failed["progress"]["steps"][1]
    assert (step["state"], step["tries"], step["passed_at"]) == ("failing", 1, None)
    assert step["verdicts"][0] == {
        "check": "page",
        "title": "The page is there",
        "ok": False,
        "text": "Not there: port 80 is closed.",
        "at": house.clock.now(),
    }
    house.agents.scripts = {}
    assert failed["progress"]["busy"] is None
    passed = asha.send("POST", f"{SERVE}/check", {})["progress"]
    assert states(passed)[1] == "passed"
    assert passed["revision"] > failed["progress"]["revision"]
    assert passed == asha.send("GET", SANDBOX)["progress"]


def test_while_a_check_runs_the_page_is_told_and_a_quiet_one_apart(
    house: House, asha: Browser
) -> None:
    playing(asha, house)
    seen: list[dict[str, Any]] = []

    def looked_at() -> ports.ScriptOutcome:
        seen.append(asha.send("GET", SANDBOX)["progress"])
        return FAIL

    house.agents.scripts = {"check port": looked_at}
    asha.send("POST", f"{SERVE}/check", {})
    asha.send("POST", f"{SERVE}/check", {"quiet": True})
    assert [(p["busy"], p["watching"]) for p in seen] == [("serve", None), (None, "serve")]
    after = asha.send("GET", SANDBOX)["progress"]
    assert (after["busy"], after["watching"]) == (None, None)
    assert after["steps"][1]["tries"] == 1


def test_busy_is_told_for_a_minute_and_then_the_problem(house: House, asha: Browser) -> None:
    playing(asha, house)

    class Killed(BaseException):
        """The server's process ends in the middle of it."""

    def killed() -> ports.ScriptOutcome:
        raise Killed

    house.agents.scripts = {"check page": killed}
    with pytest.raises(Killed):
        asha.send("POST", f"{SERVE}/check", {})
    house.clock.advance(59)
    assert asha.send("GET", SANDBOX)["progress"]["busy"] == "serve"
    house.clock.advance(1)
    over = asha.send("GET", SANDBOX)["progress"]
    assert over["busy"] is None
    assert "Press again" in over["problem"]


def test_a_solution_counts_as_solved(house: House, asha: Browser) -> None:
    playing(asha, house)
    solved = asha.send("POST", f"{SERVE}/solve")
    assert asha.status == 202
    assert states(solved["progress"])[1] == "solved"
    assert solved["progress"]["done"] == 1


def test_a_check_without_a_lab_says_press_play(asha: Browser) -> None:
    answer = asha.send("POST", f"{SERVE}/check", {})
    assert (answer["status"], answer["type"]) == (409, "/problems/not-ready")
    assert answer["fix"] == "Press Play first."


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("PUT", f"{LAB}/progress", {"step": "nowhere"}, 404, "step"),
        ("PUT", f"{LAB}/progress", {}, 422, "step"),
        ("POST", f"{LAB}/steps/nowhere/check", {}, 404, "step"),
        ("POST", f"{LAB}/steps/read/check", {}, 404, "step"),
        ("POST", f"{SERVE}/check", {"quite": True}, 422, "quite"),
        ("POST", f"{SERVE}/hint", {"seen": -1}, 422, "seen"),
        ("POST", f"{ASK}/quiz", {"question": "nothing"}, 404, "question"),
        ("POST", f"{ASK}/quiz", {"question": "where"}, 422, "choices"),
        ("POST", f"{ASK}/quiz", {"question": "where", "choices": ["x"]}, 422, "choices"),
        ("POST", f"{ASK}/quiz", {"question": "secret", "text": " "}, 422, "text"),
        ("PUT", f"{LAB}/hand", {"text": "x" * 281}, 422, "text"),
    ],
)
def test_what_the_guide_cannot_take_names_the_field(
    asha: Browser, method: str, path: str, body: dict[str, Any], status: int, field: str
) -> None:
    answer = asha.send(method, path, body)
    assert (answer["status"], answer["field"]) == (status, field)


def test_a_lab_the_class_does_not_have_has_no_guide(asha: Browser) -> None:
    other = "/v1/classes/demo/labs/other"
    assert asha.send("GET", other)["status"] == 404
    assert asha.send("PUT", f"{other}/hand", {})["status"] == 404
    answer = asha.send("GET", f"{other}/sandbox")
    assert (answer["sandbox"], answer["progress"]) == (None, None)


def test_a_lab_taken_out_of_the_class_goes_on_where_it_runs(house: House, asha: Browser) -> None:
    playing(asha, house)
    house.engine.classes.publish(guided_lab(name="second"))
    room = house.engine.classes.get("demo")
    house.engine.classes.change(room.id, lambda room: replace(room, labs=(("second", "v1"),)))
    page = asha.send("GET", LAB)
    assert (asha.status, page["lab"]["number"]) == (200, 2)
    assert asha.send("POST", f"{SERVE}/check", {})["progress"]["done"] == 1


def test_a_hand_is_raised_by_the_student_and_lowered_by_the_trainer(
    house: House, asha: Browser
) -> None:
    iyer = Person("iyer", "Prof. Iyer", "instructor")
    trainer = signed_in(house, iyer)
    house.engine.classes.instruct(house.engine.classes.get("demo"), iyer)
    raised = asha.send("PUT", f"{LAB}/hand", {"text": "It hangs"})["progress"]
    assert raised["hand_at"] == house.clock.now()
    me = asha.send("GET", "/v1/session")["user"]["id"]
    joined(house, "Ravi").send("DELETE", f"{LAB}/hand?student={me}")
    assert asha.send("GET", SANDBOX)["progress"]["hand_at"] is not None
    lowered = trainer.send("DELETE", f"{LAB}/hand?student={me}")
    assert lowered["progress"]["hand_at"] is None
    assert asha.send("GET", SANDBOX)["progress"]["hand_at"] is None


def test_nobody_learns_for_a_student(house: House, asha: Browser) -> None:
    iyer = Person("iyer", "Prof. Iyer", "instructor")
    trainer = signed_in(house, iyer)
    house.engine.classes.instruct(house.engine.classes.get("demo"), iyer)
    me = asha.send("GET", "/v1/session")["user"]["id"]
    trainer.send("POST", f"{SERVE}/check?student={me}", {})
    assert trainer.status == 403
    assert trainer.send("GET", f"{SANDBOX}?student={me}")["progress"]["of"] == 4


def test_the_class_page_says_who_is_here_and_who_teaches(house: House, asha: Browser) -> None:
    joined(house, "Ravi")
    page = asha.send("GET", "/v1/classes/demo")
    assert (page["here"], page["teaches"], page["messages"]) == (2, False, [])
    admin = signed_in(house, Person("admin", "Admin", "admin"))
    assert admin.send("GET", "/v1/classes/demo")["teaches"] is True


def test_the_answers_are_json_a_page_can_poll_often(house: House, asha: Browser) -> None:
    playing(asha, house)
    asha.send("POST", f"{SERVE}/check", {})
    asha.send("GET", SANDBOX)
    assert len(json.dumps(json.loads(asha.last["body"]))) < 3000
