"""What travels over the wire for trainers: making classes, the roster, the live board."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from brihaspati.domain import attention, classrooms, preflight
from brihaspati.domain.sandboxes import Phase
from brihaspati.engine import preflight as engine_preflight
from brihaspati.entrypoints.http.models import Strict, Wire

Key = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Name = Annotated[str, Field(max_length=400)]


# --- in ------------------------------------------------------------------------------------------
class PersonBody(Strict):
    """Somebody expected in the class."""

    name: Name
    email: Annotated[str | None, Field(max_length=400)] = None


class SpillBody(Strict):
    """Where else a class's machines may be, when those before it are sold out, full or slow.

    `share_percent`: at most that part of its labs; `micros_per_hour_max`: at most that price.
    """

    provider: Annotated[str, Field(min_length=1, max_length=64)]
    share_percent: int = 100
    micros_per_hour_max: int | None = None


class ClassBody(Strict):
    """A new class. `key` is made by the page once: repeating the request makes one class.

    `budget_micros` in millionths of the deployment's currency; None: no limit. `people` are the
    expected students; with `roster_only` nobody else may join.
    """

    key: Key
    title: Annotated[str, Field(max_length=200)]
    welcome: Annotated[str, Field(max_length=2000)] = ""
    labs: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=50)]
    opens_at: Annotated[int, Field(ge=0)]
    closes_at: Annotated[int, Field(ge=0)]
    seats: Annotated[int, Field(ge=1, le=1000)]
    budget_micros: Annotated[int | None, Field(ge=0)] = None
    email_required: bool = False
    roster_only: bool = False
    people: list[PersonBody] = Field(default_factory=list, max_length=1000)
    spill: list[SpillBody] = Field(default_factory=list, max_length=10)


class ClassChange(Strict):
    """What to change in a class; what is left out stays. `version` is the one the page showed."""

    version: Annotated[int, Field(ge=0)]
    title: Annotated[str | None, Field(max_length=200)] = None
    welcome: Annotated[str | None, Field(max_length=2000)] = None
    labs: Annotated[
        list[Annotated[str, Field(max_length=64)]] | None, Field(min_length=1, max_length=50)
    ] = None
    opens_at: Annotated[int | None, Field(ge=0)] = None
    closes_at: Annotated[int | None, Field(ge=0)] = None
    seats: Annotated[int | None, Field(ge=1, le=1000)] = None
    budget_micros: Annotated[int | None, Field(ge=0)] = None
    no_budget: bool = False
    roster_only: bool | None = None
    spill: Annotated[list[SpillBody] | None, Field(max_length=10)] = None


class RosterBody(Strict):
    """Everybody expected: replaces the list. Who has joined keeps their seat."""

    people: Annotated[list[PersonBody], Field(max_length=1000)]


class MessageBody(Strict):
    """A word to the class, or to some students. `key` is made by the page once."""

    key: Key
    text: Annotated[str, Field(min_length=1, max_length=500)]
    students: Annotated[list[str] | None, Field(max_length=1000)] = None


class Seat(Strict):
    """A student's sandbox of a lab."""

    student: Annotated[str, Field(max_length=64)]
    lab: Annotated[str, Field(max_length=64)]


class DatedSeat(Seat):
    """A sandbox and the deadline the page showed: repeating the request extends once."""

    deadline_at: Annotated[int, Field(ge=0)]


class ExtendManyBody(Strict):
    """More time for several sandboxes, beside the extensions that students have themselves."""

    minutes: Annotated[int, Field(ge=1, le=240)]
    sandboxes: Annotated[list[DatedSeat], Field(min_length=1, max_length=500)]


class StopManyBody(Strict):
    """Stop these sandboxes; None: all of the class."""

    sandboxes: Annotated[list[Seat] | None, Field(max_length=500)] = None


class WatchBody(Strict):
    """Look on, or type with the student (`join`). The student sees who is there either way."""

    join: bool = False
    terminal: Annotated[str | None, Field(max_length=64)] = None


# --- out -----------------------------------------------------------------------------------------
class CatalogueLab(Wire):
    """A published lab that a class can have."""

    name: str
    title: str
    summary: str
    minutes: int
    steps: int
    machines: int
    lifetime_minutes: int
    hue: int
    motif: str
    micros_per_hour: int


class SpillView(Wire):
    """Where else machines may be, as `SpillBody` says it."""

    provider: str
    share_percent: int
    micros_per_hour_max: int | None


