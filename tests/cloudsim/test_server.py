"""Both clouds over a real socket, and the control endpoint beside them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from brihaspati_cloudsim import server
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.agenda import VirtualClock
from brihaspati_cloudsim.world import World
from standin import BOOTED, DROPLET, INSTANCE


@pytest.fixture
def world() -> World:
    world = World(VirtualClock(), lags=Lags.none())
    world.add_usual_tokens()
    return world


@pytest.fixture
def address(world: World) -> Iterator[server.Address]:
    with server.serving(world, speed=1_000) as address:
        yield address


def _ask(url: str, method: str = "GET", body: Any = None, token: str = "") -> Any:
    sent = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    asked = urllib.request.Request(url, sent, headers, method=method)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return json.loads(answer.read() or b"null")


def test_both_clouds_answer_on_one_port(world: World, address: server.Address) -> None:
    droplet = _ask(f"{address.digitalocean}/v2/droplets", "POST", DROPLET, "dop_v1_stand-in")
    assert droplet["droplet"]["status"] == "active"
    instance = _ask(f"{address.linode}/linode/instances", "POST", INSTANCE, "linode-stand-in")
    assert instance["status"] == "offline"
    images = _ask(f"{address.linode}/images/linode%2Fdebian12", token="linode-stand-in")
    assert images["id"] == "linode/debian12"
    ledger = _ask(f"{address.root}/_sim/ledger")
    assert ledger["accounts"]["linode"]["running"] == 1
    assert ledger["cost_micros"] == world.cost_micros() > 0


def test_a_refusal_has_its_status_body_and_headers(address: server.Address) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        _ask(f"{address.digitalocean}/v2/droplets", token="wrong")
    assert caught.value.code == 401
    assert json.loads(caught.value.read())["id"] == "unauthorized"


def test_an_answer_is_dropped_after_the_effect_or_hangs_first(
    world: World, address: server.Address
) -> None:
    for fault in ({"kind": "drop_after"}, {"kind": "hang_after", "seconds": 100}):
        _ask(f"{address.root}/_sim/faults", "POST", fault)
        body = INSTANCE | BOOTED | {"label": fault["kind"]}
        with pytest.raises((ConnectionError, urllib.error.URLError)):
            _ask(f"{address.linode}/linode/instances", "POST", body, "linode-stand-in")
    assert [seen.name for seen in world.running()] == ["drop_after", "hang_after"]
    asked = _ask(f"{address.root}/_sim/requests")
    assert [request["status"] for request in asked] == [None, None]
    assert _ask(f"{address.root}/_sim/faults", "DELETE") == {}


def test_control_says_what_is_wrong_with_a_request(address: server.Address) -> None:
    wrong: list[tuple[str, str, Any, str]] = [
        ("POST", "faults", {"kind": "gremlins"}, "kind: one of"),
        ("POST", "faults", [], "a JSON object"),
        ("POST", "strangers", {"provider": "linode"}, "name: is needed"),
        ("POST", "tokens", {"provider": "linode"}, "secret:"),
        ("GET", "moon", None, "GET /_sim/ledger"),
    ]
    for method, what, body, said in wrong:
        with pytest.raises(urllib.error.HTTPError) as caught:
            _ask(f"{address.root}/_sim/{what}", method, body)
        assert said in json.loads(caught.value.read())["error"]


def test_control_changes_the_account_and_the_clock(world: World, address: server.Address) -> None:
    sold_out = {"provider": "digitalocean", "server_limit": 3, "sold_out": [["fra1", "x"]]}
    _ask(f"{address.root}/_sim/account", "POST", sold_out)
    account = world.accounts["digitalocean"]
    assert (account.server_limit, account.sold_out) == (3, {("fra1", "x")})
    key = _ask(f"{address.root}/_sim/keys", "POST", {"name": "k", "public_key": "ssh-ed25519 A"})
    assert key["id"] in account.keys
    before = world.now()
    _ask(f"{address.root}/_sim/clock", "POST", {"advance_seconds": 60})
    assert world.now() == before + 60_000
    stranger = {"provider": "linode", "name": "theirs"}
    assert _ask(f"{address.root}/_sim/strangers", "POST", stranger)["stranger"] is True
    assert [row["name"] for row in _ask(f"{address.root}/_sim/servers")] == ["theirs"]
