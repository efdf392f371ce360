"""What a ticket opens: the machines a student has a terminal on, or a preview's own, no others."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from house import Browser, House, a_lab

SANDBOX = "/v1/classes/demo/labs/hello/sandbox"


@pytest.fixture
def browser() -> Browser:
    """A student in a ready lab whose second machine is there to be attacked, not entered."""
    house = House()
    house.classroom(a_lab(machines=("main", "target")))
    browser = Browser(house)
    browser.send("POST", "/v1/join", {"code": "MARI-GOLD", "name": "Asha"})
    browser.send("PUT", SANDBOX)
    house.run()
    return browser


def _payload(ticket: str) -> dict[str, Any]:
    body = ticket.partition(".")[0]
    payload: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return payload


@pytest.mark.parametrize("wanted", ["terminal", "watch", "files"])
def test_a_machine_without_a_terminal_is_not_opened(browser: Browser, wanted: str) -> None:
    answer = browser.send("POST", f"{SANDBOX}/ticket", {"for": wanted})
    payload = _payload(answer["ticket"])
    assert (list(payload["machines"]), payload["may"]) == (["main"], [wanted])


def test_the_files_have_an_address_of_their_own(browser: Browser) -> None:
    answer = browser.send("POST", f"{SANDBOX}/ticket", {"for": "files"})
    assert answer["url"] == "ws://localhost:8000/agent/files"


def test_a_preview_opens_its_own_machine_alone(browser: Browser) -> None:
    wish = {"for": "preview", "port": 8080, "machine": "target"}
    url = browser.send("POST", f"{SANDBOX}/ticket", wish)["url"]
    payload = _payload(parse_qs(urlsplit(url).query)["ticket"][0])
    assert list(payload["machines"]) == ["target"]
    assert (payload["port"], payload["machine"]) == (8080, "target")


def test_nobody_is_given_control(browser: Browser) -> None:
    answer = browser.send("POST", f"{SANDBOX}/ticket", {"for": "control"})
    assert answer["status"] == 422
