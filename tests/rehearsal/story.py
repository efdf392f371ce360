"""The story of a class, told to the deployed API step by step."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rehearsal import stage
from rehearsal.account import Failed
from rehearsal.people import Browser, Seat, until
from rehearsal.stage import Stage


@dataclass
class Story:
    """Each step does something, sees what must follow, and returns what to say of it."""

    on: Stage
    step: str = "begin"
    code: str = ""
    before: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.asha = Seat(Browser(stage.PORTAL, "Asha"), stage.CLASS)

    def play(self) -> None:
        """All steps. Raises Failed, and whatever else a step may meet."""
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("deploy", self.deploy),
            ("health", self.health),
            ("seed", self.seed),
            ("join", self.join),
            ("Play", self.press_play),
            ("Stop", self.stop),
            ("remove", self.remove),
        )
        for name, act in steps:
            self.step, begun = name, time.monotonic()
            found, now = act(), time.monotonic()
            took = f"({now - begun:.1f} s)"
            sys.stdout.write(f"{now - self.on.begun:6.1f} s  {name}: {found} {took}\n")
            sys.stdout.flush()

    def deploy(self) -> str:
        """From nothing to an API."""
        self.before = self.on.aws.there()
        token = self.on.tokens["digitalocean"]
        self.on.aws.put_parameters({"digitalocean-token": token, "digitalocean-sweep-token": token})
        self.on.deploy()
        return f"{len(self.on.aws.resources())} resources of the true serverless.yml"

    def health(self) -> str:
        """The first request that is answered."""
        said = Browser(stage.PORTAL, "anybody").did("GET", "/v1/health")
        return f"{said['status']}, version {said['version']}, answered from the zip"

    def seed(self) -> str:
        """A lab and a class."""
        room = stage.seed(self.on.engine(), stage.lab(), seats=5)
        self.code = room.code
        return f"lab hello is published, class {room.id} is open"

    def join(self) -> str:
        """A student with a code."""
        class_id = self.asha.who.join(self.code)
        found = self.asha.who.did("GET", f"/v1/classes/{class_id}")
        return f"Asha sees {found['title']} and {len(found['labs'])} lab"

    def press_play(self) -> str:
        """A machine is rented."""
        self.asha.who.did("PUT", self.asha.path)
        (label,) = until(self.on.labels, "a machine is rented", 60)
        return f"{label} is rented"

    def stop(self) -> str:
        """And given back."""
        self.asha.who.did("DELETE", self.asha.path)
        self.asha.until("gone", 60)
        if left := self.on.labels():
            raise Failed(f"still there, and paid for: {left}")
        return "gone, and the cloud has no machine"

    def remove(self) -> str:
        """As if it had never been."""
        if left := self.on.remove() - self.before:
            raise Failed(f"left behind: {sorted(left)}")
        return "removed, nothing left"
