"""Days before a class of rented machines: its trainer sees what the clouds have for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from accessible import nothing_found
from brihaspati import wiring
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server
from brihaspati_cloudsim import server as cloudsim
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.agenda import real_clock
from brihaspati_cloudsim.world import World
from browsing import Faults, sign_in_trainer

LIMIT, TRIES_MAX = 25, 20


@pytest.fixture(scope="module")
def world() -> World:
    found = World(real_clock(), lags=Lags.none())
    found.accounts["digitalocean"].server_limit = LIMIT
    return found


@pytest.fixture(scope="module")
def renting(world: World) -> Iterator[FreshServer]:
    """A server that rents from a stand-in for both clouds, of which its class takes one."""
    with pytest.MonkeyPatch.context() as monkeypatch, cloudsim.serving(world) as cloud:
        tokens = world.add_usual_tokens()
        monkeypatch.setenv("DIGITALOCEAN_TOKEN", tokens["digitalocean"])
        monkeypatch.setenv("DIGITALOCEAN_API_URL", cloud.digitalocean)
        monkeypatch.setenv("LINODE_TOKEN", tokens["linode"])
        monkeypatch.setenv("LINODE_API_URL", cloud.linode)
        settings = {"provider": "digitalocean", "machine_url": "https://lab.example.org"}
        with fresh_server(wiring.open_shop({}), seats=30, pool=0, **settings) as started:
            yield started


def test_a_trainer_sees_that_machines_are_missing_and_later_that_all_is_there(
    renting: FreshServer, world: World, ipad: BrowserContext, faults: Faults
) -> None:
    page = sign_in_trainer(ipad, renting)
    page.goto(f"{renting.address}/c/demo")
    card = page.get_by_role("region", name="Before the class")
    expect(card.get_by_text("1 thing is missing")).to_be_visible()
    expect(card.get_by_role("img", name="0 there now, 60 needed, 25 allowed")).to_be_visible()
    card.get_by_text("Text to send to DigitalOcean").click()
    expect(card.get_by_text("Please raise the limit of our account to 60")).to_be_visible()
    nothing_found(page)
    world.accounts["digitalocean"].server_limit = 60
    enough = card.get_by_role("img", name="0 there now, 60 needed, 60 allowed")
    for _ in range(TRIES_MAX):  # too soon after a look, what it saw is shown again
        card.get_by_role("button", name="Look again").click()
        with contextlib.suppress(AssertionError):
            expect(enough).to_be_visible(timeout=1_000)
            break
    expect(enough).to_be_visible()
    expect(card.get_by_text("missing")).to_have_count(0)
    assert faults == []


def test_a_trainer_says_where_else_a_class_may_have_its_machines(
    renting: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = sign_in_trainer(ipad, renting)
    page.goto(f"{renting.address}/c/demo/setup")
    page.get_by_text("When the cloud is full or slow").click()
    page.get_by_role("button", name="Also Linode").click()
    share = page.get_by_role("textbox", name="At most, in percent")
    share.fill("150")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("A share from 1 to 100, and a price above 0 or none.")).to_be_visible()
    nothing_found(page)
    share.fill("40")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("A share from 1 to 100")).to_have_count(0)
    expect(page.get_by_text("Saved.", exact=True).first).to_be_visible()
    page.reload()
    page.get_by_text("When the cloud is full or slow").click()
    expect(page.get_by_role("listitem").filter(has_text="1. Linode")).to_be_visible()
    expect(share).to_have_value("40")
    assert faults == []
