"""What travels over the wire about the guide of a lab and how far a student is in it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from brihaspati.domain.labs import QuestionKind
from brihaspati.domain.progress import StepState
from brihaspati.engine.reading import SandboxView
from brihaspati.entrypoints.http.models import MessageView, Strict, Wire

TEXT_MAX = 2000


# --- in ------------------------------------------------------------------------------------------
class StepBody(Strict):
    """The step the student has turned to."""

    step: Annotated[str, Field(max_length=64)]


class CheckBody(Strict):
    """Run the checks of a step. `quiet`: the page asks by itself, for those that are watched.

    A failure is then no failed try, and nothing happens while something runs already.
    """

    quiet: bool = False


class HintBody(Strict):
    """How many hints the page shows: repeating the request reveals one more once."""

    seen: Annotated[int, Field(ge=0, le=100)]


class QuizBody(Strict):
    """An answer: the ids of the chosen choices, or the text. The same again is no other try."""

    question: Annotated[str, Field(max_length=64)]
    choices: list[Annotated[str, Field(max_length=64)]] = Field(default_factory=list, max_length=20)
    text: Annotated[str | None, Field(max_length=TEXT_MAX)] = None


class HandBody(Strict):
    """A raised hand, with a word for the trainer."""

    text: Annotated[str, Field(max_length=280)] = ""


# --- out -----------------------------------------------------------------------------------------
class VerdictView(Wire):
    """What a check said."""

    check: str
    title: str
    ok: bool
    text: str
    at: int


class AnsweredView(Wire):
    """How a question was answered last. `why` (HTML) explains it."""

    question: str
    right: bool
    tries: int
    choices: list[str]
    text: str | None
    why: str | None


class StepProgressView(Wire):
    """One step of the guide as this student has it. `tries`: failed presses before it passed."""

    id: str
    state: StepState
    tries: int
    hints: int
    passed_at: int | None
    verdicts: list[VerdictView]
    quiz: list[AnsweredView]


class ProgressView(Wire):
    """How far a student is. `busy` names the step whose check or solution runs now.

    `watching` names the step whose checks run because the page asked by itself (`quiet`).
    `problem` says why the last run could not be done. `revision` grows with every change.
    """

    step: str | None
    done: int
    of: int
    busy: str | None
    watching: str | None
    problem: str | None
    hand_at: int | None
    revision: int
    steps: list[StepProgressView]


class SandboxAnswer(Wire):
    """A sandbox with all that changes beside it, and the server's clock.

    `look_ms`: how soon it is worth looking again.
    """

    sandbox: SandboxView | None
    progress: ProgressView | None
    messages: list[MessageView]
    now: int
    look_ms: int


class CheckView(Wire):
    """A check as the page names it before it ran."""

    id: str
    title: str
    watch: bool


class ChoiceView(Wire):
    """A choice of a question; which ones are right stays on the server."""

    id: str
    html: str


class QuestionView(Wire):
    """A question without its answer."""

    id: str
    kind: QuestionKind
    html: str
    choices: list[ChoiceView]


class StepContent(Wire):
    """One step of the guide; `hints` are those this student has revealed, of `hints_total`."""

    id: str
    title: str
    html: str
    minutes: int
    checks: list[CheckView]
    quiz: list[QuestionView]
    hints: list[str]
    hints_total: int
    solvable: bool


class LabContent(Wire):
    """The guide of a lab. `number` is its place in the class, from 1."""

    name: str
    title: str
    summary: str
    minutes: int
    number: int
    lifetime_minutes: int
    steps: list[StepContent]


class LabPage(SandboxAnswer):
    """All the lab page shows."""

    lab: LabContent


class HintAnswer(Wire):
    """The hints revealed so far (HTML)."""

    hints: list[str]
    progress: ProgressView


class ProgressAnswer(Wire):
    """How far the student is now."""

    progress: ProgressView
    now: int
