"""Prints the phase x event grid: `python tests/grid.py > docs/lifecycle.md`."""

from __future__ import annotations

import sys

import lifetimes
from brihaspati.domain.events import CreateRefused, Event, MachineSeen
from brihaspati.domain.lifecycle import decide
from brihaspati.domain.sandboxes import Phase

PHASES: tuple[Phase, ...] = ("queued", "starting", "ready", "stopping", "gone", "failed")
HEAD = """# The lifecycle, phase by event

Printed from `brihaspati.domain.lifecycle.decide` by `python tests/grid.py`; a test compares.
Each cell says the next phase and the effects; an empty cell changes nothing. The sandbox has one
machine, of its first attempt; `Claimed` is shown on a student's sandbox and concerns pooled ones.

"""


def name(event: Event) -> str:
    """An event's name, with what matters of it."""
    match event:
        case MachineSeen():
            return "MachineSeen usable" if event.usable else "MachineSeen booting"
        case CreateRefused():
            return "CreateRefused retryable" if event.retryable else "CreateRefused for good"
        case _:
            return type(event).__name__


def cell(phase: Phase, place: int) -> str:
    """What the event at this place of the list does in a phase."""
    sandbox = lifetimes.in_phase(phase)
    decision = decide(sandbox, lifetimes.one_of_each(sandbox)[place], lifetimes.NOW)
    words = [] if decision.sandbox.phase == phase else [f"**{decision.sandbox.phase}**"]
    words += [type(effect).__name__ for effect in decision.effects]
    if not words and decision.sandbox != sandbox:
        words = ["noted"]
    return ", ".join(words)


def page() -> str:
    """The whole page."""
    lines = ["| event | " + " | ".join(PHASES) + " |", "|---" * (len(PHASES) + 1) + "|"]
    for place, event in enumerate(lifetimes.one_of_each(lifetimes.fresh())):
        cells = (cell(phase, place) for phase in PHASES)
        lines.append(f"| {name(event)} | " + " | ".join(cells) + " |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
