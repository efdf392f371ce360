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
OUT_OF_MEMORY = "It was stopped before its end; the machine may be out of memory."
NO_TIME = "There was no time left to run every check. Press again."
NO_HELP = "The solution ran, but not every check passes yet. Press Check in a moment."


@dataclass(frozen=True, slots=True)
class Page:
    """A step of a lab as one student has it before them."""

    standing: Standing
    lab: labs.Lab
    step: labs.Step


class Scripts:
    """One run. Everything in it together takes at most `RUN_SECONDS_MAX` from when it was asked."""

    def __init__(self, world: World, page: Page, sandbox: Sandbox, run: Run) -> None:
        self.world = world
        self.page = page
        self.asked = run
        self._labels = {machine.name: machine.label for machine in sandbox.current}

    def run(self) -> Result:
        """Run the solution, where that was asked for, and then the checks."""
        verdicts: list[Verdict] = []
        try:
            problem = self._solve() if self.asked.kind == "solve" else None
            for check in self.page.step.checks if problem is None else ():
                if self._seconds(check.seconds_max) < SCRIPT_SECONDS_MIN:
                    return Result(tuple(verdicts), NO_TIME)
                if check.watch or self.asked.kind != "watch":
                    verdicts.append(self._judge(check))
        except ports.Unreachable as gone:
            return Result(tuple(verdicts), f"The lab cannot be reached now: {gone}")
        if problem is None and self.asked.kind == "solve":
            solved = all(verdict.ok for verdict in verdicts)
            return Result(tuple(verdicts), None if solved else NO_HELP, solved)
        return Result(tuple(verdicts), problem)

    def _solve(self) -> str | None:
        """Run the solution; why it did not work, if it did not."""
        script, seconds = self.page.step.solve or "", self._seconds(SOLVE_SECONDS_MAX)
        outcome = self.world.agents.run(
            self._label(self.page.step.machine), script, seconds_max=seconds
        )
        if outcome.code == 0 and not outcome.timed_out:
            return None
        return f"The solution did not work here. {_said(outcome, seconds)}"

    def _judge(self, check: labs.Check) -> Verdict:
        seconds = self._seconds(check.seconds_max)
        outcome = self.world.agents.run(
            self._label(check.machine), check.script, seconds_max=seconds
        )
        ok = outcome.code == 0 and not outcome.timed_out
        text = progress.plain(outcome.output) if ok else _said(outcome, seconds)
        return Verdict(check.id, ok, text, self.world.clock.now())

    def _label(self, machine: str | None) -> str:
        return self._labels[machine or self.page.lab.machines[0].name]

    def _seconds(self, most: float) -> float:
        """How long the next script may take."""
        gone_ms = self.world.clock.now() - self.asked.since
        return min(most, RUN_SECONDS_MAX - gone_ms / 1000)


def _said(outcome: ports.ScriptOutcome, seconds: float) -> str:
    """Why a script failed: its own words, unless it never came to say them."""
    if outcome.timed_out:
        return f"It was not done in time ({seconds:.0f} s)."
    if outcome.code < 0 or outcome.code == KILLED:
        return OUT_OF_MEMORY
    return progress.plain(outcome.output) or NOT_YET
