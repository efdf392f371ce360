"""Slow answers, gateways that fail, lost replies, no line at all: nothing pressed is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from brihaspati.entrypoints.cli.fresh import FreshServer
from browsing import NO_LINE, Faults, join, press_play, screen, sign_in_trainer, type_line
from weather import Weather, server_in_weather

PLAY = "PUT /v1/classes/demo/labs/hello/sandbox"
STOP = "DELETE /v1/classes/demo/labs/hello/sandbox"
LOST = "Lost the connection"


@pytest.fixture(scope="module")
def outdoors() -> Iterator[tuple[FreshServer, Weather]]:
    with server_in_weather() as both:
        yield both


@pytest.fixture
def sky(outdoors: tuple[FreshServer, Weather]) -> Iterator[Weather]:
    _, sky = outdoors
    sky.reached.clear()
    yield sky
    sky.clears()


@pytest.fixture
def through(outdoors: tuple[FreshServer, Weather], sky: Weather) -> FreshServer:
    """The server as browsers in this weather see it."""
    server, _ = outdoors
    return server.seen_at(sky.address)


# Resolves when what a class page fetches ahead of the press has come, with what that imports.
FETCHED_AHEAD = """async () => {
  const fetched = (part) => performance.getEntriesByType('resource')
    .map(({ name }) => name).find((name) => new RegExp(`/${part}-[^/]*js$`).test(name))
  const styles = () => [...document.querySelectorAll('link[rel=stylesheet]')]
  const ends = performance.now() + 60_000
  const turn = async (part) => {
    if (performance.now() > ends) throw new Error(`nothing has fetched ${part} ahead`)
    await new Promise(requestAnimationFrame)
  }
  for (const part of ['LabPage', 'line', 'terminal', 'lab', 'bench']) {
    while (!fetched(part)) await turn(part)
    await import(fetched(part))
  }
  while (!styles().every(({ sheet }) => sheet)) await turn('all styles')
}"""


def line(page: Page) -> Locator:
    """The slim line that says how the way to the service is."""
    words = re.compile("Waking the service|The service does not answer|This device is offline")
    return page.get_by_role("status").filter(has_text=words)


def test_a_cold_service_is_said_and_waited_for(
    sky: Weather, through: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    sky.delay_seconds = 3
    page = ipad.new_page()
    page.goto(f"{through.address}/join/{through.code}")
    page.get_by_role("textbox", name="Your name").fill("Asha")
    page.get_by_role("button", name="Join class").click()
    expect(line(page)).to_contain_text("Waking the service")
    page.wait_for_url("**/c/demo")
    expect(line(page)).to_contain_text("Waking the service")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Asha")
    expect(line(page)).to_be_hidden()
    sky.delay_seconds = 3600
    press_play(page)
    on_its_way = page.get_by_role("heading", name="Your machine is on its way")
    expect(on_its_way).to_be_visible()  # though nothing was answered yet
    sky.clears()
    expect(screen(page)).to_contain_text("#")
    assert faults == []


def test_gateways_that_fail_in_bursts_are_asked_again(
    sky: Weather, through: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    sky.answers_with(502, 2, at="/v1/join/")
    sky.answers_with(504, 1, at="POST /v1/join")
    sky.answers_with(503, 1, at="POST /v1/join", retry_after=1)
    sky.answers_with(502, 1, at="/v1/classes/demo$")
    page = join(ipad, through, "Bela")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bela")
    for status in (502, 503, 504):
        sky.answers_with(status, 1, at=PLAY)
        sky.answers_with(status, 1, at="GET .*/labs/hello$")
        sky.answers_with(status, 1, at="/ticket$")
    press_play(page)
    expect(screen(page)).to_contain_text("#")
    assert sky.reached.count(PLAY) == 1
    assert faults.beyond(*NO_LINE) == []


def test_lost_replies_and_half_answers_do_nothing_twice(
    sky: Weather, through: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    sky.loses_replies(2, at="POST /v1/join$")
    sky.cuts_bodies(2, at="/v1/classes/demo$")
    page = join(ipad, through, "Chitra")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Chitra")
    assert sky.reached.count("POST /v1/join") == 3
    sky.loses_replies(1, at=PLAY)
    sky.drops(1, at=PLAY)
    sky.cuts_bodies(1, at="GET .*/labs/hello$")
    press_play(page)
    expect(screen(page)).to_contain_text("#")
    page.get_by_role("link", name="Back to the class").click()
    expect(page.get_by_role("button", name="Resume lab")).to_have_count(1)
    assert faults.beyond(*NO_LINE) == []


def test_play_pressed_without_a_line_is_kept_and_done_when_it_is_back(
    sky: Weather, through: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = ipad.new_page()
    join(ipad, through, "Deepa", page)
    page.evaluate(FETCHED_AHEAD)
    page.clock.install()
    sky.takes_the_line("refused")
    press_play(page)
    page.clock.fast_forward(30_000)
    expect(line(page)).to_contain_text("The service does not answer")
    expect(line(page)).to_contain_text("What you pressed is kept")
    assert PLAY not in sky.reached
    sky.takes_the_line("good")
    page.clock.fast_forward(4_000)
    expect(screen(page)).to_contain_text("#")
    expect(line(page)).to_be_hidden()
    assert sky.reached.count(PLAY) == 1
    assert faults.beyond(*NO_LINE) == []


def test_after_a_minute_in_a_tunnel_the_terminal_goes_on(
    sky: Weather, through: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = ipad.new_page()
    page.clock.install()
    page = join(ipad, through, "Esha", page)
    press_play(page)
    expect(screen(page)).to_contain_text("#")
    type_line(page, "kept=yes; (sleep 1; echo mean''while) &")
    expect(screen(page)).to_contain_text("[1]")  # all of it was typed before the line is lost
    page.evaluate("window.neverReloaded = true")
    sky.takes_the_line("silent")
    page.clock.fast_forward(20_000)
    expect(page.get_by_text(LOST)).to_be_visible()
    type_line(page, "echo still-$kept")
    page.clock.fast_forward(40_000)
    expect(line(page)).to_contain_text("The service does not answer")
    sky.takes_the_line("good")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.clock.fast_forward(5_000)
    expect(screen(page)).to_contain_text("still-yes")
    expect(screen(page)).to_contain_text("meanwhile")
    expect(page.get_by_text(LOST)).to_be_hidden()
    assert page.evaluate("window.neverReloaded")
    assert faults.beyond(*NO_LINE) == []


def test_a_suspended_tab_shows_what_happened_meanwhile(
    sky: Weather, through: FreshServer, ipad: BrowserContext, other_ipad: BrowserContext
) -> None:
    page = join(ipad, through, "Farida")
    press_play(page)
    expect(screen(page)).to_contain_text("#")
    devtools = ipad.new_cdp_session(page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    sky.reached.clear()
    there = other_ipad.new_page()
    other_ipad.add_cookies(ipad.cookies())  # type: ignore[arg-type]
    there.goto(f"{through.address}/c/demo")
    there.get_by_role("button", name="Resume lab").click()
    expect(screen(there)).to_contain_text("#")
    there.get_by_role("button", name="Lab menu").click()
    there.get_by_role("menuitem", name="Stop this lab").click()
    there.get_by_role("button", name="Stop and delete").click()
    expect(there.get_by_role("heading", name="Lab ended")).to_be_visible()
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    expect(page.get_by_role("heading", name="Lab ended")).to_be_visible()


def test_the_board_keeps_what_it_knows_and_says_from_when(
    sky: Weather,
    through: FreshServer,
    ipad: BrowserContext,
    other_ipad: BrowserContext,
    faults: Faults,
) -> None:
    join(ipad, through, "Gauri")
    page = sign_in_trainer(other_ipad, through)
    expect(page.get_by_text("Gauri")).to_be_visible()
    page.clock.install()
    sky.takes_the_line("refused")
    page.clock.fast_forward(15_000)
    expect(line(page)).to_contain_text("What you see is from")
    expect(page.get_by_text("Gauri")).to_be_visible()
    sky.takes_the_line("good")
    page.clock.fast_forward(6_000)
    expect(line(page)).to_be_hidden()
    assert faults.beyond(*NO_LINE) == []