class Catalogue(Wire):
    """Every published lab, what the deployment counts money in, and where a class may spill to."""

    labs: list[CatalogueLab]
    currency: str
    elsewhere: list[str]
    now: int


class StepTitle(Wire):
    """A step as the board names it."""

    id: str
    title: str


class ClassLab(Wire):
    """A lab of a class as the board needs it."""

    name: str
    title: str
    hue: int
    motif: str
    minutes: int
    steps: list[StepTitle]
    terminals: list[str]


class ClassSetup(Wire):
    """Everything about a class that its trainer set."""

    id: str
    version: int
    title: str
    welcome: str
    instructor: str
    state: classrooms.ClassState
    join_code: str
    opens_at: int
    closes_at: int
    seats: int
    seats_taken: int
    budget_micros: int | None
    currency: str
    email_required: bool
    roster_only: bool
    labs: list[ClassLab]
    provider: str
    spill: list[SpillView]
    now: int


class RosterPerson(Wire):
    """Somebody expected, or who came. `joined_at` None: not here yet."""

    name: str
    email: str | None
    expected: bool
    joined_at: int | None


class RosterAnswer(Wire):
    """The roster, by name."""

    people: list[RosterPerson]


class SentAnswer(Wire):
    """A message that was sent, and to how many."""

    id: str
    text: str
    at: int
    students: int


def _is_nothing(value: object) -> bool:
    return value is None


# Left out of the answer where there is nothing to say.
Maybe: Any = Field(default=None, exclude_if=_is_nothing)


class BoardLab(Wire):
    """A student's lab on the board; small, for hundreds of them travel every few seconds.

    `step` is the number (from 1) they are at, 0: they have not begun. `marks`: one letter a step:
    `.` untouched, `o` seen, `x` failing, `p` passed, `s` solved for them. What is not there is
    left out: `phase` without a sandbox, `deadline_at` unless it is ready, `micros` where it cost
    nothing. `input_at` and `line`, the last line of the terminal, are told of the lab they are in.
    """

    step: int
    marks: str
    phase: Phase | None = Maybe
    deadline_at: int | None = Maybe
    input_at: int | None = Maybe
    line: str | None = Maybe
    micros: int | None = Maybe
    reason: str | None = Maybe


class Need(Wire):
    """Why a student needs the trainer, since when, and in which lab.

    `text` has the student's own words on a raised hand, and what a failing check or a failed
    sandbox said; it may be empty.
    """

    kind: attention.NeedKind
    since: int
    lab: str
    text: str


class BoardStudent(Wire):
    """One student. `id` None: expected, not here yet. `lab` is the one they are in."""

    id: str | None
    name: str
    joined_at: int | None
    lab: str | None
    need: Need | None
    labs: dict[str, BoardLab]


class Cost(Wire):
    """What the class has cost so far, costs an hour now, and may cost (None: no limit)."""

    so_far_micros: int
    hour_micros: int
    budget_micros: int | None


class BoardAnswer(Wire):
    """Everybody in a class, now. `look_ms`: how soon it is worth looking again."""

    students: list[BoardStudent]
    cost: Cost
    now: int
    look_ms: int


class ManyAnswer(Wire):
    """How many sandboxes it was done for.

    `capped`: how many got no more time, because they last to the end of the class already.
    """

    count: int
    capped: int
    now: int


class PreflightFigures(Wire):
    """What the findings are about. `begins_seconds`: until the last of a rush may begin.

    `machines_max` None: the provider does not tell. Money in millionths of `currency`.
    """

    needed: int
    machines_max: int | None
    machines_now: int
    begins_seconds: float
    boot_seconds: int
    micros_per_hour: int
    cost_micros: int


class PreflightFinding(Wire):
    """One thing that was looked at. `state` is the text in a word; `letter` is to be sent."""

    name: preflight.Name
    state: str
    verdict: preflight.Verdict
    text: str
    fix: str | None
    letter: str | None


class PreflightLook(Wire):
    """A lab of the class at a provider. Without `figures` nobody could be asked there."""

    provider: str
    region: str
    size: str | None
    lab: str
    title: str
    figures: PreflightFigures | None
    findings: list[PreflightFinding]


class PreflightAnswer(Wire):
    """Whether the clouds can have the machines of a class; ask again while it says `looking`.

    `own`: they are machines of our own host. `elsewhere`: no tokens are here; the command
    `brihaspati preflight` has them. `looked_at`: when `looks` were seen (None: never yet).
    """

    state: engine_preflight.State
    looked_at: int | None
    looks: list[PreflightLook]
    budget_micros: int | None
    currency: str
    opens_at: int
    now: int
