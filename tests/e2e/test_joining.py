"""Into a class: by hand, by keyboard alone, and with words where it cannot be."""

from __future__ import annotations

import gzip
import json
import re
import urllib.request
from dataclasses import replace

from playwright.sync_api import BrowserContext, Locator, Page, expect

from brihaspati.domain.classrooms import Classroom
from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.cli.fresh import FreshServer
from browsing import HELLO, Faults, join, play, screen, tab_to
from commanding import run_in

# Chromium itself writes a line for every answer of 400 or more.
REFUSED = "Failed to load resource"
HOUR_MS = 3_600_000


def code_box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Class code")


def name_box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Your name")


def press_join(page: Page, server: FreshServer, code: str, name: str) -> None:
    page.goto(f"{server.address}/join")
    code_box(page).press_sequentially(code)
    name_box(page).fill(name)
    page.get_by_role("button", name="Join class").click()


def a_class(engine: Engine, **changes: object) -> Classroom:
    """Another class beside the demo class, with a code of its own."""
    demo = engine.classes.get("demo")
    code = engine.classes.free_code()
    room = replace(demo, id=code.lower(), title=f"Class {code}", code=code, **changes)  # type: ignore[arg-type]
    engine.classes.create(room)
    return room


def test_the_page_and_its_files_come_packed(server: FreshServer) -> None:
    def answer(path: str) -> tuple[str | None, bytes]:
        asked = urllib.request.Request(server.address + path)
        asked.add_header("Accept-Encoding", "gzip, br")
        with urllib.request.urlopen(asked) as found:
            return found.headers["Content-Encoding"], found.read()

    how, page = answer("/join")
    assert how == "gzip"
    scripts = re.findall(r'src="(/assets/[^"]+\.js)"', gzip.decompress(page).decode())
    assert [answer(path)[0] for path in scripts] == ["br"] * len(scripts) != []


