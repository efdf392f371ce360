"""How far a student is in a lab: steps seen and passed, checks, hints, quiz, a raised hand.

Values only, with the pure functions that change them. Moments are milliseconds since the epoch. The
steps and questions themselves are the lab's; here they are known by id, so that progress outlives
the sandbox and survives a changed lab: what a new version does not have is not counted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from brihaspati.domain.classrooms import JOINERS, BadField
from brihaspati.domain.labs import Question, Step

# A run that has not told its end by then never will: its server is gone.
RUN_MS_MAX = 60_000
OVERDUE = "This took too long and was given up. Press again."
TEXT_MAX = 400
LINES_MAX = 8

StepState = Literal["untouched", "seen", "failing", "passed", "solved"]
# check: the student pressed it. watch: the page by itself. solve: the step is done for them.
RunKind = Literal["check", "watch", "solve"]

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles and links, to their end
    r"|\x1b\[[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?"  # colours and the cursor; anything else
)
_GONE = frozenset({"Cc", "Cf", "Co", "Cs"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check said last."""

    check: str
    ok: bool
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Answered:
    """How a question was answered last. `tries` counts different answers in a row."""

    question: str
    right: bool
    tries: int
    choices: tuple[str, ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True)
class StepProgress:
    """One step. `tries` are failed presses, the last at `failed_at`; `solved`: by the solution.

    `passed_at` is set once and stays, whatever the checks say later.
    """

    id: str
    seen_at: int | None = None
    tries: int = 0
    failed_at: int | None = None
    hints: int = 0
    verdicts: tuple[Verdict, ...] = ()
    answers: tuple[Answered, ...] = ()
    solved: bool = False
    passed_at: int | None = None

    def answer(self, question: str) -> Answered | None:
        """How a question was answered, if it was."""
        return next((a for a in self.answers if a.question == question), None)


@dataclass(frozen=True, slots=True)
class Run:
    """Scripts of a step that run now, in a sandbox. `id` tells this run from any other."""

    id: str
    kind: RunKind
    step: str
    sandbox: str
    since: int


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run. `problem` says why it could not be done, or not to its end."""

    verdicts: tuple[Verdict, ...] = ()
    problem: str | None = None
    solved: bool = False


@dataclass(frozen=True, slots=True)
class Hand:
    """A raised hand, and what it is about."""

    at: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """One student in one lab of one class. `step` is the one they turned to last."""

    step: str | None = None
    steps: tuple[StepProgress, ...] = ()
    run: Run | None = None
    problem: str | None = None
    hand: Hand | None = None

    def at(self, step: str) -> StepProgress:
        """What is known of a step."""
        return next((own for own in self.steps if own.id == step), StepProgress(step))

    def having(self, own: StepProgress) -> Progress:
        """This progress with one step's replaced."""
        if own == self.at(own.id):
            return self
        others = tuple(o for o in self.steps if o.id != own.id)
        return replace(self, steps=(*others, own))


BLANK = Progress()


# --- what the screens ask ------------------------------------------------------------------------
def state(progress: Progress, step: Step) -> StepState:
    """How a step is doing."""
    return state_of(progress.at(step.id))


def state_of(own: StepProgress) -> StepState:
    """How a step is doing, from what is known of it."""
    if own.passed_at is not None:
        return "solved" if own.solved else "passed"
    if own.tries and not all(verdict.ok for verdict in own.verdicts):
        return "failing"
    return "seen" if own != StepProgress(own.id) else "untouched"


def done(progress: Progress, steps: Sequence[Step]) -> int:
    """How many steps are passed or solved."""
    return sum(progress.at(step.id).passed_at is not None for step in steps)


def number(progress: Progress, steps: Sequence[Step]) -> int:
    """The place of the step the student is at, from 1; 0: they have not begun."""
    return next((at for at, step in enumerate(steps, 1) if step.id == progress.step), 0)


def under_way(progress: Progress, now: int) -> Run | None:
    """The run under way. One that is too old is over, and so is one far in a clock's future."""
    run = progress.run
    return run if run is not None and abs(now - run.since) < RUN_MS_MAX else None


def problem(progress: Progress, now: int) -> str | None:
    """Why the last run that the student asked for could not be done."""
    run = progress.run
    if run is not None and run.kind != "watch" and under_way(progress, now) is None:
        return OVERDUE
    return progress.problem


# --- turning, hints, the hand --------------------------------------------------------------------
def turned(progress: Progress, steps: Sequence[Step], step: str, now: int) -> Progress:
    """The student has turned to a step. What was only to be read before it is passed with that.

    The last step has no later one: if it is only to be read, it is passed when it is opened.
    """
    changed, here = progress, [each.id for each in steps].index(step)
    for place, passed_by in enumerate(steps[: here + 1]):
        own = changed.at(passed_by.id)
        if place == here and own.seen_at is None:
            own = replace(own, seen_at=now)
        was_read = own.seen_at is not None and (place < here or place == len(steps) - 1)
        if was_read and own.passed_at is None and _only_read(passed_by):
            own = replace(own, passed_at=now)
        changed = changed.having(own)
    told = progress.problem if progress.step == step else None
    return replace(changed, step=step, problem=told)


def _only_read(step: Step) -> bool:
    return not step.checks and not step.quiz


def revealed(progress: Progress, step: Step, seen: int) -> Progress:
    """One hint more than the page showed, once for each number of hints it showed."""
    own = progress.at(step.id)
    hints = min(seen + 1, own.hints + 1, len(step.hints))
    return progress.having(replace(own, hints=max(own.hints, hints)))


