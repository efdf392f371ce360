"""The HTTP API, event in and answer out, on a house in memory."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from brihaspati.domain import access
from brihaspati.engine.records import Person
from brihaspati.entrypoints.http import document, gate, routes, sessions
from house import ORIGIN, Browser, House, a_lab

SANDBOX = "/v1/classes/demo/labs/hello/sandbox"


def joined(house: House, name: str = "Asha") -> Browser:
    browser = Browser(house)
    browser.send("POST", "/v1/join", {"code": "MARI-GOLD", "name": name})
    assert browser.status == 201
    return browser


def teaching(house: House) -> Browser:
    iyer = house.engine.classes.ensure_person(Person("iyer", "Prof. Iyer", "instructor"))
    house.engine.classes.instruct(house.engine.classes.get("demo"), iyer)
    return signed_in(house, iyer)


PLACES = {"class_id": "demo", "lab": "hello", "step": "one", "message": "m1", "code": "MARIGOLD"}


def asked(declared: routes.Route, class_id: str = "demo") -> tuple[str, str, Any]:
    """A request for a declared route: its method, its path, and a body with nothing in it."""
    places = {**PLACES, "class_id": class_id}
    path = re.sub(r"<(\w+)>", lambda name: places[name[1]], declared.rule)
    return declared.method, path, {} if declared.method in gate.WRITES - {"DELETE"} else None


def signed_in(house: House, person: Person) -> Browser:
    token, _ = house.engine.classes.invite(person)
    browser = Browser(house)
    browser.send("POST", "/v1/sign-in", {"token": token})
    assert browser.status == 200
    return browser


@pytest.fixture
def house() -> House:
    house = House()
    house.classroom()
    return house


def test_the_committed_document_is_what_the_routes_say() -> None:
    assert json.loads(Path("openapi.json").read_text()) == document.openapi()


def test_every_route_has_an_action_somebody_may_do_and_says_what_it_is() -> None:
    known = {action for row in access.TABLE.values() for action in row}
    assert len(routes.TABLE) > 10
    for declared in routes.TABLE:
        assert declared.action in known, declared.rule
        assert (declared.handler.__doc__ or "").strip(), declared.rule
        assert declared.scope in ("public", "self", "class", "seat", "machine"), declared.rule


def test_every_route_that_is_not_public_refuses_a_stranger(house: House) -> None:
    browser = Browser(house)
    for declared in routes.TABLE:
        if declared.scope == "public":
            continue
        answer = browser.send(*asked(declared))
        assert browser.status == 401, declared.rule
        assert answer["type"] == "/problems/not-signed-in"


def test_every_route_of_a_class_refuses_a_student_of_another(house: House) -> None:
    house.classroom(a_lab(), id="other", code="OTHERONE")
    browser = joined(house)
    for declared in routes.TABLE:
        if declared.scope not in ("class", "seat"):
            continue
        browser.send(*asked(declared, "other"))
        assert browser.status == 403, declared.rule


def test_every_seat_route_refuses_one_student_another_s_sandbox(house: House) -> None:
    asha, ravi = joined(house), joined(house, "Ravi")
    asha.send("PUT", SANDBOX)
    house.run()
    me = asha.send("GET", "/v1/session")["user"]["id"]
    for declared in routes.TABLE:
        if declared.scope != "seat":
            continue
        method, path, body = asked(declared)
        ravi.send(method, f"{path}?student={me}", body)
        assert ravi.status == 403, path
    assert asha.send("GET", SANDBOX)["sandbox"]["phase"] == "ready"


def test_a_member_who_may_not_is_not_told_to_join(house: House) -> None:
    asha = joined(house)
    answer = asha.send("GET", "/v1/classes/demo/board")
    assert (asha.status, answer["fix"]) == (403, "Ask who teaches the class.")


def test_the_story_of_a_student(house: House) -> None:
    browser = joined(house)
    page = browser.send("GET", "/v1/classes/demo")
    assert [lab["name"] for lab in page["labs"]] == ["hello"]
    assert page["labs"][0]["sandbox"] is None
    asked = browser.send("PUT", SANDBOX)
    assert (browser.status, asked["sandbox"]["phase"]) == (201, "queued")
    browser.send("PUT", SANDBOX)
    assert browser.status == 200
    house.run()
    ready = browser.send("GET", SANDBOX)["sandbox"]
    assert ready["phase"] == "ready"
    longer = browser.send("POST", f"{SANDBOX}/extend", {"extensions_left": 4})["sandbox"]
    assert longer["deadline_at"] == ready["deadline_at"] + 15 * 60_000
    ticket = browser.send("POST", f"{SANDBOX}/ticket", {"for": "terminal"})
    assert ticket["url"] == "ws://localhost:8000/agent/terminal"
    stopped = browser.send("DELETE", SANDBOX)
    assert (browser.status, stopped["sandbox"]["phase"]) == (202, "stopping")
    house.run()
    assert browser.send("GET", SANDBOX)["sandbox"]["phase"] == "gone"


def test_the_page_knows_when_a_lab_ends_for_being_idle_and_who_reads_may_stay() -> None:
    house = House()
    house.classroom(a_lab(idle_minutes=30))
    browser = joined(house)
    browser.send("POST", f"{SANDBOX}/stay", {})
    assert browser.status == 404
    browser.send("PUT", SANDBOX)
    browser.send("POST", f"{SANDBOX}/stay", {})
    assert browser.status == 409
    house.run()
    ready = browser.send("GET", SANDBOX)["sandbox"]
    assert ready["idle_at"] == ready["ready_at"] + 30 * 60_000
    house.clock.advance(25 * 60)
    house.agents.typed[ready["id"]] = house.clock.now()
    typed = browser.send("GET", SANDBOX)["sandbox"]
    assert typed["idle_at"] == house.clock.now() + 30 * 60_000, "nothing wrote it down yet"
    house.pass_time(29 * 60, step_seconds=30)
    stayed = browser.send("POST", f"{SANDBOX}/stay", {})["sandbox"]
    assert stayed["idle_at"] == house.clock.now() + 30 * 60_000
    assert stayed["deadline_at"] == ready["deadline_at"]
    house.pass_time(2 * 60, step_seconds=30)
    assert browser.send("GET", SANDBOX)["sandbox"]["phase"] == "ready"
    house.pass_time(29 * 60, step_seconds=30)
    gone = browser.send("GET", SANDBOX)["sandbox"]
    assert (gone["phase"], gone["idle_at"]) == ("gone", None)


def test_the_class_page_is_one_query_once_class_labs_and_messages_are_known() -> None:
    calls: list[str] = []
    house = House(faults=calls.append)
    house.classroom()
    browser = joined(house)
    browser.send("GET", "/v1/classes/demo")
    calls.clear()
    browser.send("GET", "/v1/classes/demo")
    assert browser.status == 200
    assert calls == ["query"]
    calls.clear()
    browser.send("GET", "/v1/classes/demo/labs/hello")
    browser.send("GET", SANDBOX)
    assert browser.status == 200
    assert calls == ["query", "query"]


def test_joining_twice_from_one_browser_keeps_the_seat(house: House) -> None:
    browser = joined(house)
    first = browser.send("GET", "/v1/session")["user"]["id"]
    again = browser.send("POST", "/v1/join", {"code": "marigold", "name": "Asha R"})
    assert again["user"]["id"] == first
    assert browser.send("GET", "/v1/join/marigold")["seats_taken"] == 1


@pytest.mark.parametrize(
    ("body", "status", "field", "kind"),
    [
        ({"code": "NOSUCHCO", "name": "Asha"}, 404, "code", "not-found"),
        ({"code": "short", "name": "Asha"}, 422, "code", "bad-field"),
        ({"code": "MARIGOLD", "name": "   "}, 422, "name", "bad-field"),
        ({"code": "MARIGOLD", "name": "x" * 61}, 422, "name", "bad-field"),
        ({"code": "MARIGOLD", "name": "a\u202eb"}, 422, "name", "bad-field"),
        ({"code": "MARIGOLD"}, 422, "name", "bad-field"),
        ({"code": "MARIGOLD", "name": 7}, 422, "name", "bad-field"),
        ({"code": "MARIGOLD", "name": "Asha", "nmae": "x"}, 422, "nmae", "bad-field"),
    ],
)
def test_bad_input_names_the_field_and_the_fix(
    house: House, body: dict[str, Any], status: int, field: str, kind: str
) -> None:
    browser = Browser(house)
    answer = browser.send("POST", "/v1/join", body)
    assert browser.status == status
    assert browser.last["headers"]["Content-Type"] == "application/problem+json"
    assert (answer["field"], answer["type"]) == (field, f"/problems/{kind}")
    assert answer["fix"]
    assert house.store.query("k#demo", "seat#").items == ()


def test_a_full_class_says_so(house: House) -> None:
    house.classroom(a_lab(), id="tiny", code="TINYROOM", seats=1)
    browser = Browser(house)
    browser.send("POST", "/v1/join", {"code": "TINYROOM", "name": "Asha"})
    answer = Browser(house).send("POST", "/v1/join", {"code": "TINYROOM", "name": "Ravi"})
    assert (answer["status"], answer["type"]) == (409, "/problems/class-full")


def test_a_taken_name_says_how_to_go_on(house: House) -> None:
    joined(house, "Asha")
    answer = Browser(house).send("POST", "/v1/join", {"code": "MARIGOLD", "name": "ASHA"})
    assert (answer["status"], answer["field"]) == (409, "name")


def test_a_closed_class_lets_nobody_in(house: House) -> None:
    house.clock.advance(9 * 3600)
    answer = Browser(house).send("POST", "/v1/join", {"code": "MARIGOLD", "name": "Asha"})
    assert answer["type"] == "/problems/class-closed"


def test_a_class_that_asks_for_an_email_gets_one(house: House) -> None:
    house.classroom(a_lab(), id="mail", code="MAILROOM", email_required=True)
    browser = Browser(house)
    body = {"code": "MAILROOM", "name": "Asha"}
    assert browser.send("POST", "/v1/join", body)["field"] == "email"
    browser.send("POST", "/v1/join", {**body, "email": "Asha@Example.org"})
    assert browser.status == 201
    assert house.store.query("k#mail", "seat#").items[0].body["email"] == "asha@example.org"


def test_pages_of_another_origin_may_not_write(house: House) -> None:
    browser = joined(house)
    for origin in ("http://evil.example", f"{ORIGIN}.evil.example", "null"):
        browser.send("PUT", SANDBOX, headers={"origin": origin})
        assert browser.status == 403
    assert house.queue.take(1, visible_after_seconds=1) == []


def test_a_form_of_another_site_may_not_write(house: House) -> None:
    browser = joined(house)
    browser.send("POST", "/v1/join", "code=x", headers={"content-type": "text/plain"})
    assert browser.status == 415


def test_an_oversized_body_is_refused(house: House) -> None:
    browser = Browser(house)
    browser.send("POST", "/v1/join", json.dumps({"code": "x" * gate.BODY_BYTES_MAX}))
    assert browser.status == 413


def test_broken_json_is_a_problem_not_a_fault(house: House) -> None:
    browser = Browser(house)
    browser.send("POST", "/v1/join", "{nope")
    assert browser.status == 422


def test_an_unknown_path_and_a_wrong_method_are_problems(house: House) -> None:
    browser = Browser(house)
    assert browser.send("GET", "/v1/nothing")["type"] == "/problems/not-found"
    assert "not offered" in browser.send("DELETE", "/v1/health")["fix"]


def test_a_forged_or_expired_session_is_nobody(house: House) -> None:
    browser = joined(house)
    name = sessions.cookie_name(secure=False)
    real = browser.cookies[name]
    for forged in ("", "x", "x.y", real[:-2] + "AA", real.replace(".", "")):
        browser.cookies[name] = forged
        assert browser.send("GET", "/v1/session")["user"] is None
    browser.cookies[name] = real
    house.clock.advance(12 * 3600 + 1)
    assert browser.send("GET", "/v1/session")["user"] is None


def test_a_sign_in_link_works_once(house: House) -> None:
    teacher = house.engine.classes.ensure_person(Person("iyer", "Prof. Iyer", "instructor"))
    token, _ = house.engine.classes.invite(teacher)
    browser = Browser(house)
    assert browser.send("POST", "/v1/sign-in", {"token": token})["user"]["role"] == "instructor"
    again = Browser(house)
    assert again.send("POST", "/v1/sign-in", {"token": token})["type"] == "/problems/link-spent"


def test_a_student_goes_on_with_another_device(house: House) -> None:
    first = joined(house)
    url = first.send("POST", "/v1/session/link", {})["url"]
    second = Browser(house)
    answer = second.send("POST", "/v1/sign-in", {"token": url.partition("#")[2]})
    assert answer["user"] == first.send("GET", "/v1/session")["user"]


def test_a_trainer_sees_the_board_and_stops_a_student_s_lab(house: House) -> None:
    asha = joined(house)
    asha.send("PUT", SANDBOX)
    house.run()
    trainer = teaching(house)
    row = trainer.send("GET", "/v1/classes/demo/board")["students"][0]
    assert (row["name"], row["labs"]["hello"]["phase"]) == ("Asha", "ready")
    trainer.send("DELETE", f"{SANDBOX}?student={row['id']}")
    assert trainer.status == 202
    house.run()
    gone = asha.send("GET", SANDBOX)["sandbox"]
    assert gone["phase"] == "gone"
    assert "trainer" in gone["reason"]


def test_a_trainer_watches_but_gets_no_keyboard_of_a_student(house: House) -> None:
    asha = joined(house)
    asha.send("PUT", SANDBOX)
    house.run()
    trainer = teaching(house)
    student = trainer.send("GET", "/v1/classes/demo/board")["students"][0]["id"]
    trainer.send("POST", f"{SANDBOX}/watch?student={student}", {})
    assert trainer.status == 201
    trainer.send("POST", f"{SANDBOX}/ticket?student={student}", {"for": "terminal"})
    assert trainer.status == 403


def test_a_ticket_for_a_port_the_lab_does_not_publish_is_refused(house: House) -> None:
    browser = joined(house)
    browser.send("PUT", SANDBOX)
    house.run()
    answer = browser.send("POST", f"{SANDBOX}/ticket", {"for": "preview", "port": 22})
    assert (answer["status"], answer["field"]) == (422, "port")
    answer = browser.send("POST", f"{SANDBOX}/ticket", {"for": "preview"})
    assert (answer["status"], answer["field"]) == (422, "port")
    url = browser.send("POST", f"{SANDBOX}/ticket", {"for": "preview", "port": 8080})["url"]
    assert url.startswith("http://p8080--")
    assert ".localhost:8000/_brihaspati/open?ticket=" in url


def test_no_ticket_before_the_lab_is_ready(house: House) -> None:
    browser = joined(house)
    answer = browser.send("POST", f"{SANDBOX}/ticket", {"for": "terminal"})
    assert answer["type"] == "/problems/not-found"
    browser.send("PUT", SANDBOX)
    answer = browser.send("POST", f"{SANDBOX}/ticket", {"for": "terminal"})
    assert answer["type"] == "/problems/not-ready"


def test_sign_out_forgets_the_browser(house: House) -> None:
    browser = joined(house)
    browser.send("DELETE", "/v1/session")
    assert browser.status == 204
    assert browser.send("GET", "/v1/session")["user"] is None
