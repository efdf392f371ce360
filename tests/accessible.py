"""What axe has to say about a page, in every size and theme."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path("web/node_modules/axe-core/axe.min.js")
SIZES = ((1180, 820), (820, 1180), (1440, 900), (390, 844))
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Frames are other people's pages; xterm's rows are drawn for eyes, its text is in a live region.
LOOK = """async (rules) => {
  await Promise.all(document.getAnimations().map((one) => one.effect.getComputedTiming().iterations
    === Infinity ? null : one.finish()))
  const found = await axe.run({exclude: [['iframe']]}, {
    runOnly: rules, iframes: false, resultTypes: ['violations'],
  })
  return found.violations.map(({id, nodes}) =>
    [id, ...nodes.slice(0, 3).map(({html, any}) => html.slice(0, 160) + (any[0]?.message ?? ''))])
}"""


def nothing_found(page: Page, *, sizes: tuple[tuple[int, int], ...] = SIZES) -> None:
    """Look at what is on the page now, with every size and theme."""
    if not page.evaluate("() => typeof axe === 'object'"):
        page.evaluate(AXE.read_text() + "\n;null")
    found: list[Any] = []
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            page.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
            found += [(width, theme, *one) for one in page.evaluate(LOOK, RULES)]
    page.set_viewport_size({"width": 1180, "height": 820})
    assert found == []
