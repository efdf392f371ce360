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
from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server
from browsing import FLAGS, Faults, opened

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


@pytest.fixture
def engine(server: FreshServer) -> Iterator[Engine]:
    """The engine over the running server's data, for what no person can do from a page."""
    with wiring.open_shop({}).elsewhere(server.folder).engine() as opened:
        yield opened


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless.

    Not for the whole session: its event loop would be in the way of other tests' asyncio.run.
    """
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
    with opened(chromium, faults) as context:
        yield context


@pytest.fixture
def other_ipad(chromium: Browser, faults: Faults) -> Iterator[BrowserContext]:
    """Another browser, of another person or of the same one elsewhere."""
    with opened(chromium, faults) as context:
        yield context
