"""Run the scripts of a step in a student's lab, and put what came of it into words."""

from __future__ import annotations

from dataclasses import dataclass

from brihaspati import ports
from brihaspati.domain import labs, progress
from brihaspati.domain.progress import Result, Run, Verdict
from brihaspati.domain.sandboxes import Sandbox
from brihaspati.engine.records import Standing
from brihaspati.engine.world import World

# All scripts of a run together end before the run counts as over.
RUN_SECONDS_MAX = 50.0
SOLVE_SECONDS_MAX = 30.0
# What has less than this left is not begun.
SCRIPT_SECONDS_MIN = 0.5
KILLED = 128 + 9
NOT_YET = "Not done yet."
# What a shell says of a program that is not there, or cannot be started.
UNSTARTED = (126, 127)
NOT_YET_OR_FAULT = "Not done yet; or this check has a fault, for a program in it is missing."
OUT_OF_MEMORY = "It was stopped before its end; the machine may be out of memory."
NO_TIME = "There was no time left to run everything. Press again."
NO_HELP = "The solution ran, but not every check passes yet. Press Check in a moment."


@dataclass(frozen=True, slots=True)
class Page:
    """A step of a lab as one student has it before them."""

    standing: Standing
    lab: labs.Lab
    step: labs.Step


class NoTime(Exception):  # noqa: N818 - what there is not
    """The run has had its time."""


class Scripts:
    """One run. Everything in it together takes at most `RUN_SECONDS_MAX` from when it was asked."""

    def __init__(self, world: World, page: Page, sandbox: Sandbox, run: Run) -> None:
        self.world = world
        self.page = page
        self.asked = run
        self._labels = {machine.name: machine.label for machine in sandbox.current}
        self._verdicts: list[Verdict] = []

    def run(self) -> Result:
        """Run the solution, where that was asked for, and then the checks."""
        try:
            problem = self._all()
        except NoTime:
            problem = NO_TIME
        except ports.Unreachable as gone:
            problem = f"The lab cannot be reached now: {gone}"
        solved = self.asked.kind == "solve" and problem is None
        return Result(tuple(self._verdicts), problem, solved)

    def _all(self) -> str | None:
        """What was asked for; why it could not be done, if it could not."""
        solving, watching = self.asked.kind == "solve", self.asked.kind == "watch"
        if solving and (problem := self._solve()) is not None:
            return problem
        for check in self.page.step.checks:
            if check.watch or not watching:
                self._judge(check)
        return NO_HELP if solving and not all(v.ok for v in self._verdicts) else None

    def _solve(self) -> str | None:
        """Run the solution; why it did not work, if it did not."""
        script, seconds = self.page.step.solve or "", self._seconds(SOLVE_SECONDS_MAX)
        outcome = self.world.agents.run(
            self._label(self.page.step.machine), script, seconds_max=seconds
        )
        if outcome.code == 0 and not outcome.timed_out:
            return None
        return f"The solution did not work here. {_said(outcome, seconds)}"

    def _judge(self, check: labs.Check) -> None:
        seconds = self._seconds(check.seconds_max)
        outcome = self.world.agents.run(
            self._label(check.machine), check.script, seconds_max=seconds
        )
        ok = outcome.code == 0 and not outcome.timed_out
        text = progress.plain(outcome.output) if ok else _said(outcome, seconds)
        self._verdicts.append(Verdict(check.id, ok, text, self.world.clock.now()))

    def _label(self, machine: str | None) -> str:
        return self._labels[machine or self.page.lab.machines[0].name]

    def _seconds(self, most: float) -> float:
        """How long the next script may take. Raises NoTime when it need not begin."""
        left = RUN_SECONDS_MAX - (self.world.clock.now() - self.asked.since) / 1000
        if left < SCRIPT_SECONDS_MIN:
            raise NoTime
        return min(most, left)


def _said(outcome: ports.ScriptOutcome, seconds: float) -> str:
    """Why a script failed: its own words, unless it never came to say them."""
    if outcome.timed_out:
        return f"It was not done in time ({seconds:.0f} s)."
    if outcome.code < 0 or outcome.code == KILLED:
        return OUT_OF_MEMORY
    silent = NOT_YET_OR_FAULT if outcome.code in UNSTARTED else NOT_YET
    return progress.plain(outcome.output) or silent
