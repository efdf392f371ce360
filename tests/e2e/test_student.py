"""A student's day, in a real browser against a real server with real labs."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from brihaspati.entrypoints.cli.fresh import FreshServer
from browsing import Faults

HELLO = "Find your way in the shell"
SCREEN = ".xterm-rows"


def join(context: BrowserContext, server: FreshServer, name: str) -> Page:
    """A student on the class page."""
    page = context.new_page()
    page.goto(f"{server.address}/join/{server.code}")
    page.get_by_role("textbox", name="Your name").fill(name)
    page.get_by_role("button", name="Join class").click()
    page.wait_for_url("**/c/demo")
    return page


def play(page: Page, lab: str = HELLO) -> None:
    """Press Play on a lab's card and wait for a prompt."""
    card = page.get_by_role("list").get_by_role("listitem").filter(has_text=lab)
    card.get_by_role("button", name="Play").click()
    expect(page.locator(SCREEN)).to_contain_text("#")


def type_line(page: Page, text: str) -> None:
    """Type into the terminal as on a keyboard."""
    page.get_by_role("textbox", name="Terminal input").focus()
    page.keyboard.type(f"{text}\n")


def stop(page: Page) -> None:
    """Stop the lab, and mean it."""
    page.get_by_role("button", name="Lab menu").click()
    page.get_by_role("menuitem", name="Stop this lab").click()
    page.get_by_role("button", name="Stop and delete").click()


def processes_in_labs(server: FreshServer) -> list[str]:
    """What still runs below the keeper of labs."""
    children = [Path(f"/proc/{pid}/task/{pid}/children") for pid in server.keepers()]
    return [pid for path in children for pid in path.read_text().split()]


def test_join_play_type_reload_stop(
    server: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = join(ipad, server, "Asha")
    play(page)
    type_line(page, "kept=yes; echo $((6*7))")
    expect(page.locator(SCREEN)).to_contain_text("42")
    page.reload()
    expect(page.locator(SCREEN)).to_contain_text("42")
    type_line(page, "echo still-$kept")
    expect(page.locator(SCREEN)).to_contain_text("still-yes")
    assert processes_in_labs(server)
    stop(page)
    expect(page.get_by_role("heading", name="Lab ended, nothing left behind")).to_be_visible()
    assert processes_in_labs(server) == []
    assert faults == []
