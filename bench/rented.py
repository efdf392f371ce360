"""Rented machines: how soon one is asked for, at work and shown, and what its agent weighs.

On machines of the stand-in, whose certificates are of Debian's `pebble`; where that is missing they
serve without TLS. The server is behind a proxy with TLS, as in earnest.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import loopback
import pebble
import proxy
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
HOME, ISSUER = "127.198.255.1", "127.198.255.2:443"
PORTAL = f"https://{HOME}"
NETWORKS = {"digitalocean": "127.198", "linode": "127.199"}
TARGET_CREATE_MS, TARGET_SHOWN_SECONDS, TARGET_BOOT_SECONDS = 300, 1, 2
TARGET_MB, TARGET_ARCHIVE_MB = 30, 5
PAGE_WAITS = "wait=1"
PROGRAM = "brihaspati/run.py"
_MB = 1024 * 1024


@dataclass
class Seen:
    """What each machine showed. `creates` in ms; `boots`, `readies`, `shown` in s; memory in MB."""

    creates: list[float] = field(default_factory=list)
    boots: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    readies: list[float] = field(default_factory=list)
    memories: list[float] = field(default_factory=list)


def find(quick: bool) -> Iterator[Figure]:  # noqa: FBT001 - a bench is called like this
    """Machines one after another, as root; each is looked at when its lab is ready."""
    seen = Seen()
    with _class() as (pool, code, tls):
        for number in range(MACHINES_QUICK if quick else MACHINES):
            student = _Student(code, f"Student {number}")
            pressed_at, ready_at, shown_at = student.play()
            (machine,) = (one for one in pool.machines.values())
            disk = pool.folder / machine.server.key / "root"
            seen.creates.append(machine.server.created_at - pressed_at * 1000)
            seen.boots.append(_told(disk) - (disk / "etc/hostname").stat().st_mtime)
            seen.shown.append(shown_at - ready_at)
            seen.readies.append(shown_at - pressed_at)
            seen.memories.append(_memory_mb(machine.server.name))
            student.stop()
    yield from _figures(seen, "with TLS" if tls else "no TLS")


def _figures(seen: Seen, tls: str) -> Iterator[Figure]:
    def figure(name: str, values: list[float], unit: str, target: float | None) -> Figure:
        places = 0 if unit == "ms" else 2
        return Figure("rented", name, round(figures.middle(values), places), unit, target)

    yield figure("Play to the create call at the cloud", seen.creates, "ms", TARGET_CREATE_MS)
    yield figure("user data begins to agent at work", seen.boots, "s", TARGET_BOOT_SECONDS)
    yield figure("machine heard ready to page shows it", seen.shown, "s", TARGET_SHOWN_SECONDS)
    yield figure(f"Play to ready, on the stand-in, {tls}", seen.readies, "s", None)
    yield figure(f"agent's memory (PSS), lab ready, {tls}", seen.memories, "MB", TARGET_MB)
    size = len(agentarchive.build().data) / _MB
    yield figure("agent's archive", [size], "MB", TARGET_ARCHIVE_MB)


@contextlib.contextmanager
def _class() -> Iterator[tuple[Pool, str, bool]]:
    """A server that rents from the stand-in, its class's code, and whether machines have TLS."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bh-")))
        certificate = pebble.certificate_for(folder, f"IP:{HOME}")
        opener = urllib.request.HTTPSHandler(context=pebble.trusting(certificate[0]))
        urllib.request.install_opener(urllib.request.build_opener(opener))
        issuer = _issuer(stack, certificate[0].read_bytes())
        world = World(real_clock(), lags=Lags.none(), networks=NETWORKS)
        tokens = world.add_usual_tokens()
        pool = stack.enter_context(running.bodies(world, "light"))
        assert pool is not None
        cloud = stack.enter_context(server.serving(world))
        os.environ["DIGITALOCEAN_TOKEN"] = tokens["digitalocean"]
        os.environ["DIGITALOCEAN_API_URL"] = cloud.digitalocean
        listen = f"127.0.0.1:{loopback.free_port()}"
        started = fresh_server(
            wiring.open_shop({}),
            provider="digitalocean",
            pool=0,
            listen=listen,
            secure=1,
            origins=PORTAL,
            **issuer,
        )
        code = stack.enter_context(started).code
        stack.enter_context(proxy.proxying((HOME, 443), listen, certificate))
        yield pool, code, issuer["acme"] != "none"


def _issuer(stack: contextlib.ExitStack, portals: bytes) -> dict[str, object]:
    """Settings that name a pebble of our own, or nobody; machines trust the portal, too."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bh-")))
    trust = folder / "trust.pem"
    trust.write_bytes(portals)
    if shutil.which("pebble") is None:
        return {"acme": "none", "trust": trust}
    running = stack.enter_context(pebble.running(folder, 443, ISSUER))
    trust.write_bytes(portals + running.ca.read_bytes() + running.roots.read_bytes())
    return {"acme": running.directory, "trust": trust}


class _Student:
    """Plays the lab `hello`."""

    def __init__(self, code: str, name: str) -> None:
        self._cookie = ""
        joined = self._ask("POST", "/v1/join", {"code": code, "name": name})
        self._sandbox = f"/v1/classes/{joined['class_id']}/labs/hello/sandbox"

    def play(self) -> tuple[float, float, float]:
        """Moments, in s: Play was pressed, the machine was heard to be ready, the page knew."""
        pressed_at = time.time()
        self._ask("PUT", self._sandbox)
        sandbox = self._until("ready")
        return pressed_at, sandbox["ready_at"] / 1000, time.time()

    def stop(self) -> None:
        """Until it is gone."""
        self._ask("DELETE", self._sandbox)
        self._until("gone")

    def _until(self, phase: str) -> Any:
        """As a page asks: each question waits for the answer to change."""
        ends = time.monotonic() + SECONDS_MAX
        while (said := self._ask("GET", self._sandbox)["sandbox"])["phase"] != phase:
            if said["phase"] == "failed" or time.monotonic() > ends:
                raise RuntimeError(f"it is {said['phase']}, not {phase}: {said['reason']}")
        return said

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "Cookie": self._cookie}
        headers |= {"Prefer": PAGE_WAITS} if method == "GET" else {}
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{PORTAL}{path}", data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310
            if cookie := answer.headers.get("Set-Cookie"):
                self._cookie = cookie.partition(";")[0]
            return json.loads(answer.read() or b"null")


def _told(disk: Path) -> float:
    """When the agent had spent its token and knew its lab."""
    return (disk / "var/lib/brihaspati/orders.json").stat().st_mtime


def _memory_mb(host: str) -> float:
    """Of the agent on the machine of this name, shared pages divided among those who share."""
    found = [
        _pss_kb(pid)
        for pid, command in procfs.texts("cmdline")
        if PROGRAM in command and _host_of(pid) == host
    ]
    if not found:
        raise RuntimeError(f"no agent runs on {host}")
    return sum(found) / 1024


def _pss_kb(pid: int) -> int:
    told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", told, re.MULTILINE)
    assert found is not None
    return int(found[1])


def _host_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/root/etc/hostname").read_text().strip()
    except OSError:
        return ""


if __name__ == "__main__":
    figures.main("rented", find)
