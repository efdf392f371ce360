"""Who needs the trainer, why, and since when. Pure; the page says it in words.

A raised hand goes first, then a lab that failed, then a machine that may be misused, then checks
that fail again and again, then a student of whom nothing has been seen for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from brihaspati.domain import progress as standing
from brihaspati.domain.labs import Lab
from brihaspati.domain.progress import BLANK, Progress, StepState
from brihaspati.domain.sandboxes import Phase, Sandbox

TRIES_MAX = 3
QUIET_MS = 8 * 60_000
TEXT_MAX = 120

NeedKind = Literal["hand", "broken", "suspect", "failing", "quiet"]

ALIVE: frozenset[Phase] = frozenset({"queued", "starting", "ready"})
MARKS: dict[StepState, str] = {
    "untouched": ".",
    "seen": "o",
    "failing": "x",
    "passed": "p",
    "solved": "s",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One student in one lab. `input_at`: when they last typed into its terminals.

    `line` is the last one of its terminal. `suspect`: why its machine may be used for something
    else, if it may.
    """

    lab: Lab
    progress: Progress = BLANK
    sandbox: Sandbox | None = None
    input_at: int | None = None
    line: str = ""
    suspect: str | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """Why somebody needs the trainer, since when, in which lab.

    `text` has the student's own words, or those of a failing check or a failed sandbox.
    """

    kind: NeedKind
    since: int
    lab: str
    text: str = ""


def need(labs: Sequence[Seen], now: int) -> Need | None:
    """What a student needs most, of the labs they have touched."""
    for look in _LOOKS:
        found = [one for one in (look(seen, now) for seen in labs) if one is not None]
        if found:
            return min(found, key=lambda one: one.since)
    return None


def current(labs: Sequence[Seen]) -> Seen | None:
    """The lab a student is in: where something happened last, of those that run if any does."""
    return max(labs, key=lambda seen: (_is_alive(seen), last_sign(seen)), default=None)


def marks(seen: Seen) -> str:
    """One letter a step."""
    known = {own.id: MARKS[standing.state_of(own)] for own in seen.progress.steps}
    return "".join(known.get(step.id, ".") for step in seen.lab.steps)


def last_sign(seen: Seen) -> int:
    """When something was last seen of the student here; 0: never."""
    return max(_signs(seen))


def _signs(seen: Seen) -> Iterator[int]:
    yield seen.input_at or 0
    if seen.sandbox is not None:
        yield seen.sandbox.ready_at or seen.sandbox.asked_at
    for own in seen.progress.steps:
        yield max(own.seen_at or 0, own.failed_at or 0, own.passed_at or 0)


def _is_alive(seen: Seen) -> bool:
    return seen.sandbox is not None and seen.sandbox.phase in ALIVE


# --- the looks, in the order of what is worst ----------------------------------------------------
def _hand(seen: Seen, now: int) -> Need | None:  # noqa: ARG001 - as every look
    hand = seen.progress.hand
    return Need("hand", hand.at, seen.lab.name, _short(hand.text)) if hand is not None else None


def _broken(seen: Seen, now: int) -> Need | None:  # noqa: ARG001
    sandbox = seen.sandbox
    if sandbox is None or sandbox.phase != "failed":
        return None
    since = sandbox.ended_at or sandbox.ready_at or sandbox.asked_at
    return Need("broken", since, seen.lab.name, _short(sandbox.reason or ""))


def _suspect(seen: Seen, now: int) -> Need | None:
    if seen.suspect is None or not _is_ready(seen):
        return None
    return Need("suspect", seen.input_at or now, seen.lab.name, _short(seen.suspect))


def _failing(seen: Seen, now: int) -> Need | None:  # noqa: ARG001
    if not _is_ready(seen):
        return None
    own = seen.progress.at(seen.progress.step or "")
    if own.passed_at is not None or own.tries < TRIES_MAX or own.failed_at is None:
        return None
    words = [verdict.text for verdict in own.verdicts if not verdict.ok]
    return Need("failing", own.failed_at, seen.lab.name, _short(words[0])) if words else None


def _quiet(seen: Seen, now: int) -> Need | None:
    if not _is_ready(seen) or standing.done(seen.progress, seen.lab.steps) == len(seen.lab.steps):
        return None
    since = last_sign(seen)
    return Need("quiet", since, seen.lab.name) if now - since >= QUIET_MS else None


_Look = Callable[[Seen, int], Need | None]
_LOOKS: tuple[_Look, ...] = (_hand, _broken, _suspect, _failing, _quiet)


def _is_ready(seen: Seen) -> bool:
    return seen.sandbox is not None and seen.sandbox.phase == "ready"


def _short(text: str) -> str:
    """In one line that fits on a card."""
    line = " ".join(text.split())
    return line if len(line) <= TEXT_MAX else f"{line[: TEXT_MAX - 1]}\N{HORIZONTAL ELLIPSIS}"
