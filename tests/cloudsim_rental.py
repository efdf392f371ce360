"""Servers with bodies, for the tests of this folder: rented over the API, on the real clock."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from brihaspati_cloudsim import running
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.agenda import real_clock
from brihaspati_cloudsim.exchange import Request
from brihaspati_cloudsim.machines import layers
from brihaspati_cloudsim.machines.pool import Pool, missing
from brihaspati_cloudsim.world import World
from standin import BOOTED, DROPLET, INSTANCE

PATIENCE_SECONDS = 60


@dataclass
class Rental:
    """A world whose servers run, and the pool that runs them."""

    world: World
    pool: Pool
    secrets: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request that succeeds."""
        provider = "digitalocean" if path.startswith("/v2") else "linode"
        headers = {"authorization": f"Bearer {self.secrets[provider]}"}
        sent = b"" if body is None else json.dumps(body).encode()
        answer = self.world.handle(Request(method, path, {}, headers, sent))
        assert answer.status < 300, answer.body
        return answer.body

    def rent(self, provider: str, **fields: Any) -> tuple[str, str]:
        """A server: its path and its address."""
        if provider == "digitalocean":
            made = self.ask("POST", "/v2/droplets", DROPLET | fields)["droplet"]
            addresses = {net["type"]: net["ip_address"] for net in made["networks"]["v4"]}
            return f"/v2/droplets/{made['id']}", addresses["public"]
        made = self.ask("POST", "/v4/linode/instances", INSTANCE | BOOTED | fields)
        return f"/v4/linode/instances/{made['id']}", made["ipv4"][0]

    def until(self, seen: Callable[[], Any]) -> Any:
        """What is seen once it is true; the world moves on meanwhile."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.world.settle()
            try:
                if found := seen():
                    return found
            except OSError as error:
                found = error
            assert time.monotonic() < deadline, found
            time.sleep(0.02)

    def page(self, address: str, path: str) -> str:
        """What a machine's web server says as soon as it says something."""
        return str(self.until(lambda: page(address, path)))

    def gone(self) -> bool:
        """Whether nothing of any machine is left on this host."""
        self.pool.settled()
        ours = str(self.pool.folder)
        running = [path for path in Path("/proc").glob("[0-9]*/mountinfo") if holds(path, ours)]
        left = [path for path in self.pool.folder.iterdir() if not path.name.startswith("image-")]
        return not left and not running and not self.pool.machines


def holds(mounts: Path, folder: str) -> bool:
    """Whether a process lives over a disk in this folder."""
    try:
        return folder in mounts.read_text()
    except OSError:
        return False  # it has just ended


def page(address: str, path: str, port: int = 443) -> str:
    """What a machine's web server says."""
    with urllib.request.urlopen(f"http://{address}:{port}/{path}", timeout=5) as answer:
        content: bytes = answer.read()
    return content.decode()


@pytest.fixture
def rental(request: pytest.FixtureRequest) -> Iterator[Rental]:
    """Servers that run; by `light` machines unless the test asks otherwise."""
    if why := missing():
        pytest.skip(why)
    networks = {"digitalocean": "127.42", "linode": "127.43"}
    world = World(real_clock(), lags=Lags.none(), networks=networks)
    secrets = world.add_usual_tokens()
    kind = getattr(request, "param", "light")
    if kind == "cloud-init":
        try:
            layers.layer()
        except layers.CannotFetch as error:
            pytest.skip(str(error))
    with running.bodies(world, kind) as pool:
        assert pool is not None
        yield Rental(world, pool, secrets)
    assert not pool.folder.exists()
