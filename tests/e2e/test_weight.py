"""A page loads no script by itself that the weighing of the build has not counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from brihaspati.entrypoints.cli.fresh import FreshServer
from browsing import HELLO, Faults, join, play, press_play, screen, sign_in_trainer

DIST = Path("web/dist")
# Draws the terminal faster once it is there; the terminal does not wait for it.
WEBGL = "node_modules/@xterm/addon-webgl/lib/addon-webgl.mjs"
# A class page is asked what comes next no sooner (SETTLED_MS of web/src/router.ts).
SETTLED_MS = 1_500
SCRIPTS = """(until) => performance.getEntriesByType('resource')
  .filter((one) => one.startTime < until && new URL(one.name).pathname.endsWith('.js'))
  .map((one) => new URL(one.name).pathname.slice(1))"""


def weighed(*pages: str) -> set[str]:
    """What the build counted for these pages."""
    counted = json.loads((DIST / ".vite/pages.json").read_text())
    return {file for page in pages for file in counted[page]}


def loaded(page: Page, until_ms: int = 10**9) -> set[str]:
    """The scripts that the page has asked for, in the first so many milliseconds."""
    scripts = set(page.evaluate(SCRIPTS, until_ms))
    assert len(scripts) > 3, scripts
    return scripts


def webgl() -> set[str]:
    manifest = json.loads((DIST / ".vite/manifest.json").read_text())
    return {manifest[WEBGL]["file"]}


def test_the_join_page(server: FreshServer, ipad: BrowserContext, faults: Faults) -> None:
    page = ipad.new_page()
    page.goto(f"{server.address}/join/{server.code}")
    expect(page.get_by_text("Demo class")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert loaded(page) - weighed("join") == set()
    assert faults == []


def test_the_class_page_and_then_only_what_the_lab_needs(
    server: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = join(ipad, server, "Lakshmi")
    page.reload()
    expect(page.get_by_role("heading", name=HELLO).first).to_be_visible()
    lab = weighed("lab") - weighed("class")
    page.wait_for_function(
        "(lab) => performance.getEntriesByType('resource')"
        ".some((one) => lab.some((file) => one.name.endsWith(file)))",
        arg=sorted(lab),
    )
    page.wait_for_load_state("networkidle")
    assert loaded(page, SETTLED_MS) - weighed("class") == set()
    assert loaded(page) - weighed("class", "lab") == set()
    assert faults == []


def test_the_board(
    server: FreshServer, ipad: BrowserContext, other_ipad: BrowserContext, faults: Faults
) -> None:
    play(join(other_ipad, server, "Narendra"))
    page = sign_in_trainer(ipad, server)
    page.reload()
    expect(page.get_by_role("button", name="Narendra", exact=True)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert loaded(page) - weighed("board") == set()
    assert faults == []


@pytest.mark.parametrize("hand", ["mouse", "finger"])
def test_the_lab(chromium: Browser, server: FreshServer, faults: Faults, hand: str) -> None:
    touch = hand == "finger"
    context = chromium.new_context(
        viewport={"width": 1180, "height": 820}, has_touch=touch, is_mobile=touch
    )
    try:
        page = join(context, server, f"Omkar {hand}")
        faults.watch(page)
        press_play(page)
        expect(screen(page)).to_contain_text("#")
        page.reload()
        expect(screen(page)).to_contain_text("#")
        assert loaded(page) - weighed("lab") - webgl() == set()
        assert faults == []
    finally:
        context.close()
