"""A student in a real browser, whose lab is a machine rented from each cloud's stand-in."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browsing import FLAGS, SCREEN, Faults, join, opened, press_play, screen, stop, type_line
from rented.household import Household, household

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.browser]
CHROMIUM = shutil.which("chromium")
READY_MS_MAX = 90_000
Proved = Callable[[str, object], None]


def _needed() -> None:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    if shutil.which("certutil") is None:
        pytest.skip("certutil is not installed (apt install libnss3-tools)")
    if not Path("web/dist/index.html").exists():
        pytest.skip("the web app is not built: run make web")


@contextmanager
def _chromium(home: Path, authority: Path | None) -> Iterator[Browser]:
    """Chromium of a user who has told it to trust this authority, and nothing else of the test."""
    database = home / ".pki/nssdb"
    database.mkdir(parents=True)
    certutil = ["certutil", "-d", f"sql:{database}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True, capture_output=True)
    if authority is not None:
        add = ["-A", "-n", "issuer", "-t", "C,,", "-i", str(authority)]
        subprocess.run([*certutil, *add], check=True, capture_output=True)
    environment = {**os.environ, "HOME": str(home)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(FLAGS), env={**environment}
        )
        yield browser
        browser.close()


@pytest.mark.parametrize("cloud", ["digitalocean", "linode"])
def test_a_browser_reaches_a_terminal_on_a_rented_machine_over_https(
    cloud: str, tmp_path: Path, record_property: Proved
) -> None:
    _needed()

    def proved(what: str) -> None:
        record_property("proved", f"{cloud}: {what}")

    faults = Faults()
    with (
        household(tmp_path, cloud) as house,
        _chromium(tmp_path / "home", house.issuer.roots) as chromium,
        opened(chromium, faults) as context,
    ):
        lines: set[str] = set()
        page = context.new_page()
        page.on("websocket", lambda line: lines.add(line.url))
        join(context, house, "Asha", page)
        proved(f"Chromium joined at {house.address} with the code of the class")
        began = time.monotonic()
        press_play(page)
        expect(screen(page)).to_contain_text("#", timeout=READY_MS_MAX)
        proved(f"{time.monotonic() - began:.1f} s from Play to a prompt in the browser")
        machine = _machine(house, cloud)
        assert f"wss://{machine}/agent/terminal" in lines
        proved(f"the terminal came from wss://{machine}, its certificate verified by Chromium")
        _work(page)
        proved("what was typed was done as root there, and was there after a reload")
        assert faults == []
        stop(page)
        # Of a machine this young no list is believed yet.
        ended = page.get_by_role("heading", name="Lab ended, nothing left behind")
        expect(ended).to_be_visible(timeout=30_000)
        assert house.world.running() == []
        proved("Stop: the page says nothing is left, and the cloud has no machine")
    # A page that hears of the end from its terminal first asks for what it cannot have any more.
    assert faults.beyond("409 (Conflict)") == []


def _machine(house: Household, cloud: str) -> str:
    """The address of the only machine, which is that cloud's."""
    (server,) = house.world.running()
    assert server.provider == cloud
    return server.address


def _work(page: Page) -> None:
    type_line(page, "kept=yes; echo $((6*7)) $(id -un)")
    expect(page.locator(SCREEN)).to_contain_text("42 root")
    page.reload()
    expect(page.locator(SCREEN)).to_contain_text("42 root")
    type_line(page, "echo still-$kept")
    expect(page.locator(SCREEN)).to_contain_text("still-yes")


def test_a_browser_that_does_not_know_the_issuer_opens_no_terminal(tmp_path: Path) -> None:
    _needed()
    with (
        household(tmp_path) as house,
        _chromium(tmp_path / "home", None) as chromium,
        opened(chromium, Faults()) as context,
    ):
        asha = house.student("Asha")
        asha.play()
        page = context.new_page()
        page.goto(house.address)
        opens = """url => new Promise(done => {
            const line = new WebSocket(url);
            line.onopen = () => done("opened");
            line.onerror = () => done("refused");
        })"""
        assert page.evaluate(opens, asha.ticket()["url"]) == "refused"
