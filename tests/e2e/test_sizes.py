"""Every page fits a phone, an iPad and a laptop without scrolling sideways."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from brihaspati.entrypoints.cli.fresh import FreshServer
from browsing import Faults, join, press_play, screen

SIZES = ((390, 844), (820, 1180), (1440, 900))
PHONE_MAX = 600
# How far anything reaches beyond the window, unless it is in a strip made to be scrolled.
BEYOND = """() => {
  const wide = innerWidth
  const strips = (e) => e && (/auto|scroll|hidden|clip/.test(getComputedStyle(e).overflowX)
    ? e : strips(e.parentElement))
  const out = [...document.querySelectorAll('a, button, input, h1, h2, p')].filter((e) => {
    const box = e.getBoundingClientRect()
    const inStrip = strips(e.parentElement)
    return box.width && (box.right > wide + 1 || box.left < -1) && e.checkVisibility() &&
      (!inStrip || inStrip === document.body || inStrip.getBoundingClientRect().right > wide + 1)
  })
  return [document.documentElement.scrollWidth - wide, out.map((e) => e.outerHTML.slice(0, 120))]
}"""


def fits(page: Page) -> None:
    over, outside = page.evaluate(BEYOND)
    assert over <= 0, page.url
    assert outside == [], page.url


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_no_page_scrolls_sideways(
    server: FreshServer, ipad: BrowserContext, faults: Faults, width: int, height: int
) -> None:
    page = ipad.new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{server.address}/join/{server.code}")
    expect(page.get_by_text("Demo class")).to_be_visible()
    fits(page)
    page = join(ipad, server, f"Padmavati Venkatanarasimharajuvaripeta {width}")
    page.set_viewport_size({"width": width, "height": height})
    fits(page)
    press_play(page)
    fits(page)
    if width < PHONE_MAX:
        page.get_by_role("navigation", name="Panes").get_by_role("button", name="main").click()
    expect(screen(page)).to_contain_text("#")
    fits(page)
    expect(page.get_by_role("button", name="Lab menu")).to_be_in_viewport(ratio=1)
    page.get_by_role("link", name="Back to the class").click()
    expect(page.get_by_role("button", name="Resume lab")).to_be_visible()
    fits(page)
    assert faults == []