def raised(progress: Progress, text: str, now: int) -> Progress:
    """A raised hand stays where it is in the queue when its words change."""
    at = progress.hand.at if progress.hand is not None else now
    return replace(progress, hand=Hand(at, in_one_line(text)))


def lowered(progress: Progress) -> Progress:
    """Help has come, or is not needed any more."""
    return replace(progress, hand=None)


# --- checks and solutions ------------------------------------------------------------------------
def begun(progress: Progress, run: Run) -> Progress:
    """A run begins, unless one is under way in the sandbox: then that one goes on.

    But nobody who presses waits for what the page does by itself: its run is let go.
    """
    going = under_way(progress, run.since)
    waits = run.kind == "watch" or (going is not None and going.kind != "watch")
    if going is not None and going.sandbox == run.sandbox and waits:
        return progress
    return replace(progress, run=run, problem=progress.problem if run.kind == "watch" else None)


def ended(progress: Progress, step: Step, run: Run, result: Result, now: int) -> Progress:
    """What came of a run. Of one that was let go nothing is taken over."""
    if progress.run is None or progress.run.id != run.id:
        return progress
    own = progress.at(step.id)
    known = {verdict.check: verdict for verdict in own.verdicts}
    for verdict in result.verdicts:
        # What the page tries by itself is no news before the student has tried it.
        if run.kind != "watch" or verdict.ok or verdict.check in known:
            known[verdict.check] = verdict
    kept = tuple(known[check.id] for check in step.checks if check.id in known)
    own = replace(own, verdicts=kept, solved=own.solved or (result.solved and not own.passed_at))
    failed = any(not verdict.ok for verdict in result.verdicts)
    if failed and run.kind == "check" and result.problem is None and own.passed_at is None:
        own = replace(own, tries=own.tries + 1, failed_at=now)
    told = progress.problem if run.kind == "watch" else result.problem
    return replace(progress.having(_judged(own, step, now)), run=None, problem=told)


def _judged(own: StepProgress, step: Step, now: int) -> StepProgress:
    """The step passed, if every check and every question of it is."""
    passed = {verdict.check for verdict in own.verdicts if verdict.ok}
    right = {answer.question for answer in own.answers if answer.right}
    left = {check.id for check in step.checks} - passed, {asked.id for asked in step.quiz} - right
    if own.passed_at is not None or any(left) or (_only_read(step) and not own.solved):
        return own
    return replace(own, passed_at=now)


# --- quiz ----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it was given: the ids of the chosen choices, or a text."""

    choices: tuple[str, ...] = ()
    text: str | None = None


def answered(
    progress: Progress, step: Step, question: Question, given: Given, now: int
) -> Progress:
    """An answer, graded. The same answer again is no other try, and a right one stays.

    Raises BadField for what is no answer to this question.
    """
    own = progress.at(step.id)
    chosen, text = _read(question, given)
    before = own.answer(question.id) or Answered(question.id, right=False, tries=0)
    if before.right or (before.tries and (before.choices, before.text) == (chosen, text)):
        return progress
    now_given = Answered(
        question.id, _is_right(question, chosen, text), before.tries + 1, chosen, text
    )
    others = tuple(a for a in own.answers if a.question != question.id)
    return progress.having(_judged(replace(own, answers=(*others, now_given)), step, now))


def _read(question: Question, given: Given) -> tuple[tuple[str, ...], str | None]:
    """The answer in the order of the choices. Raises BadField."""
    if question.kind == "text":
        text = in_one_line(given.text or "")
        if not text:
            raise BadField("text", "The answer is empty.", "Type an answer.")
        return (), text
    chosen = tuple(c.id for c in question.choices if c.id in given.choices)
    if not chosen or len(chosen) < len(set(given.choices)):
        raise BadField("choices", "This is none of the choices.", "Choose one of those offered.")
    if question.kind == "one" and len(chosen) > 1:
        raise BadField("choices", "Only one can be chosen here.", "Choose one.")
    return chosen, None


def _is_right(question: Question, chosen: tuple[str, ...], text: str | None) -> bool:
    if text is not None:
        return _same(text) in map(_same, question.answers)
    return chosen == tuple(choice.id for choice in question.choices if choice.right)


def _same(text: str) -> str:
    """What two answers have in common that people would call the same."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def why(question: Question, answer: Answered) -> str | None:
    """What is said to an answer, as HTML: never what would give a right answer away."""
    chosen = [c for c in question.choices if c.id in answer.choices and c.right == answer.right]
    said = [choice.why for choice in chosen if choice.why]
    if answer.right and question.why:
        said.append(question.why)
    return "".join(said) or None


# --- words ---------------------------------------------------------------------------------------
def plain(text: str) -> str:
    """What a script printed as it may be shown: no controls, a few lines, not too long.

    An ellipsis stands for what is left out.
    """
    unescaped = _ESCAPES.sub("", text[: TEXT_MAX * 16]).replace("\r", "\n")
    rows = [" ".join("".join(filter(_is_shown, row)).split()) for row in unescaped.split("\n")]
    full = [row for row in rows if row]
    whole = "\n".join(full[:LINES_MAX])
    if len(whole) > TEXT_MAX or len(full) > LINES_MAX:
        return whole[: TEXT_MAX - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    return whole


def in_one_line(text: str) -> str:
    """What a person typed, as it is kept."""
    return " ".join(plain(text).split())


def _is_shown(letter: str) -> bool:
    return letter.isspace() or letter in JOINERS or unicodedata.category(letter) not in _GONE
