"""Devices and lines come and go; the lab, and what is in it, stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

import loopback
from brihaspati import wiring
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server
from browsing import NO_LINE, Faults, join, play, screen, type_line
from commanding import run_in


@pytest.fixture
def lasting() -> Iterator[FreshServer]:
    """A server whose labs outlive it for a minute."""
    # While it is dead, no connection of somebody's may be given its port.
    settings = {"listen": f"127.0.0.1:{loopback.free_port()}", "keep_seconds": 60}
    with fresh_server(wiring.open_shop({}), seats=50, pool=0, **settings) as started:
        yield started
        run_in(started.folder, "stop", "--all")


def test_another_device_shows_the_same_terminal(
    server: FreshServer, ipad: BrowserContext, other_ipad: BrowserContext, faults: Faults
) -> None:
    here = join(ipad, server, "Indira")
    play(here)
    type_line(here, "kept=yes")
    here.get_by_role("link", name="Back to the class").click()
    here.get_by_role("button", name="Menu of Indira").click()
    here.get_by_role("menuitem", name="Continue on another device").click()
    link = here.get_by_role("dialog").get_by_text("/sign-in#").inner_text()
    there = other_ipad.new_page()
    there.goto(link)
    there.get_by_role("button", name="Resume lab").click()
    type_line(there, "echo still-$kept")
    expect(screen(there)).to_contain_text("still-yes")
    here.keyboard.press("Escape")
    here.get_by_role("button", name="Resume lab").click()
    expect(screen(here)).to_contain_text("still-yes")
    type_line(here, "echo from-$((6*7))")
    expect(screen(there)).to_contain_text("from-42")
    assert faults == []


def test_a_lost_network_is_said_and_what_was_typed_meanwhile_arrives(
    server: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = join(ipad, server, "Jaya")
    play(page)
    type_line(page, "kept=yes; echo ar''rived")
    expect(screen(page)).to_contain_text("arrived")
    ipad.set_offline(True)
    lost = page.get_by_text("Lost the connection")
    expect(lost).to_be_visible()
    offline = page.get_by_text("This device is offline").bounding_box()
    bar = page.get_by_role("banner").bounding_box()
    assert offline
    assert bar
    assert offline["y"] + offline["height"] <= bar["y"]
    type_line(page, "echo still-$kept")
    ipad.set_offline(False)
    expect(screen(page)).to_contain_text("still-yes")
    expect(lost).to_be_hidden()
    assert faults.beyond(*NO_LINE) == []


def test_a_killed_server_comes_back_under_the_open_page(
    lasting: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = join(ipad, lasting, "Kamala")
    play(page)
    type_line(page, "echo 'kept in the lab' > ~/work; echo wr''itten")
    expect(screen(page)).to_contain_text("written")
    page.evaluate("window.neverReloaded = true")
    lasting.kill()
    expect(page.get_by_text("Lost the connection")).to_be_visible()
    lasting.start_again()
    expect(page.get_by_text("Lost the connection")).to_be_hidden()
    type_line(page, "cat ~/work")
    expect(screen(page)).to_contain_text("kept in the lab")
    assert page.evaluate("window.neverReloaded")
    assert faults.beyond(*NO_LINE) == []
