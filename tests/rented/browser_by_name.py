"""A rented machine with a name of its own, issued ahead, from Play until nothing of it is left."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from brihaspati.engine.names import GONE, REVOKED
from browsing import LAB_ENDS, Faults, join, opened, press_play, screen, stop
from rented.household import Household, household
from rented.test_browser import READY_MS_MAX, WEB, chromium, look, needed

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.browser]
ZONE = "labs.example.org"
Proved = Callable[[str, object], None]


def policy(house: Household) -> str:
    """The Content-Security-Policy of the portal's page."""
    with urllib.request.urlopen(house.address) as page:
        return str(page.headers["Content-Security-Policy"])


def test_a_browser_comes_to_a_machine_by_its_own_name_and_no_name_is_left(
    tmp_path: Path, record_property: Proved
) -> None:
    needed()
    faults = Faults()
    with household(tmp_path, zone=ZONE) as house:
        names = house.engine.names
        assert names is not None
        house.until(lambda: names.stock().ready == 2)
        allowed = policy(house)
        assert f"wss://*.{ZONE}" in allowed
        assert f"https://*.{ZONE}" in allowed
        assert not {"wss:", "https:"} & {word.rstrip(";") for word in allowed.split()}
        # Nobody but the cloud knows yet at which address the machine will be: it is its first.
        machine = f"{house.world.networks['digitalocean']}.0.1"
        with (
            chromium(tmp_path / "home", house.issuer.roots, f"MAP *.{ZONE} {machine}") as browser,
            opened(browser, faults) as context,
        ):
            lines: list[str] = []
            page = context.new_page()
            page.on("websocket", lambda line: lines.append(line.url))
            join(context, house, "Asha", page)
            press_play(page, WEB)
            expect(screen(page)).to_contain_text("#", timeout=READY_MS_MAX)
            assert [server.address for server in house.world.running()] == [machine]
            host = lines[-1].removeprefix("wss://at.").partition("/")[0]
            assert host.endswith(f".{ZONE}")
            assert names.zone.values(f"*.{host}") == [("A", machine)]
            look(house, page, f".{host}")
            stop(page)
            ended = page.get_by_role("heading", name="Lab ended, nothing left behind")
            expect(ended).to_be_visible()
        house.until(lambda: names.zone.hosts() == [])
        house.until(lambda: names.stock().ready == 2)
        said = [e.end.how for e in house.engine.scrubbing.of_class("demo") if e.end.label == host]
        assert said == [f"{GONE}; {REVOKED}"]
    assert faults.beyond("favicon", LAB_ENDS, "401 (Unauthorized)") == []
    record_property("proved", "a terminal and a page by a name of its own; then no record is left")
