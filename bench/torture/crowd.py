"""The class: students who play, type, press checks, extend and stop, whatever the server does."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
from picows import WSError

from bench.torture.tally import Tally
from brihaspati.entrypoints.cli.client import ClientError, Portal, Wire

ASK_SECONDS_MAX = 30
AGAIN_SECONDS = 0.1
# A start has 120 s; what is left over is for the server to come back and say so.
OUTCOME_SECONDS_MAX = 180
SHELL_SECONDS_MAX = 20
STAY_SECONDS_MAX = 8
OUTCOMES = {"ready": "ready", "failed": "failed with a reason", "gone": "stopped while starting"}
LABS = ("hello", "hello", "hello", "wide")
UNREACHABLE = (aiohttp.ClientError, OSError, TimeoutError, WSError)
_OWNERS = re.compile(rb"me_([\w,]*)_eme")


@dataclass(slots=True)
class Play:
    """A Play that was answered with a sandbox, and what came of it."""

    who: str
    outcome: str | None = None
    stopped: bool = False


@dataclass(slots=True)
class Crowd:
    """What the students of a run share.

    `up`: the server is thought to answer. `home`: all stop their labs at once. `gate`: when it
    opens, all who wait press Play at once. `over`: nobody begins anything new.
    """

    seed: int
    tally: Tally
    up: asyncio.Event = field(default_factory=asyncio.Event)
    home: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    plays: dict[str, Play] = field(default_factory=dict)

    def chance_of(self, who: str) -> Random:
        """The dice of one of us: the same again for the same seed, whatever the others do."""
        return Random(f"{self.seed} {who}")  # noqa: S311 - to be repeated, not to be secret


class Student:
    """One student with a seat and one lab at a time."""

    def __init__(self, crowd: Crowd, portal: Portal, name: str) -> None:
        self.crowd = crowd
        self.portal = portal
        self.name = name
        self._chance = crowd.chance_of(name)
        self._lab = LABS[0]
        self._known = ""
        self._wrote: set[str] = set()
        self._wire: Wire | None = None

    # --- asking --------------------------------------------------------------------------------
    async def ask(self, method: str, path: str, body: Any = None, *, wait: bool = False) -> Any:
        """The answer, through however many deaths of the server it takes. Raises ClientError."""
        while True:
            await self.crowd.up.wait()
            try:
                async with asyncio.timeout(ASK_SECONDS_MAX):
                    return await self.portal.send(method, path, body, wait=wait)
            except UNREACHABLE:
                self.crowd.tally.deeds["repeated requests"] += 1
                await asyncio.sleep(AGAIN_SECONDS)

    async def join(self, code: str) -> None:
        """Take a seat of the demo class."""
        await self.ask("POST", "/v1/join", {"code": code, "name": self.name, "key": self.name * 5})

    @property
    def _at(self) -> str:
        return f"/v1/classes/demo/labs/{self._lab}"

    @property
    def _sandbox(self) -> str:
        return f"{self._at}/sandbox"

    async def visit(self, lab: str) -> None:
        """Play a lab until it is ready. Raises ClientError."""
        self._lab = lab
        await self._press()
        await self._outcome(("ready", "failed", "gone"))

    async def leave(self) -> None:
        """Stop the lab of the last visit, and wait until it is gone."""
        await self._stop()
        await self._outcome(("failed", "gone"))

    # --- living --------------------------------------------------------------------------------
    async def live(self) -> None:
        """Play, use, stop, until it is over; one in eight labs is left running at the end."""
        crowd = self.crowd
        while not crowd.over.is_set():
            await crowd.gate.wait()
            self._lab = self._chance.choice(LABS)
            try:
                await self._once()
            except ClientError as refused:
                crowd.tally.refusals[str(refused)] += 1
                await asyncio.sleep(AGAIN_SECONDS)
        self._hang_up()

    async def _once(self) -> None:
        crowd = self.crowd
        self._hang_up()
        await self._press()
        if self._chance.random() < 0.1:
            await asyncio.sleep(self._chance.uniform(0, 0.3))
            await self._stop()
        elif await self._outcome(("ready", "failed", "gone")) == "ready":
            await self._stay()
            if crowd.over.is_set() and self._chance.random() < 0.5:
                return
            await self._stop()
        if self._chance.random() < 0.5 or self._lab == "wide":
            await self._outcome(("failed", "gone"))

    async def _press(self) -> None:
        """Press Play; whatever sandbox is the answer is ours from now on."""
        answer = await self.ask("PUT", self._sandbox)
        self._known = str(answer["sandbox"]["id"])
        if self._known not in self.crowd.plays:
            self.crowd.plays[self._known] = Play(f"{self.name}'s {self._lab}")
            self.crowd.tally.deeds["plays"] += 1

    async def _stop(self) -> None:
        """Press Stop. A lab that it stopped is never ready again.

        One that had failed has nothing to stop, and goes on under its name at the next Play.
        """
        self._hang_up()
        sandbox = (await self.ask("DELETE", self._sandbox))["sandbox"]
        self._play.stopped = sandbox is not None and sandbox["phase"] != "failed"
        deeds = self.crowd.tally.deeds
        deeds["stops"] += 1
        if self._play.outcome is None:
            self._play.outcome = "gone"
            deeds["stopped while starting"] += 1

    @property
    def _play(self) -> Play:
        return self.crowd.plays[self._known]

    async def _outcome(self, phases: tuple[str, ...]) -> str:
        """The phase the sandbox comes to; every way this can end wrong is a fault."""
        fault, since, play = self.crowd.tally.fault, time.monotonic(), self._play
        while True:
            stopped = play.stopped  # before the question: its answer may be on its way meanwhile
            sandbox = (await self.ask("GET", self._sandbox, wait=True))["sandbox"]
            if sandbox is None or sandbox["id"] != self._known:
                fault(f"{play.who}: the sandbox {self._known} was accepted, and forgotten")
                return "gone"
            phase = str(sandbox["phase"])
            if phase == "ready" and stopped:
                fault(f"{play.who}: {self._known} was stopped and is ready")
            if phase in phases:
                self._note(sandbox, play)
                return phase
            if time.monotonic() - since > OUTCOME_SECONDS_MAX:
                fault(f"{play.who}: {self._known} is {phase} after {OUTCOME_SECONDS_MAX} s")
                return phase

    def _note(self, sandbox: dict[str, Any], play: Play) -> None:
        phase, reason, tally = sandbox["phase"], sandbox["reason"], self.crowd.tally
        if phase == "failed" and not reason:
            tally.fault(f"{play.who}: {sandbox['id']} failed and nobody says why")
        if phase == "failed" and play.outcome != "failed":
            tally.refusals[f"failed: {reason}"] += 1
        if play.outcome is None:
            tally.deeds[OUTCOMES[phase]] += 1
        play.outcome = phase

    # --- in the lab ----------------------------------------------------------------------------
    async def _stay(self) -> None:
        """Work in the lab for a while, until called home or until it has ended under our hands."""
        end = time.monotonic() + self._chance.uniform(0, STAY_SECONDS_MAX)
        steps = [s["id"] for s in (await self.ask("GET", self._at))["lab"]["steps"]]
        while time.monotonic() < end and not self.crowd.home.is_set():
            sandbox = (await self.ask("GET", self._sandbox))["sandbox"]
            if sandbox is None or sandbox["phase"] != "ready":
                break
            try:
                async with asyncio.timeout(SHELL_SECONDS_MAX):
                    await self._act(sandbox, steps)
            except UNREACHABLE:
                self._hang_up()
            except ClientError as refused:
                self._hang_up()
                self.crowd.tally.refusals[str(refused)] += 1
            await asyncio.sleep(self._chance.uniform(0.05, 0.8))

    async def _act(self, sandbox: dict[str, Any], steps: list[str]) -> None:
        chosen, deeds = self._chance.random(), self.crowd.tally.deeds
        if chosen < 0.5:
            await self._type()
            deeds["terminal visits"] += 1
        elif chosen < 0.7:
            step = self._chance.choice(steps)
            await self.ask("POST", f"{self._at}/steps/{step}/check", {"quiet": chosen < 0.55})
            deeds["checks"] += 1
        elif chosen < 0.8:
            left = {"extensions_left": sandbox["extensions_left"]}
            await self.ask("POST", f"{self._sandbox}/extend", left)
            deeds["extensions"] += 1
        elif chosen < 0.9:
            await self._press()  # a second press changes nothing
        else:
            self._hang_up()

    async def _type(self) -> None:
        """Write our name where the next owner would find it, once, and read who else did."""
        if self._wire is None:
            self._wire = await self.portal.open(self._sandbox)
        first = f"echo {self.name} >> /root/.owner; " if self._known not in self._wrote else ""
        told = f"{first}seq 1 200; echo me_$(sort -u /root/.owner | tr '\\n' ,)_em''e\n"
        self._wire.type(told.encode())
        found = _OWNERS.search(await self._wire.until(b"_eme", SHELL_SECONDS_MAX))
        owners = set(found[1].decode().split(",")) - {""} if found else set()
        if strangers := owners - {self.name}:
            self.crowd.tally.fault(f"{self.name} found the work of {sorted(strangers)}")
        if self._known in self._wrote and self.name not in owners:
            self.crowd.tally.fault(f"{self.name} lost what was written in {self._known}")
        if self.name in owners:
            self._wrote.add(self._known)

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None
