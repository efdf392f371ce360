"""A server that rents, the clouds it rents from, and the issuer its machines ask: all real.

Machines are the stand-in's, with bodies: each boots its user data, runs the very agent and answers
at an address of its own on loopback.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import socket
import ssl
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import dns
import pebble
from brihaspati import wiring
from brihaspati.engine.engine import Engine
from brihaspati_agent import dialled
from brihaspati_cloudsim import running, server
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.agenda import real_clock
from brihaspati_cloudsim.machines.pool import Pool, missing
from brihaspati_cloudsim.world import World
from rented import stand_in

SECONDS_MAX = 90


@dataclass
class Household:
    """`address` is the portal's, `code` leads into its class; `engine` is the one that serves."""

    world: World
    pool: Pool
    issuer: pebble.Pebble
    address: str
    code: str
    engine: Engine
    patience_seconds: float = SECONDS_MAX

    def student(self, name: str) -> Student:
        """Somebody who joined the class."""
        student = Student(self)
        joined = student.ask("POST", "/v1/join", {"code": self.code, "name": name})
        student.class_id = joined["class_id"]
        return student

    def until(self, seen: Callable[[], Any]) -> Any:
        """What is seen once it is not nothing; what the machines said, when it never is."""
        ends = time.monotonic() + self.patience_seconds
        while not (found := seen()):
            assert time.monotonic() < ends, self.consoles()
            time.sleep(0.1)
        return found

    def consoles(self) -> str:
        """What the machines said: why a test failed."""
        logs = [*self.pool.folder.glob("*/console.log"), *self.pool.folder.glob("*/root/var/log/*")]
        return "\n".join(f"{p}:\n{p.read_text()[-3000:]}" for p in logs if p.is_file())


@dataclass
class Student:
    """One student's requests, as the page makes them."""

    house: Household
    cookie: str = ""
    class_id: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def sandbox(self) -> str:
        """The path of their lab `hello`."""
        return f"/v1/classes/{self.class_id}/labs/hello/sandbox"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request of the API; what it answers."""
        headers = {"Content-Type": "application/json", "Cookie": self.cookie}
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self.house.address}{path}", data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=SECONDS_MAX) as answer:
            if cookie := answer.headers.get("Set-Cookie"):
                self.cookie = cookie.partition(";")[0]
            return json.loads(answer.read() or b"null")

    def phase(self) -> str:
        """Of their lab."""
        return str(self.ask("GET", self.sandbox)["sandbox"]["phase"])

    def play(self) -> None:
        """Press Play and wait until the lab is ready."""
        self.ask("PUT", self.sandbox)

        def ready() -> bool:
            said = self.ask("GET", self.sandbox)["sandbox"]
            if said["phase"] in ("failed", "gone"):
                alarms = self.house.engine.world.store.query(f"s#{said['id']}", "alarm#").items
                why = [said["reason"], *(alarm.body for alarm in alarms)]
                raise AssertionError(f"{self.house.consoles()}\n{why}")
            return bool(said["phase"] == "ready")

        self.house.until(ready)

    def stop(self) -> None:
        """Press Stop and wait until the lab is gone."""
        self.ask("DELETE", self.sandbox)
        self.house.until(lambda: self.phase() == "gone")

    def ticket(self) -> dict[str, str]:
        """To their terminal, and where that is."""
        given: dict[str, str] = self.ask("POST", f"{self.sandbox}/ticket", {"for": "terminal"})
        return given

    @contextlib.contextmanager
    def terminal(self, name: str = "main") -> Iterator[Terminal]:
        """Their terminal over HTTPS, the machine's certificate verified."""
        ticket = self.ticket()
        there = urllib.parse.urlsplit(ticket["url"])
        assert (there.scheme, there.port) == ("wss", None)
        trust = ssl.create_default_context(cafile=str(self.house.issuer.roots))
        host = there.hostname or ""
        late = SECONDS_MAX  # the processor is shared
        call = dialled.Call((host, 443), host, there.path, trust, self.house.address)
        with dialled.dial(call, late) as line:
            first = {"ticket": ticket["ticket"], "terminal": name, "columns": 80, "rows": 24}
            line.send(json.dumps(first))
            line.recv(late)
            yield Terminal(line)