def test_a_code_typed_as_it_is_read_aloud_shows_the_class_and_lets_in(
    server: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = ipad.new_page()
    page.goto(server.address)
    expect(page).to_have_url(f"{server.address}/join")
    code_box(page).press_sequentially(server.code.lower().replace("-", " - "))
    expect(page.get_by_text("Demo class")).to_be_visible()
    name_box(page).fill("Bimala Devi")
    name_box(page).press("Enter")
    page.wait_for_url("**/c/demo")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bimala")
    assert faults == []


def test_the_keyboard_alone_joins_and_plays(
    server: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = ipad.new_page()
    page.goto(f"{server.address}/join")
    tab_to(page, code_box(page))
    page.keyboard.type(server.code)
    tab_to(page, name_box(page))
    page.keyboard.type("Chitra")
    tab_to(page, page.get_by_role("button", name="Join class"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/demo")
    tab_to(page, page.get_by_role("button", name=re.compile(f"Play.*{HELLO}")))
    page.keyboard.press("Enter")
    expect(screen(page)).to_contain_text("#")
    expect(page.get_by_role("textbox", name="Terminal input")).to_be_focused()
    page.keyboard.type("echo $((6*7))\n")
    expect(screen(page)).to_contain_text("42")
    assert faults == []


def test_a_wrong_code_is_said_at_the_code(
    server: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = ipad.new_page()
    page.goto(f"{server.address}/join")
    code_box(page).press_sequentially("ZZZZZZZZ")
    expect(code_box(page)).to_have_accessible_description(
        "No class has this code. Compare it with the code your trainer shows, letter by letter."
    )
    expect(code_box(page)).to_have_attribute("aria-invalid", "true")
    assert faults.beyond(REFUSED) == []


def test_a_taken_name_is_said_at_the_name(
    server: FreshServer, ipad: BrowserContext, other_ipad: BrowserContext, faults: Faults
) -> None:
    join(ipad, server, "Deepa")
    page = other_ipad.new_page()
    press_join(page, server, server.code, "DEEPA")
    expect(name_box(page)).to_have_attribute("aria-invalid", "true")
    expect(name_box(page)).to_be_focused()
    words = re.compile("Someone called DEEPA is already in this class.*add your last name")
    expect(name_box(page)).to_have_accessible_description(words)
    name_box(page).fill("Deepa K")
    page.get_by_role("button", name="Join class").click()
    page.wait_for_url("**/c/demo")
    assert faults.beyond(REFUSED) == []


def test_a_name_the_server_refuses_is_said_at_the_name(
    server: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = ipad.new_page()
    press_join(page, server, server.code, "a\u202eb")
    expect(name_box(page)).to_have_accessible_description(
        "The name has invisible characters. Type it again instead of pasting it."
    )
    press_join(page, server, server.code, "   ")
    expect(name_box(page)).to_have_accessible_description(
        "Type the name your teacher knows you by."
    )
    assert faults.beyond(REFUSED) == []


def test_a_full_class_says_so_before_and_after_the_press(
    server: FreshServer, engine: Engine, ipad: BrowserContext, faults: Faults
) -> None:
    room = a_class(engine, seats=1)
    engine.classes.join(room, "First", None)
    page = ipad.new_page()
    press_join(page, server, room.code, "Second")
    expect(page.get_by_text("Every seat is taken")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("All seats of")
    assert faults.beyond(REFUSED) == []


def test_a_closed_class_says_so_before_and_after_the_press(
    server: FreshServer, engine: Engine, ipad: BrowserContext, faults: Faults
) -> None:
    now = engine.world.clock.now()
    room = a_class(engine, opens_at=now - 2 * HOUR_MS, closes_at=now - HOUR_MS)
    page = ipad.new_page()
    press_join(page, server, room.code, "Esha")
    expect(page.get_by_text("Class closed")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text(room.title)
    assert faults.beyond(REFUSED) == []


def test_a_class_to_come_lets_in_to_read_but_not_to_play(
    server: FreshServer, engine: Engine, ipad: BrowserContext, faults: Faults
) -> None:
    now = engine.world.clock.now()
    room = a_class(engine, opens_at=now + HOUR_MS, closes_at=now + 2 * HOUR_MS)
    page = ipad.new_page()
    press_join(page, server, room.code, "Gauri")
    page.wait_for_url(f"**/c/{room.id}")
    expect(page.get_by_text("This class has not begun")).to_be_visible()
    expect(page.get_by_role("link", name="Read the guide")).to_have_count(3)
    expect(page.get_by_role("button", name="Play")).to_have_count(0)
    assert faults == []


def test_a_trainer_signs_in_once_and_sees_the_student_at_work(
    server: FreshServer, ipad: BrowserContext, other_ipad: BrowserContext, faults: Faults
) -> None:
    play(join(ipad, server, "Farida"))
    arguments = ("--name", "Prof Iyer", "--role", "instructor", "--class", "demo")
    url = json.loads(run_in(server.folder, "sign-in", *arguments, "--json").stdout)["url"]
    trainer = other_ipad.new_page()
    trainer.goto(url)
    expect(trainer.get_by_role("heading", name="Your classes")).to_be_visible()
    assert "#" not in trainer.url
    trainer.get_by_role("link", name="Live board").click()
    students = trainer.get_by_role("list", name="Students", exact=True)
    card = students.get_by_role("listitem").filter(has_text="Farida")
    expect(card).to_contain_text("Working")
    expect(card).to_contain_text(HELLO)
    code = server.code.replace("-", "")
    expect(trainer.get_by_role("link", name=re.compile("Join code"))).to_be_visible()
    assert code in (trainer.content().replace("-", ""))
    card.get_by_role("button", name="Farida", exact=True).click()
    trainer.get_by_role("button", name="Stop the lab of Farida").click()
    trainer.get_by_role("button", name="Stop 1 lab").click()
    expect(ipad.pages[0].get_by_text("trainer").first).to_be_visible()
    trainer.goto("about:blank")
    trainer.goto(url)
    expect(trainer.get_by_role("alert")).to_contain_text("used or is too old")
    assert faults.beyond(REFUSED) == []
