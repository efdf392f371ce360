"""For everybody: axe finds nothing on any page, in either theme and four sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accessible import SIZES, nothing_found
from brihaspati.entrypoints.cli.fresh import FreshServer
from browsing import Faults, join, opened, play, press_play, screen, sign_in_trainer, tab, tab_to


@pytest.fixture(scope="module")
def contexts(chromium: Browser) -> Iterator[Callable[[], BrowserContext]]:
    made = []

    def make() -> BrowserContext:
        managed = opened(chromium, Faults())
        context = managed.__enter__()
        made.append(managed)
        return context

    yield make
    for managed in made:
        managed.__exit__(None, None, None)


@pytest.fixture(scope="module")
def student(server: FreshServer, contexts: Callable[[], BrowserContext]) -> Page:
    page = join(contexts(), server, "Padma Lakshmi")
    play(page)
    return page


@pytest.fixture(scope="module")
def trainer(
    server: FreshServer,
    contexts: Callable[[], BrowserContext],
    student: Page,  # noqa: ARG001 - somebody is there to be seen
) -> Page:
    return sign_in_trainer(contexts(), server, "Dr Rao")


def test_before_a_class(server: FreshServer, contexts: Callable[[], BrowserContext]) -> None:
    page = contexts().new_page()
    page.goto(f"{server.address}/join/{server.code}")
    expect(page.get_by_text("Demo class")).to_be_visible()
    nothing_found(page)
    page.get_by_role("button", name="Join class").click()
    expect(page.get_by_role("textbox", name="Your name")).to_have_attribute("aria-invalid", "true")
    nothing_found(page, sizes=SIZES[:1])
    for address, words in (("/sign-in", "Sign in"), ("/nowhere/at/all", "Lost in space")):
        page.goto(server.address + address)
        expect(page.get_by_text(words).first).to_be_visible()
        nothing_found(page)


def test_the_components_in_every_state(
    server: FreshServer, contexts: Callable[[], BrowserContext]
) -> None:
    page = contexts().new_page()
    page.goto(f"{server.address}/design")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    nothing_found(page, sizes=((1180, 820), (390, 844)))


def test_the_class_page(server: FreshServer, student: Page) -> None:
    student.goto(f"{server.address}/c/demo")
    expect(student.get_by_role("button", name="Resume lab")).to_be_visible()
    nothing_found(student)


def test_the_lab_with_its_terminal(server: FreshServer, student: Page) -> None:
    student.goto(f"{server.address}/c/demo/labs/hello")
    expect(screen(student)).to_contain_text("#")
    nothing_found(student)


def test_the_lab_with_its_editor_and_its_dialogs(student: Page) -> None:
    tab(student, "Editor")
    expect(student.get_by_role("tree")).to_be_visible()
    nothing_found(student, sizes=SIZES[:2])
    student.get_by_role("button", name="Help").click()
    expect(student.get_by_role("dialog")).to_be_visible()
    nothing_found(student, sizes=((1180, 820), (390, 844)))
    student.keyboard.press("Escape")
    student.get_by_role("button", name="Lab menu").click()
    student.get_by_role("menuitem", name="Stop this lab").click()
    expect(student.get_by_role("button", name="Stop and delete")).to_be_visible()
    nothing_found(student, sizes=((1180, 820), (390, 844)))
    student.keyboard.press("Escape")


def test_the_board_and_what_opens_from_it(trainer: Page) -> None:
    expect(trainer.get_by_role("list", name="Students", exact=True)).to_contain_text(
        "Padma Lakshmi"
    )
    nothing_found(trainer)
    trainer.get_by_role("button", name="Broadcast").click()
    nothing_found(trainer, sizes=SIZES[:1])
    trainer.keyboard.press("Escape")
    trainer.get_by_role("button", name="Padma Lakshmi", exact=True).click()
    expect(trainer.get_by_role("dialog")).to_be_visible()
    nothing_found(trainer, sizes=((1180, 820), (390, 844)))
    trainer.keyboard.press("Escape")


@pytest.mark.parametrize("address", ["/", "/c/demo/show", "/c/demo/setup", "/classes/new"])
def test_the_other_pages_of_a_trainer(server: FreshServer, trainer: Page, address: str) -> None:
    trainer.goto(server.address + address)
    expect(trainer.get_by_role("heading", level=1)).to_be_visible()
    expect(trainer.locator(".skeleton")).to_have_count(0)
    nothing_found(trainer)


def test_the_keyboard_alone_plays_checks_and_stops(
    server: FreshServer, contexts: Callable[[], BrowserContext]
) -> None:
    page = join(contexts(), server, "Only Keys")
    press_play(page)
    expect(screen(page)).to_contain_text("#")
    steps = page.get_by_role("navigation", name="Steps")
    page.keyboard.press("Control+Alt+g")
    tab_to(page, steps.get_by_role("button", name="Check"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Check your work")).to_contain_text("Not yet")
    page.get_by_role("link", name="Skip to content").focus()
    tab_to(page, page.get_by_role("button", name="Lab menu"))
    page.keyboard.press("Enter")
    stop = page.get_by_role("menuitem", name="Stop this lab")
    expect(stop).to_be_visible()
    page.keyboard.press("End")
    expect(stop).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Stop and delete"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Lab ended")).to_be_visible()


def test_whoever_wants_little_motion_sees_none(
    server: FreshServer, contexts: Callable[[], BrowserContext]
) -> None:
    page = contexts().new_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{server.address}/join/{server.code}")
    expect(page.get_by_text("Demo class")).to_be_visible()
    moving = """() => document.getAnimations().filter((one) => one.playState === 'running' &&
      one.effect.getComputedTiming().duration > 50).map((one) => one.animationName ?? 'transition')
    """
    assert page.evaluate(moving) == []
