"""A student's day, in a real browser against a real server with real labs."""

from __future__ import annotations

import contextlib
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from brihaspati.entrypoints.cli.fresh import FreshServer
from browsing import LAB_ENDS, SCREEN, Faults, join, play, stop, type_line


def processes_in_labs(server: FreshServer) -> set[str]:
    """What runs below the keeper of labs, for this student and for others."""
    found: set[str] = set()
    for pid in server.keepers():
        with contextlib.suppress(OSError):  # it has just become somebody's shell, or ended
            found.update(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return found


def test_join_play_type_reload_stop(
    server: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    others = processes_in_labs(server)
    page = join(ipad, server, "Asha")
    play(page)
    type_line(page, "kept=yes; echo $((6*7))")
    expect(page.locator(SCREEN)).to_contain_text("42")
    page.reload()
    expect(page.locator(SCREEN)).to_contain_text("42")
    type_line(page, "echo still-$kept")
    expect(page.locator(SCREEN)).to_contain_text("still-yes")
    assert processes_in_labs(server) - others
    stop(page)
    expect(page.get_by_role("heading", name="Lab ended, nothing left behind")).to_be_visible()
    assert processes_in_labs(server) <= others
    assert faults.beyond(LAB_ENDS) == []
