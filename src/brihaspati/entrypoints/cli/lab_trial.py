"""A lab tried out: a fresh sandbox, every terminal, every check before and after its solution."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp
import click

from brihaspati import ports
from brihaspati.domain import labs, progress
from brihaspati.engine.demo import DEMO
from brihaspati.engine.records import Person
from brihaspati.entrypoints.cli.client import ClientError, Portal
from brihaspati.entrypoints.cli.play import first_output
from brihaspati.entrypoints.cli.shop import Progress, Shop, Studio

READY_SECONDS_MAX = 300
GONE_SECONDS_MAX = 60
SOLVE_SECONDS_MAX = 30
# A watched check runs again and again in every student's machine.
WATCHED_SECONDS_MAX = 3.0


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check said before the solution and after it."""

    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StepReport:
    """How a step did. `faults` say what the author has to mend."""

    id: str
    seconds: float = 0.0
    checks: tuple[CheckReport, ...] = ()
    questions: int = 0
    faults: tuple[str, ...] = ()

    def tried(self) -> str:
        """What there was to try."""
        parts = []
        if self.checks:
            parts.append(_counted(len(self.checks), "check"))
        if self.questions:
            parts.append(_counted(self.questions, "question"))
        return ", ".join(parts) or "to be read"


@dataclass(frozen=True, slots=True)
class LabReport:
    """How a lab did. `ready` and `seconds`: until it was, and in all."""

    lab: str
    faults: tuple[str, ...] = ()
    ready: float = 0.0
    seconds: float = 0.0
    terminals: tuple[str, ...] = ()
    steps: tuple[StepReport, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing has to be mended."""
        return not any(self.every_fault())

    def started(self) -> str:
        """What there was to try beside the steps."""
        opened = ", ".join(self.terminals)
        return f"a fresh sandbox, terminals {opened}" if opened else "nothing"

    def every_fault(self) -> list[str]:
        """All faults, each with where it is."""
        inside = [f"{self.lab}/{step.id}: {fault}" for step in self.steps for fault in step.faults]
        return [*self.faults, *inside]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "ok": self.ok}


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def try_labs(shop: Shop, chosen: Sequence[labs.Lab], report: Progress) -> dict[str, LabReport]:
    """Try each lab in a sandbox of its own; a line on standard error for what is done."""
    with shop.studio(chosen, report) as studio:
        me = studio.engine.classes.ensure_person(Person("command-line", "Command line", "admin"))
        cookie = shop.cookie(studio.engine, me.id)
        found = {}
        for lab in chosen:
            trial = Trial(studio, lab, lambda text: report(text, None))
            found[lab.name] = asyncio.run(trial.run(cookie))
        report("clearing away", None)
    return found


@dataclass
class Trial:
    """One lab in one sandbox."""

    studio: Studio
    lab: labs.Lab
    tell: Callable[[str], None]
    faults: list[str] = field(default_factory=list)
    terminals: list[str] = field(default_factory=list)
    steps: list[StepReport] = field(default_factory=list)
    ready: float = 0.0

    async def run(self, cookie: str) -> LabReport:
        """From Play to gone."""
        begun = time.perf_counter()
        path = f"/v1/classes/{DEMO}/labs/{self.lab.name}/sandbox"
        async with aiohttp.ClientSession() as http:
            portal = Portal(self.studio.address, http, cookie)
            try:
                await self._play(portal, path)
            except ClientError as error:
                self.faults.append(f"{self.lab.name}: {error}")
            finally:
                await self._stop(portal, path)
        return LabReport(
            self.lab.name,
            tuple(self.faults),
            self.ready,
            time.perf_counter() - begun,
            tuple(self.terminals),
            tuple(self.steps),
        )

    async def _play(self, portal: Portal, path: str) -> None:
        """Start the sandbox, open its terminals, go through the steps. Raises ClientError."""
        self.tell(f"{self.lab.name}: starting")
        begun = time.perf_counter()
        sandbox = (await portal.send("PUT", path, wait=True))["sandbox"]
        if sandbox["phase"] != "ready":
            sandbox = await portal.until_phase(path, ("ready",), READY_SECONDS_MAX)
        self.ready = time.perf_counter() - begun
        for terminal in self.lab.terminals:
            await self._open(portal, path, terminal)
        machines = self._labels(sandbox["id"])
        for number, step in enumerate(self.lab.steps, 1):
            self.tell(f"{self.lab.name}: step {number} of {len(self.lab.steps)}, {step.id}")
            done = await asyncio.to_thread(self._step, step, machines)
            self.steps.append(done)
            verdict = "FAILED" if done.faults else "ok"
            line = f"{self.lab.name}  {step.id}  {verdict}  {done.seconds:.1f} s"
            click.echo(line, err=True)

    async def _open(self, portal: Portal, path: str, terminal: labs.Terminal) -> None:
        """Connect to a terminal; a shell must show its prompt, another program need not."""
        name = terminal.name
        self.terminals.append(name)
        try:
            wire = await portal.open(path, terminal=name)
            if terminal.command is None:
                await first_output(wire)
            wire.close()
        except ClientError as error:
            self.faults.append(f"{self.lab.name}: the terminal {name} does not open: {error}")

    async def _stop(self, portal: Portal, path: str) -> None:
        try:
            await portal.send("DELETE", path)
            await portal.until_phase(path, ("gone", "failed"), GONE_SECONDS_MAX)
        except ClientError as error:
            self.faults.append(f"{self.lab.name}: it could not be deleted: {error}")

    def _labels(self, sandbox: str) -> dict[str, str]:
        """The provider's names of the machines."""
        for record in self.studio.engine.reading.running():
            if record.sandbox.id == sandbox:
                return {machine.name: machine.label for machine in record.sandbox.current}
        raise ClientError("it ended while it was tried")

    def _step(self, step: labs.Step, machines: Mapping[str, str]) -> StepReport:
        """Run what the step has, as the product does for a student."""
        begun = time.perf_counter()
        scripts = _Scripts(self.studio, self.lab, step, machines)
        try:
            checks = scripts.checked()
        except ports.Unreachable as gone:
            checks = ()
            scripts.faults.append(f"the lab cannot be reached: {gone}")
        faults = [*scripts.faults, *_wrong_questions(step)]
        return StepReport(
            step.id, time.perf_counter() - begun, checks, len(step.quiz), tuple(faults)
        )


class _Scripts:
    """The checks and the solution of one step."""

    def __init__(
        self, studio: Studio, lab: labs.Lab, step: labs.Step, machines: Mapping[str, str]
    ) -> None:
        self.agents = studio.engine.world.agents
        self.first = lab.machines[0].name
        self.step = step
        self.machines = machines
        self.faults: list[str] = []

    def checked(self) -> tuple[CheckReport, ...]:
        """Every check before the solution and after it. Raises Unreachable."""
        before = [self._before(check) for check in self.step.checks]
        self._solve()
        after = [self._after(check) for check in self.step.checks]
        return tuple(
            CheckReport(check.title, first, last)
            for check, first, last in zip(self.step.checks, before, after, strict=True)
        )

    def _run(self, script: str, machine: str | None, seconds: float) -> ports.ScriptOutcome:
        label = self.machines[machine or self.first]
        return self.agents.run(label, script, seconds_max=seconds)

    def _before(self, check: labs.Check) -> str:
        outcome, said = self._check(check)
        if outcome.code == 0 and not outcome.timed_out:
            self._fault(check, "passes before the step is done", said)
        return said

    def _after(self, check: labs.Check) -> str:
        outcome, said = self._check(check)
        if outcome.code == 1 and not outcome.timed_out:
            self._fault(check, "fails after the solution", said)
        return said

    def _check(self, check: labs.Check) -> tuple[ports.ScriptOutcome, str]:
        begun = time.perf_counter()
        outcome = self._run(check.script, check.machine, check.seconds_max)
        seconds = time.perf_counter() - begun
        said = progress.plain(outcome.output)
        if outcome.timed_out:
            self._fault(check, f"was not done after {check.seconds_max} s", said)
        elif outcome.code not in {0, 1}:
            self._fault(check, f"ends with {outcome.code}, which is neither 0 nor 1", said)
        elif not said:
            self._fault(check, "says nothing to the student", f"exit {outcome.code}")
        elif check.watch and seconds > WATCHED_SECONDS_MAX:
            self._fault(check, f"is watched and takes {seconds:.1f} s", said)
        return outcome, said

    def _solve(self) -> None:
        if self.step.solve is None:
            if self.step.checks:
                self.faults.append("it has checks and no solution. Add `solve`.")
            return
        outcome = self._run(self.step.solve, self.step.machine, SOLVE_SECONDS_MAX)
        said = progress.plain(outcome.output) or "it said nothing"
        if outcome.timed_out:
            self.faults.append(f"the solution was not done after {SOLVE_SECONDS_MAX} s: {said}")
        elif outcome.code != 0:
            self.faults.append(f"the solution ends with {outcome.code}: {said}")

    def _fault(self, check: labs.Check, what: str, said: str) -> None:
        fault = f"the check `{check.title}` {what}: {said or 'it said nothing'}"
        if fault not in self.faults:
            self.faults.append(fault)


def _wrong_questions(step: labs.Step) -> list[str]:
    """Questions that the right answer does not answer, or a wrong one does."""
    faults = []
    for question in step.quiz:
        right = tuple(choice.id for choice in question.choices if choice.right)
        wrong = [(choice.id,) for choice in question.choices if (choice.id,) != right]
        texts = question.answers or (None,)
        if not all(_graded(step, question, right, text) for text in texts):
            faults.append(f"a right answer to {question.html} is not taken for right")
        if question.kind != "text" and any(_graded(step, question, c, None) for c in wrong):
            faults.append(f"a wrong answer to {question.html} is taken for right")
    return faults


def _graded(
    step: labs.Step, question: labs.Question, choices: tuple[str, ...], text: str | None
) -> bool:
    given = progress.Given(choices, text)
    after = progress.answered(progress.BLANK, step, question, given, 0)
    found = after.at(step.id).answer(question.id)
    return found is not None and found.right
