"""A rented machine's agent: how soon it is there, what it weighs. On machines of the stand-in.

It serves without TLS here, for no issuer of certificates is part of the bench.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import figures, procfs
from bench.figures import Figure
from brihaspati import wiring
from brihaspati.adapters import agentarchive
from brihaspati.entrypoints.cli.fresh import fresh_server
from brihaspati_cloudsim import running, server
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.agenda import real_clock
from brihaspati_cloudsim.machines.pool import Pool
from brihaspati_cloudsim.world import World

MACHINES, MACHINES_QUICK = 5, 2
SECONDS_MAX = 60
PORTAL = "127.198.255.1:443"
NETWORKS = {"digitalocean": "127.198", "linode": "127.199"}
TARGET_BOOT_SECONDS, TARGET_MB, TARGET_ARCHIVE_MB = 2, 30, 5
_MB = 1024 * 1024


def find(quick: bool) -> Iterator[Figure]:  # noqa: FBT001 - a bench is called like this
    """Machines one after another, as root; each is looked at when its lab is ready."""
    boots, readies, memories = [], [], []
    with _class() as (pool, code):
        for number in range(MACHINES_QUICK if quick else MACHINES):
            student = _Student(code, f"Student {number}")
            readies.append(student.play())
            (machine,) = (one for one in pool.machines.values())
            disk = pool.folder / machine.server.key / "root"
            boots.append(_told(disk) - (disk / "etc/hostname").stat().st_mtime)
            memories.append(_memory_mb(machine.server.name))
            student.stop()
    archive = len(agentarchive.build().data) / _MB
    boot = round(figures.middle(boots), 2)
    yield Figure("rented", "user data begins to agent at work", boot, "s", TARGET_BOOT_SECONDS)
    yield Figure("rented", "Play to ready, on the stand-in", round(figures.middle(readies), 2), "s")
    memory = round(figures.middle(memories), 1)
    yield Figure("rented", "agent's memory (PSS), lab ready, no TLS", memory, "MB", TARGET_MB)
    size = round(archive, 2)
    yield Figure("rented", "agent's archive", size, "MB", TARGET_ARCHIVE_MB)


@contextlib.contextmanager
def _class() -> Iterator[tuple[Pool, str]]:
    """A server that rents from the stand-in, and its class's code."""
    with contextlib.ExitStack() as stack:
        world = World(real_clock(), lags=Lags.none(), networks=NETWORKS)
        tokens = world.add_usual_tokens()
        pool = stack.enter_context(running.bodies(world, "light"))
        assert pool is not None
        cloud = stack.enter_context(server.serving(world))
        os.environ["DIGITALOCEAN_TOKEN"] = tokens["digitalocean"]
        os.environ["DIGITALOCEAN_API_URL"] = cloud.digitalocean
        started = fresh_server(
            wiring.open_shop({}),
            provider="digitalocean",
            pool=0,
            listen=PORTAL,
            origins=f"http://{PORTAL}",
            machine_url=f"http://{PORTAL}",
            acme="none",
        )
        yield pool, stack.enter_context(started).code


class _Student:
    """Plays the lab `hello`."""

    def __init__(self, code: str, name: str) -> None:
        self._cookie = ""
        joined = self._ask("POST", "/v1/join", {"code": code, "name": name})
        self._sandbox = f"/v1/classes/{joined['class_id']}/labs/hello/sandbox"

    def play(self) -> float:
        """Seconds from Play to ready."""
        began = time.monotonic()
        self._ask("PUT", self._sandbox)
        self._until("ready")
        return time.monotonic() - began

    def stop(self) -> None:
        """Until it is gone."""
        self._ask("DELETE", self._sandbox)
        self._until("gone")

    def _until(self, phase: str) -> None:
        ends = time.monotonic() + SECONDS_MAX
        while (said := self._ask("GET", self._sandbox)["sandbox"])["phase"] != phase:
            if said["phase"] == "failed" or time.monotonic() > ends:
                raise RuntimeError(f"it is {said['phase']}, not {phase}: {said['reason']}")
            time.sleep(0.05)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "Cookie": self._cookie}
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"http://{PORTAL}{path}", data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310
            if cookie := answer.headers.get("Set-Cookie"):
                self._cookie = cookie.partition(";")[0]
            return json.loads(answer.read() or b"null")


def _told(disk: Path) -> float:
    """When the agent had spent its token and knew its lab."""
    return (disk / "var/lib/brihaspati/orders.json").stat().st_mtime


def _memory_mb(host: str) -> float:
    """Of the agent on the machine of this name, shared pages divided among those who share."""
    for pid, command in procfs.texts("cmdline"):
        if "agent.pyz" in command and _host_of(pid) == host:
            told = Path(f"/proc/{pid}/smaps_rollup").read_text()
            found = re.search(r"^Pss:\s+(\d+) kB", told, re.MULTILINE)
            assert found is not None
            return int(found[1]) / 1024
    raise RuntimeError(f"no agent runs on {host}")


def _host_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/root/etc/hostname").read_text().strip()
    except OSError:
        return ""


if __name__ == "__main__":
    figures.main("rented", find)
