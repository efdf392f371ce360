"""What the browser's tests share: Chromium, what a student does, and what no page may do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from brihaspati.entrypoints.cli.fresh import FreshServer
from commanding import run_in

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
HELLO = "Find your way in the shell"
# Chromium drops what is in flight when other tests make a network; the page asks again, later.
LATE_MS_MAX = 40_000
SCREEN = ".xterm-rows"
# What Chromium writes by itself when there is nobody at the other end.
NO_LINE = ("Failed to load resource", "WebSocket connection", "ERR_")
# What it writes when a lab ends under its page, which hears of it from its terminal first and
# asks for another, or has just sent a check that it watches.
LAB_ENDS = "409 (Conflict)"
# Labs, browsers and a suite beside them share the processor: late is not wrong. A check that
# watches, and what a trainer then sees of it, are several such waits in a row.
expect.set_options(timeout=40_000)


class Site(Protocol):
    """Where a server is, and the join code of its class."""

    address: str
    code: str


@contextmanager
def opened(chromium: Browser, faults: Faults) -> Iterator[BrowserContext]:
    """A browser the size of an iPad, without cookies, whose pages' faults are collected."""
    context = chromium.new_context(viewport={"width": 1180, "height": 820})
    context.set_default_timeout(40_000)
    context.on("page", faults.watch)
    yield context
    context.close()


class Faults(list[str]):
    """What went wrong on a page that no test looked at: errors, policy violations.

    Chromium drops requests in flight when the host gets a network interface, as other tests make;
    what follows from that is not a fault of the page, which loads itself again.
    """

    disturbed = False

    def watch(self, page: Page) -> None:
        """Collect from this page from now on."""
        page.on("pageerror", lambda error: self._hear(str(error)))
        page.on("console", self._read)

    def _read(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self._hear(f"{said.text} ({said.location['url']})")

    def _hear(self, text: str) -> None:
        self.disturbed = self.disturbed or "ERR_NETWORK_CHANGED" in text
        follows = any(piece in text for piece in ("ERR_NETWORK_CHANGED", "preload", "import"))
        if not (self.disturbed and follows):
            self.append(text)

    def beyond(self, *expected: str) -> list[str]:
        """All but those that the test itself provoked, by a piece of their text."""
        return [fault for fault in self if not any(piece in fault for piece in expected)]


def join(context: BrowserContext, server: Site, name: str, page: Page | None = None) -> Page:
    """A student on the class page, in a new tab or in this one."""
    page = page or context.new_page()
    page.goto(f"{server.address}/join/{server.code}")
    page.get_by_role("textbox", name="Your name").fill(name)
    page.get_by_role("button", name="Join class").click()
    page.wait_for_url("**/c/demo", timeout=LATE_MS_MAX)
    return page


def sign_in_trainer(context: BrowserContext, server: FreshServer, name: str = "Prof Iyer") -> Page:
    """A trainer on the board of the demo class."""
    arguments = ("--name", name, "--role", "instructor", "--class", "demo")
    url = json.loads(run_in(server.folder, "sign-in", *arguments, "--json").stdout)["url"]
    page = context.new_page()
    page.goto(server.address + url[url.index("/sign-in") :])
    page.get_by_role("link", name="Live board").click()
    page.wait_for_url("**/c/demo/board")
    return page


def play(page: Page, lab: str = HELLO) -> None:
    """Press Play on a lab's card and wait for a prompt."""
    press_play(page, lab)
    expect(screen(page)).to_contain_text("#")


def press_play(page: Page, lab: str = HELLO) -> None:
    """Press Play on a lab's card."""
    card = page.get_by_role("list").get_by_role("listitem").filter(has_text=lab)
    card.get_by_role("button", name="Play").click()


def turn_to(page: Page, step: str) -> None:
    """Go to a step of the guide by its title."""
    page.get_by_role("button", name="All steps").click()
    steps = page.get_by_role("navigation", name="All steps")
    steps.get_by_role("button", name=step).click()
    expect(page.get_by_role("heading", level=2, name=step)).to_be_visible()


def press_run(page: Page, number: int) -> None:
    """Press the guide's Run button of a command, counted from 0."""
    block = page.get_by_role("group", name="Command").nth(number)
    block.get_by_role("button", name="Run").click()


def screen(page: Page) -> Locator:
    """The terminal that is shown."""
    return page.locator(SCREEN).locator("visible=true")


def type_line(page: Page, text: str) -> None:
    """Type into the terminal that is shown, as on a keyboard."""
    page.get_by_role("textbox", name="Terminal input").locator("visible=true").focus()
    page.keyboard.type(f"{text}\n")


def stop(page: Page) -> None:
    """Stop the lab, and mean it."""
    page.get_by_role("button", name="Lab menu").click()
    page.get_by_role("menuitem", name="Stop this lab").click()
    page.get_by_role("button", name="Stop and delete").click()


def tab(page: Page, name: str) -> None:
    """Show another tab of the workbench."""
    page.get_by_role("tab", name=re.compile(name)).click()


def tab_to(page: Page, wanted: Locator, presses_max: int = 60) -> None:
    """Press the Tab key until this has the focus."""
    expect(wanted).to_be_visible()
    for _ in range(presses_max):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{presses_max} presses of Tab do not lead to {wanted}")