@dataclass
class Terminal:
    """An open terminal."""

    line: dialled.Line

    def run(self, command: str, until: str) -> str:
        """Type a command; all that is shown until this text is."""
        self.line.send(b"\x00" + command.encode() + b"\n")
        seen = b""
        while until.encode() not in seen:
            said = self.line.recv(SECONDS_MAX)
            if isinstance(said, bytes):
                seen += said[1:]
        return seen.decode(errors="replace")


@contextlib.contextmanager
def _free_networks() -> Iterator[int]:
    """The second number of three networks of loopback that are nobody else's until the end.

    Whoever has them holds a port there that nothing serves at: between looking whether they are
    free and serving there go seconds.
    """
    bases: list[int] = [*range(60, 180, 3)]
    first = os.getpid() % len(bases)
    for base in bases[first:] + bases[:first]:
        with socket.socket() as mark:
            try:
                mark.bind((f"127.{base}.255.3", 443))
            except OSError:
                continue
            yield base
            return
    raise OSError("every network of loopback is taken")


def _usual(folder: Path, portal: str, issuer: pebble.Pebble) -> dict[str, str]:
    """A server's settings; it and its machines trust the issuer."""
    trust = folder / "trust.pem"
    trust.write_bytes(issuer.ca.read_bytes() + issuer.roots.read_bytes())
    return {
        "BRIHASPATI_DATA": str(folder / "data"),
        "BRIHASPATI_LABS": "labs",
        "BRIHASPATI_POOL": "0",
        "BRIHASPATI_LISTEN": portal,
        "BRIHASPATI_ORIGINS": f"http://{portal}",
        "BRIHASPATI_MACHINE_URL": f"http://{portal}",
        "BRIHASPATI_ACME": issuer.directory,
        "BRIHASPATI_TRUST": str(trust),
    }


def _world(base: int) -> World:
    """Clouds without lags, whose machines are in networks of their own."""
    networks = {"digitalocean": f"127.{base + 1}", "linode": f"127.{base + 2}"}
    return World(real_clock(), lags=Lags.none(), networks=networks)


@contextlib.contextmanager
def _named(world: World, cloud: str, zone: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The cloud's account has a zone: where its DNS answers, and a server's settings."""
    stand_in.create_zone(world, cloud, zone)
    with dns.serving(functools.partial(stand_in.says, world, cloud, zone)) as asked:
        yield (
            asked,
            {
                "BRIHASPATI_NAMES": zone,
                "BRIHASPATI_NAMES_STOCK": "2",
                "BRIHASPATI_NAMES_SETTLE_SECONDS": "0",
            },
        )


@contextlib.contextmanager
def household(
    folder: Path,
    cloud: str = "digitalocean",
    life_seconds: int = 6 * 24 * 3600,
    zone: str = "",
    **settings: str,
) -> Iterator[Household]:
    """Open for as long as the context lasts; nothing of it stays. Skips where it cannot be.

    Certificates count for `life_seconds`. Machines have names in `zone`, if there is one, a zone of
    the cloud that the issuer asks. `settings` are added to the server's, as `BRIHASPATI_...`.
    """
    if sys.platform != "linux" or os.geteuid() != 0 or missing():
        pytest.skip("machines of the stand-in need root on Linux")
    with contextlib.ExitStack() as stack:
        base = stack.enter_context(_free_networks())
        portal = f"127.{base}.255.1:443"
        world = _world(base)
        token = world.add_usual_tokens()[cloud]
        asked = None
        if zone:
            asked, named = stack.enter_context(_named(world, cloud, zone))
            settings |= named
        issuer = stack.enter_context(
            pebble.running(folder, 443, f"127.{base}.255.2:443", life_seconds, asked)
        )
        pool = stack.enter_context(running.bodies(world, "light"))
        sim = stack.enter_context(server.serving(world))
        shop = wiring.open_shop(
            {
                **_usual(folder, portal, issuer),
                "BRIHASPATI_PROVIDER": cloud,
                f"{cloud.upper()}_TOKEN": token,
                f"{cloud.upper()}_API_URL": getattr(sim, cloud),
                **settings,
            }
        )
        with (
            shop._opened() as opened,
            shop._served(opened, lambda *_: None) as local,
            local.in_background(),
        ):
            assert pool is not None
            address, code = f"http://{portal}", local.parts.code
            yield Household(world, pool, issuer, address, code, opened.engine)
