"""What a student does with the guide: turn, check, solve, ask for a hint, answer, raise a hand.

Every command changes the student's progress, one item, by compare-and-set: whoever was slower reads
again and changes that, so nothing is lost when a verdict, an answer and a turn arrive at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from brihaspati import ports
from brihaspati.domain import progress
from brihaspati.domain.labs import Lab
from brihaspati.domain.progress import Given, Progress, Result, Run, RunKind
from brihaspati.domain.sandboxes import Sandbox, Slot
from brihaspati.engine import records
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Record, Standing
from brihaspati.engine.scripts import Page, Scripts
from brihaspati.engine.world import World

log = logging.getLogger(__name__)

CONFLICTS_MAX = 50
ENDED = "The lab ended while this ran."
FAULT = "This could not be run because of a fault on our side. Press again."


class Learning:
    """The commands of the guide. Each is safe to repeat."""

    def __init__(self, world: World) -> None:
        self.world = world

    def page(self, standing: Standing, lab: Lab, step: str) -> Page:
        """A step by id. Raises Problem when the lab does not have it."""
        for found in lab.steps:
            if found.id == step:
                return Page(standing, lab, found)
        raise Problem(
            "not_found",
            f"{lab.title} has no step {step}.",
            "Reload the page: the lab may have changed.",
            field="step",
        )

    # --- at once -------------------------------------------------------------------------------
    def turn(self, page: Page) -> Standing:
        """The student has turned to the step."""
        steps, step, now = page.lab.steps, page.step.id, self.world.clock.now()
        return self._change(page.standing, lambda own: progress.turned(own, steps, step, now))

    def hint(self, page: Page, seen: int) -> Standing:
        """Reveal the hint after those the page showed."""
        return self._change(page.standing, lambda own: progress.revealed(own, page.step, seen))

    def answer(self, page: Page, question: str, given: Given) -> Standing:
        """Grade an answer. Raises BadField, and Problem for an unknown question."""
        asked = next((q for q in page.step.quiz if q.id == question), None)
        if asked is None:
            title = f"This step has no question {question}."
            raise Problem("not_found", title, "Reload the page.", field="question")
        now = self.world.clock.now()
        return self._change(
            page.standing, lambda own: progress.answered(own, page.step, asked, given, now)
        )

    def raise_hand(self, standing: Standing, text: str) -> Standing:
        """Ask the trainer to come."""
        now = self.world.clock.now()
        return self._change(standing, lambda own: progress.raised(own, text, now))

    def lower_hand(self, standing: Standing) -> Standing:
        """Nobody needs to come (any more)."""
        return self._change(standing, progress.lowered)

    # --- in the lab ----------------------------------------------------------------------------
    def check(self, page: Page, record: Record | None, *, quiet: bool) -> Standing:
        """Run the checks of the step; of a quiet run only those that are to be watched.

        Raises Problem when there is nothing to run or no lab to run it in.
        """
        checks = [check for check in page.step.checks if check.watch or not quiet]
        if not checks:
            raise Problem("not_found", "This step has nothing to check.", "Read on.", field="step")
        return self._begin(page, record, "watch" if quiet else "check")

    def solve(self, page: Page, record: Record | None) -> Standing:
        """Have the step done for the student, then checked. Raises Problem, as `check`."""
        if page.step.solve is None:
            raise Problem(
                "not_found", "This step has no solution to run.", "Do it by hand.", field="step"
            )
        return self._begin(page, record, "solve")

    def _begin(self, page: Page, record: Record | None, kind: RunKind) -> Standing:
        """Note that scripts run, and have them run; the progress as it is after that."""
        if record is None or record.sandbox.phase != "ready":
            raise Problem("not_ready", "The lab is not running.", "Press Play first.")
        sandbox, world = record.sandbox, self.world
        run = Run(world.chance.name(12), kind, page.step.id, sandbox.id, world.clock.now())
        begun = self._change(page.standing, lambda own: progress.begun(own, run))
        if begun.progress.run != run:
            return begun  # another one is under way
        world.checking(sandbox.id, True)  # noqa: FBT003
        page = replace(page, standing=begun)
        if not world.runs_scripts:
            return self._pass_on(page, sandbox, run)
        world.aside(lambda: self._run(page, sandbox, run))
        return self._read(begun)

    def _pass_on(self, page: Page, sandbox: Sandbox, run: Run) -> Standing:
        """Leave the scripts to those who run them; without the queue nobody waits for an end."""
        try:
            self.world.queue.put(records.script_message(sandbox.slot, run.id))
        except (ports.Busy, ports.Refused):
            log.exception("a run was not passed on", extra={"sandbox": sandbox.id})
            return self._finish(page, sandbox, run, Result(problem=FAULT))
        return page.standing

    def run_asked(self, slot: Slot, run_id: str) -> None:
        """Run the scripts that somebody passed on; once, however often the message comes."""
        standing_key = records.key_of_standing(slot)
        found = self.world.store.get_many((records.sandbox_key(slot), standing_key))
        if len(found) < 2:
            return
        standing = records.standing_of(found[standing_key])
        sandbox = records.record_of(found[records.sandbox_key(slot)]).sandbox
        run, now = standing.progress.run, self.world.clock.now()
        if run is None or run.id != run_id or not self._take(sandbox, run, now):
            return
        item = self.world.store.get(records.lab_key(slot.lab, sandbox.terms.lab_version))
        if item is None:
            raise ValueError(f"lab {slot.lab} {sandbox.terms.lab_version} is not published")
        self._run(self.page(standing, records.lab_of(item), run.step), sandbox, run)

    def _take(self, sandbox: Sandbox, run: Run, now: int) -> bool:
        """Whether a run is ours: who is first takes it, and whoever dies of it has it still."""
        key = records.machine_key(sandbox.id, f"run#{run.id}")
        put = ports.Put(key, {"at": now}, expect=0, expires_at=now + progress.RUN_MS_MAX)
        try:
            self.world.store.transact((put,))
        except ports.Conflict:
            return False
        return True

    def _run(self, page: Page, sandbox: Sandbox, run: Run) -> None:
        """Run the scripts and store what came of it; whoever waits hears of the end."""
        try:
            result = Scripts(self.world, page, sandbox, run).run()
        except Exception:
            log.exception("a run failed", extra={"sandbox": sandbox.id, "step": page.step.id})
            self.world.metrics.count("failed_checks")
            result = Result(problem=FAULT)
        self._finish(page, sandbox, run, result)

    def _finish(self, page: Page, sandbox: Sandbox, run: Run, result: Result) -> Standing:
        """Store a result, but not what scripts say of machines that were being deleted."""
        item = self.world.store.get(records.sandbox_key(sandbox.slot))
        now = self.world.clock.now()
        current = records.record_of(item).sandbox if item is not None else None
        if current is None or (current.id, current.phase) != (sandbox.id, "ready"):
            result = Result(problem=ENDED)
        after = self._change(
            self._read(page.standing), lambda own: progress.ended(own, page.step, run, result, now)
        )
        if after.progress.run is None:  # or else another run took its place, which is waited for
            self.world.checking(sandbox.id, False)  # noqa: FBT003
        return after

    # --- compare and set -----------------------------------------------------------------------
    def _change(self, standing: Standing, how: Callable[[Progress], Progress]) -> Standing:
        """Change the progress as it is by now. Raises Problem when too many others do."""
        for _ in range(CONFLICTS_MAX):
            changed = replace(standing, progress=how(standing.progress))
            if changed.progress == standing.progress:
                return standing
            try:
                versions = self.world.store.transact((records.put_standing(changed),))
            except ports.Conflict as conflict:
                standing = _as_stored(standing, conflict.found.get(0))
            else:
                return replace(changed, version=versions[0])
        raise Problem("busy", "Too much happens in this lab at once.", "Try again in a moment.")

    def _read(self, standing: Standing) -> Standing:
        return _as_stored(standing, self.world.store.get(records.standing_key(standing)))


def _as_stored(standing: Standing, item: ports.Item | None) -> Standing:
    if item is None:
        return replace(standing, progress=progress.BLANK, version=0)
    return records.standing_of(item)
