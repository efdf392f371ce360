"""A real server with real labs, and a real browser, for the tests beside this file."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from brihaspati import wiring
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server
from browsing import FLAGS, Faults

CHROMIUM = shutil.which("chromium")
WEB = Path("web/dist/index.html")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say in one word why the browser's tests cannot run here."""
    why = None
    if CHROMIUM is None:
        why = "chromium is not installed"
    elif not WEB.exists():
        why = "the web app is not built: run make web"
    elif sys.platform != "linux" or os.geteuid() != 0:
        why = "labs of namespaces need root on Linux"
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if why is not None:
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def server() -> Iterator[FreshServer]:
    """A server of its own process over an empty data folder."""
    with fresh_server(wiring.open_shop({}), seats=50, pool=0) as started:
        yield started


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def ipad(chromium: Browser, faults: Faults) -> Iterator[BrowserContext]:
    """A browser the size of an iPad, without cookies."""
    context = chromium.new_context(viewport={"width": 1180, "height": 820})
    context.set_default_timeout(10_000)
    context.on("page", faults.watch)
    yield context
    context.close()
