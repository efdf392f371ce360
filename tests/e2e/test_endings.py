"""How a lab ends under an open page, and what the page says."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, expect

from brihaspati.domain import events
from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.cli.fresh import FreshServer
from browsing import LAB_ENDS, Faults, join, play, type_line


def test_an_expired_lab_ends_under_the_open_page_which_says_so(
    server: FreshServer, engine: Engine, ipad: BrowserContext, faults: Faults
) -> None:
    page = join(ipad, server, "Harini")
    play(page)
    type_line(page, "sleep 1000")
    slot = max(engine.reading.running(), key=lambda r: r.sandbox.asked_at).sandbox.slot
    engine.worker.post(slot, events.DeadlineMoved(engine.world.clock.now() + 1500))
    engine.worker.wake(slot)
    ended = page.get_by_role("heading", name="Lab ended, nothing left behind")
    expect(ended).to_be_visible()
    expect(page.get_by_text("Time was up")).to_be_visible()
    expect(page.get_by_role("button", name="Play again")).to_be_visible()
    assert faults.beyond(LAB_ENDS) == []
