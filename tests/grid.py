"""Prints the phase x event grid: `python tests/grid.py > docs/lifecycle.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import lifetimes
from brihaspati.domain.events import (
    AgentReady,
    CreateRefused,
    CreateUnclear,
    DeleteAsked,
    Event,
    MachineGone,
    MachineLost,
    MachineMissing,
    MachineSeen,
    MachineUnfit,
    Woke,
)
from brihaspati.domain.lifecycle import decide
from brihaspati.domain.sandboxes import Phase, Sandbox

PHASES: tuple[Phase, ...] = ("queued", "starting", "ready", "stopping", "gone", "failed")
# Long after every deadline, and after the class in which the sandbox is.
LATE = lifetimes.NOW + 24 * 3_600_000
STEPS_MAX = 6
ABOUT_MACHINES = (
    AgentReady,
    CreateRefused,
    CreateUnclear,
    DeleteAsked,
    MachineGone,
    MachineLost,
    MachineMissing,
    MachineUnfit,
)
HEAD = """# The lifecycle, phase by event

Printed from `brihaspati.domain.lifecycle.decide` by `python tests/grid.py`; a test compares.
What the effects are for is told in [never lose a machine](explanation/never-lose.md).

## The phases

Every way from a phase to another that was found by trying every event in every state within
six steps of a Play, in time and when all time is over. A name on an arrow is an event that leads
there in some state; most events in most states lead nowhere.

"""
GRID = """
## The grid

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


def cell(phase: Phase, place: int, now: int = lifetimes.NOW) -> str:
    """What the event at this place of the list does in a phase."""
    sandbox = lifetimes.in_phase(phase)
    decision = decide(sandbox, lifetimes.one_of_each(sandbox)[place], now)
    words = [] if decision.sandbox.phase == phase else [f"**{decision.sandbox.phase}**"]
    words += [type(effect).__name__ for effect in decision.effects]
    if not words and decision.sandbox != sandbox:
        words = ["noted"]
    return ", ".join(words)


def rows() -> Iterator[tuple[str, list[str]]]:
    """The grid; waking up is shown in time and too late."""
    for place, event in enumerate(lifetimes.one_of_each(lifetimes.fresh())):
        called = f"{name(event)} in time" if isinstance(event, Woke) else name(event)
        yield called, [cell(phase, place) for phase in PHASES]
        if isinstance(event, Woke):
            yield "Woke when time is over", [cell(phase, place, LATE) for phase in PHASES]


def _about(event: Event, label: str) -> Event:
    """The same about this machine, if it is about one."""
    if isinstance(event, MachineSeen):
        return lifetimes.seen(label, usable=event.usable)
    return replace(event, label=label) if isinstance(event, ABOUT_MACHINES) else event


def _told(sandbox: Sandbox) -> list[tuple[Event, int]]:
    """Everything that can happen to a sandbox, about the machine of its last attempt."""
    known: tuple[Event, ...] = lifetimes.one_of_each(sandbox)
    label = sandbox.machines[-1].label if sandbox.machines else lifetimes.LABEL
    about = [_about(event, label) for event in known]
    return [(e, now) for e in about for now in (lifetimes.NOW, LATE)]


def ways() -> dict[tuple[Phase, Phase], set[str]]:
    """From which phase to which, and by which events."""
    found: dict[tuple[Phase, Phase], set[str]] = {}
    terms = replace(lifetimes.TERMS, attempts_max=1, closes_at=LATE)
    begun = {lifetimes.fresh(), lifetimes.fresh(terms), lifetimes.pooled()}
    seen, edge = set(begun), begun
    for _ in range(STEPS_MAX):
        fresh = set()
        for sandbox in edge:
            for event, now in _told(sandbox):
                after = decide(sandbox, event, now).sandbox
                if after.phase != sandbox.phase:
                    way = (sandbox.phase, after.phase)
                    found.setdefault(way, set()).add(type(event).__name__)
                fresh.add(after)
        edge = fresh - seen
        seen |= edge
    return found


def diagram() -> str:
    """The phases and the ways between them, as GitHub draws them."""
    found = ways()
    arrows = [
        f"    {one} --> {other}: {', '.join(sorted(found[one, other]))}"
        for one in PHASES
        for other in PHASES
        if (one, other) in found
    ]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> queued", *arrows, "```", ""])


def page() -> str:
    """The whole page."""
    lines = ["| event | " + " | ".join(PHASES) + " |", "|---" * (len(PHASES) + 1) + "|"]
    lines += [f"| {called} | " + " | ".join(cells) + " |" for called, cells in rows()]
    return HEAD + diagram() + GRID + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
