"""A class in the middle of its lesson: students at different steps, one stuck, one hand raised."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bench import people
from brihaspati import wiring
from brihaspati.adapters.labfolder import read_all
from brihaspati.domain.labs import Lab, Question, Step
from brihaspati.entrypoints.cli.client import Portal, Wire
from brihaspati.entrypoints.cli.fresh import FreshServer

LAB = "hello"
PROMPT_SECONDS_MAX = 20
SIDE_BY_SIDE = 3
SAID = (b"cat /srv/observatory/.note\n", b"ls -l /srv/observatory/logs\n", b"cd /srv/observatory\n")


@dataclass(frozen=True, slots=True)
class Seat:
    """One student of the lesson: steps passed alone, and then what goes on at the next one."""

    name: str
    passed: int = 0
    fails: int = 0
    hand: str | None = None
    solved: int = 0
    plays: bool = True


CLASS = (
    Seat("Asha Raghunathan", passed=2),
    Seat("Benedikt Vogel", passed=1, fails=4),
    Seat("Chiamaka Obi", passed=3),
    Seat("Diego Fuentes", passed=1, hand="The pipe prints nothing at all."),
    Seat("Elif Şahin", passed=1, solved=1),
    Seat("Farid Haddad", passed=2, fails=1),
    Seat("Grace Nakamura", passed=2),
    Seat("Hugo Lindqvist"),
    Seat("Imani Wanjiru", passed=1),
    Seat("Jonas Petersen", plays=False),
)


@dataclass(frozen=True, slots=True)
class Learner:
    """A student at work in the hello lab."""

    portal: Portal
    lab: Lab

    @property
    def place(self) -> str:
        """The lab's address."""
        return f"/v1/classes/demo/labs/{self.lab.name}"

    async def begin(self) -> Wire:
        """Play, and say something in the terminal."""
        await self.portal.send("PUT", f"{self.place}/sandbox", wait=True)
        await self.portal.until_phase(f"{self.place}/sandbox", ("ready",), PROMPT_SECONDS_MAX)
        wire = await self.portal.open(f"{self.place}/sandbox")
        await wire.until(b"#", PROMPT_SECONDS_MAX)
        for line in SAID:
            wire.type(line)
        return wire

    async def turn_to(self, step: Step) -> None:
        """Read a step."""
        await self.portal.send("PUT", f"{self.place}/progress", {"step": step.id})

    async def do(self, wire: Wire, step: Step) -> None:
        """Do what a step wants, check it and answer its questions."""
        await self.turn_to(step)
        wire.type(f"bash <<'DONE' >/dev/null 2>&1; echo do''ne\n{step.solve}\nDONE\n".encode())
        await wire.until(b"done", PROMPT_SECONDS_MAX)
        await self.check(step)
        for question in step.quiz:
            await self.portal.send("POST", self._at(step, "quiz"), _right(question))

    async def check(self, step: Step, times: int = 1) -> None:
        """Press Check, and wait for the verdict each time."""
        for _ in range(times):
            await self.portal.send("POST", self._at(step, "check"), {})
            await self._settled()

    async def give_up(self, step: Step) -> None:
        """Look at every hint, then have it done."""
        await self.turn_to(step)
        for seen in range(len(step.hints)):
            await self.portal.send("POST", self._at(step, "hint"), {"seen": seen})
        await self.portal.send("POST", self._at(step, "solve"), {})
        await self._settled()

    async def raise_hand(self, text: str) -> None:
        """Ask for the trainer."""
        await self.portal.send("PUT", f"{self.place}/hand", {"text": text})

    def _at(self, step: Step, what: str) -> str:
        return f"{self.place}/steps/{step.id}/{what}"

    async def _settled(self) -> None:
        while True:
            answer = await self.portal.send("GET", f"{self.place}/sandbox", wait=True)
            if not (answer["progress"] or {}).get("busy"):
                return


def _right(question: Question) -> dict[str, object]:
    if question.kind == "text":
        return {"question": question.id, "text": question.answers[0]}
    return {"question": question.id, "choices": [c.id for c in question.choices if c.right]}


def sign_in_address(running: FreshServer) -> str:
    """A one-time address for a trainer of the demo class."""
    command = [sys.executable, "-m", "brihaspati", "sign-in", "--name", "Prof. Meera Iyer"]
    command += ["--role", "instructor", "--class", "demo", "--json"]
    given = {**os.environ, "BRIHASPATI_DATA": str(running.folder)}
    said = subprocess.run(command, env=given, check=True, capture_output=True, text=True).stdout
    return str(json.loads(said)["url"])


@asynccontextmanager
async def lesson(running: FreshServer) -> AsyncIterator[None]:
    """The class at work for as long as the context lasts: its terminals stay open."""
    settings = wiring.open_shop({}).settings
    [lab] = [lab for lab in read_all(settings.labs)[0] if lab.name == LAB]
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        tasks = [_seat(running, http, lab, seat) for seat in CLASS]
        wires = await people.together(SIDE_BY_SIDE, tasks)
        yield
        for wire in wires:
            if wire is not None:
                wire.close()


async def _seat(
    running: FreshServer, http: aiohttp.ClientSession, lab: Lab, seat: Seat
) -> Wire | None:
    portal = Portal(running.address, http, None)
    await portal.send("POST", "/v1/join", {"code": running.code, "name": seat.name})
    if not seat.plays:
        return None
    learner = Learner(portal, lab)
    wire = await learner.begin()
    steps = iter(lab.steps)
    for step in [next(steps) for _ in range(seat.passed)]:
        await learner.do(wire, step)
    for step in [next(steps) for _ in range(seat.solved)]:
        await learner.give_up(step)
    here = next(steps)
    await learner.turn_to(here)
    await learner.check(here, seat.fails)
    if seat.hand is not None:
        await learner.raise_hand(seat.hand)
    return wire
