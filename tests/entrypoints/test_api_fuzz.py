"""Whatever somebody sends, the API answers with a problem at most, never with a fault of ours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brihaspati.engine.records import Person
from brihaspati.entrypoints.http import routes, sessions
from guided import guided_lab
from house import Browser, House

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW", "")
KNOWN = (
    "demo",
    "hello",
    "serve",
    "ask",
    "MARI-GOLD",
    "other",
    "",
    "..",
    "%2e%2e",
    "a#b",
    "x" * 3000,
    "\x00",
    "é",
)
COOKIE = sessions.cookie_name(secure=False)
FIELDS = (
    *("code", "name", "email", "token", "for", "port", "machine", "extensions_left"),
    *("step", "quiet", "seen", "question", "choices", "text"),
)
SEGMENTS = st.sampled_from(KNOWN) | st.text(max_size=30)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=50)
    | st.sampled_from(
        ["MARIGOLD", "Asha", "terminal", "preview", 8080, "main", 4, "serve", "where", "\ud800" * 9]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS) | st.text(max_size=8),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
BODIES = (
    st.none()
    | VALUES.map(json.dumps)
    | st.text(max_size=80)
    | st.sampled_from(["[" * 20_000, "1" * 9_000])
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["origin", "content-type", "host", "accept", "prefer", "sec-fetch-site", "cookie", "x-any"]
    ),
    st.text(max_size=40) | st.sampled_from(["application/json", "null", "wait=1e999", "wait=-1"]),
    max_size=4,
)
QUERIES = st.dictionaries(st.sampled_from(["student", "limit", "x"]), st.text(max_size=30))


@st.composite
def paths(draw: st.DrawFn) -> str:
    """A declared route with anything in its places, or any path at all."""
    rule = draw(st.sampled_from([declared.rule for declared in routes.TABLE]))
    pieces = [draw(SEGMENTS) if p.startswith("<") else p for p in rule.split("/")]
    return draw(st.just("/".join(pieces)) | st.text(max_size=60).map(lambda text: f"/v1/{text}"))


@pytest.fixture(scope="module")
def browsers() -> list[Browser]:
    """A stranger, a student with a running lab, a trainer and an admin, of one house."""
    house = House()
    room = house.classroom(guided_lab())
    student = Browser(house)
    student.send("POST", "/v1/join", {"code": "MARI-GOLD", "name": "Asha"})
    student.send("PUT", "/v1/classes/demo/labs/hello/sandbox")
    house.run()
    iyer = house.engine.classes.ensure_person(Person("iyer", "Prof. Iyer", "instructor"))
    house.engine.classes.instruct(room, iyer)
    admin = house.engine.classes.ensure_person(Person("admin", "Admin", "admin"))
    found = [Browser(house), student]
    for person in (iyer, admin):
        browser = Browser(house)
        token, _ = house.engine.classes.invite(person)
        browser.send("POST", "/v1/sign-in", {"token": token})
        found.append(browser)
    return found


@dataclass(frozen=True)
class Request:
    """Who sends what; `forged` replaces their session."""

    who: int
    method: str
    path: str
    body: str | None
    headers: dict[str, str]
    query: dict[str, str]
    forged: str | None


def event_of(request: Request, jar: dict[str, str]) -> dict[str, Any]:
    """A request event in which anything may stand anywhere."""
    cookies = jar if request.forged is None else {COOKIE: request.forged}
    return {
        "version": "2.0",
        "rawPath": request.path,
        "rawQueryString": "",
        "queryStringParameters": request.query,
        "cookies": [f"{name}={text}" for name, text in cookies.items()],
        "headers": {
            "host": "localhost:8000",
            "content-type": "application/json",
            **request.headers,
        },
        "requestContext": {
            "http": {"method": request.method, "path": request.path, "sourceIp": "127.0.0.1"},
            "domainName": "localhost:8000",
            "stage": "$default",
        },
        "body": request.body,
        "isBase64Encoded": False,
    }


REQUESTS = st.builds(
    Request,
    who=st.integers(0, 3),
    method=st.sampled_from([d.method for d in routes.TABLE]) | st.sampled_from(METHODS),
    path=paths(),
    body=BODIES,
    headers=HEADERS,
    query=QUERIES,
    forged=st.none() | st.text(max_size=60),
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(sent=REQUESTS)
def test_no_request_is_a_fault(browsers: list[Browser], sent: Request) -> None:
    browser = browsers[sent.who]
    answer = browser.api(event_of(sent, browser.cookies))
    assert answer["statusCode"] < 500, answer["body"]
    if answer["statusCode"] >= 400:
        problem = json.loads(answer["body"])
        assert problem["type"].startswith("/problems/")
        assert problem["title"]
