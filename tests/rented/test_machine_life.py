"""A rented machine from Play to a terminal over HTTPS: a real agent on a stand-in's machine."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

import pebble
from brihaspati import wiring
from brihaspati_cloudsim import running, server
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.agenda import real_clock
from brihaspati_cloudsim.machines.pool import Pool, missing
from brihaspati_cloudsim.world import World

pytestmark = [pytest.mark.root, pytest.mark.slow]
PORTAL = "http://127.44.0.1:443"
SECONDS_MAX = 60


@dataclass
class House:
    """A running server that rents, the cloud it rents from, and the issuer of certificates."""

    world: World
    pool: Pool
    issuer: pebble.Pebble
    code: str
    cookie: str = ""
    class_id: str = ""

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "Cookie": self.cookie}
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{PORTAL}{path}", data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=20) as answer:
            if cookie := answer.headers.get("Set-Cookie"):
                self.cookie = cookie.partition(";")[0]
            return json.loads(answer.read() or b"null")

    def sandbox(self) -> str:
        return f"/v1/classes/{self.class_id}/labs/hello/sandbox"

    def until(self, seen: Callable[[], Any]) -> Any:
        ends = time.monotonic() + SECONDS_MAX
        while not (found := seen()):
            assert time.monotonic() < ends, self.consoles()
            time.sleep(0.1)
        return found

    def consoles(self) -> str:
        """What the machines said: why a test failed."""
        logs = [*self.pool.folder.glob("*/console.log"), *self.pool.folder.glob("*/root/var/log/*")]
        return "\n".join(f"{p}:\n{p.read_text()[-3000:]}" for p in logs if p.is_file())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    if sys.platform != "linux" or os.geteuid() != 0 or missing():
        pytest.skip("machines of the stand-in need root on Linux")

    with contextlib.ExitStack() as stack:
        issuer = stack.enter_context(pebble.running(tmp_path, 443, "127.44.0.2:443"))
        world = World(
            real_clock(), lags=Lags.none(), networks={"digitalocean": "127.46", "linode": "127.47"}
        )
        tokens = world.add_usual_tokens()
        pool = stack.enter_context(running.bodies(world, "light"))
        assert pool is not None
        cloud = stack.enter_context(server.serving(world))
        trust = tmp_path / "trust.pem"
        trust.write_bytes(issuer.ca.read_bytes() + issuer.roots.read_bytes())
        shop = wiring.open_shop(
            {
                "BRIHASPATI_DATA": str(tmp_path / "data"),
                "BRIHASPATI_LABS": "labs",
                "BRIHASPATI_PROVIDER": "digitalocean",
                "BRIHASPATI_POOL": "0",
                "BRIHASPATI_LISTEN": "127.44.0.1:443",
                "BRIHASPATI_ORIGINS": PORTAL,
                "BRIHASPATI_MACHINE_URL": PORTAL,
                "BRIHASPATI_ACME": issuer.directory,
                "BRIHASPATI_TRUST": str(trust),
                "DIGITALOCEAN_TOKEN": tokens["digitalocean"],
                "DIGITALOCEAN_API_URL": cloud.digitalocean,
            }
        )
        with (
            shop._opened() as opened,
            shop._served(opened, lambda *_: None) as local,
            local.in_background(),
        ):
            yield House(world, pool, issuer, local.parts.code)


def test_from_play_to_a_terminal_over_https_and_gone_again(house: House) -> None:
    joined = house.ask("POST", "/v1/join", {"code": house.code, "name": "Asha"})
    house.class_id = joined["class_id"]
    house.ask("PUT", house.sandbox())

    def ready() -> bool:
        said = house.ask("GET", house.sandbox())["sandbox"]
        assert said["phase"] not in ("failed", "gone"), (said, house.consoles())
        return bool(said["phase"] == "ready")

    house.until(ready)
    ticket = house.ask("POST", f"{house.sandbox()}/ticket", {"for": "terminal"})
    assert ticket["url"].startswith("wss://127.46.")
    trust = ssl.create_default_context(cafile=str(house.issuer.roots))
    with connect(ticket["url"], ssl=trust, origin=Origin(PORTAL), proxy=None) as line:
        first = {"ticket": ticket["ticket"], "terminal": "main", "columns": 80, "rows": 24}
        line.send(json.dumps(first))
        line.recv(10)
        line.send(b"\x00echo $((6*7)) $(id -un)\n")
        seen = b""
        while b"42 root" not in seen:
            said = line.recv(10)
            assert isinstance(said, bytes)
            seen += said[1:]
    house.ask("DELETE", house.sandbox())
    house.until(lambda: house.ask("GET", house.sandbox())["sandbox"]["phase"] == "gone")
    assert house.world.running() == []
