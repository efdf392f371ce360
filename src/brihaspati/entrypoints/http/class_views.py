"""Classes, their rosters and the live board as they look on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from brihaspati.domain import rosters
from brihaspati.domain.classrooms import Classroom, Spill, shown
from brihaspati.domain.labs import Lab
from brihaspati.domain.rosters import Attending, Expected
from brihaspati.engine.boards import Board, LabRow, Row
from brihaspati.engine.preflight import Looked, Seen
from brihaspati.engine.setups import Setup
from brihaspati.entrypoints.http import class_models
from brihaspati.entrypoints.http.routes import call


def catalogue_lab(lab: Lab, micros_per_hour: int) -> class_models.CatalogueLab:
    """A lab as somebody chooses it for a class."""
    return class_models.CatalogueLab(
        name=lab.name,
        title=lab.title,
        summary=lab.summary,
        minutes=lab.minutes,
        steps=len(lab.steps),
        machines=len(lab.machines),
        lifetime_minutes=lab.lifetime_minutes,
        hue=lab.hue,
        motif=lab.motif,
        micros_per_hour=micros_per_hour,
    )


def setup(found: Setup) -> class_models.ClassSetup:
    """Everything about a class that its trainer set."""
    engine, room = call().engine, found.room
    now = engine.world.clock.now()
    return class_models.ClassSetup(
        id=room.id,
        version=found.version,
        title=room.title,
        welcome=room.welcome,
        instructor=room.instructor,
        state=room.state(now),
        join_code=shown(room.code),
        opens_at=room.opens_at,
        closes_at=room.closes_at,
        seats=room.seats,
        seats_taken=len(engine.classes.roster(room.id)),
        budget_micros=room.budget_micros,
        currency=engine.world.currency,
        email_required=room.email_required,
        roster_only=room.roster_only,
        labs=labs_of(room),
        provider=room.provider,
        spill=[class_models.SpillView(**asdict(one)) for one in room.spill],
        now=now,
    )


def labs_of(room: Classroom) -> list[class_models.ClassLab]:
    """The labs of a class, in its order."""
    return [_class_lab(call().engine.classes.lab(name, version)) for name, version in room.labs]


def _class_lab(lab: Lab) -> class_models.ClassLab:
    return class_models.ClassLab(
        name=lab.name,
        title=lab.title,
        hue=lab.hue,
        motif=lab.motif,
        minutes=lab.minutes,
        steps=[class_models.StepTitle(id=step.id, title=step.title) for step in lab.steps],
        terminals=[terminal.name for terminal in lab.terminals],
    )


def listed(people: Iterable[class_models.PersonBody]) -> tuple[Expected, ...]:
    """A list of people as it came. Raises BadField."""
    return rosters.list_of([(person.name, person.email) for person in people])


def spills(bodies: Iterable[class_models.SpillBody]) -> tuple[Spill, ...]:
    """Where else, as it came; what it says is judged by the engine."""
    return tuple(Spill(**body.model_dump()) for body in bodies)


def roster(people: Iterable[Attending]) -> class_models.RosterAnswer:
    """Who is expected, and who came."""
    return class_models.RosterAnswer(
        people=[
            class_models.RosterPerson(
                name=person.name,
                email=person.email,
                expected=person.expected,
                joined_at=person.seat.joined_at if person.seat is not None else None,
            )
            for person in people
        ]
    )


def board(found: Board, room: Classroom, now: int) -> class_models.BoardAnswer:
    """Everybody in a class, now."""
    return class_models.BoardAnswer(
        students=[_student(row) for row in found.students],
        cost=class_models.Cost(
            so_far_micros=found.cost.so_far_micros,
            hour_micros=found.cost.hour_micros,
            budget_micros=room.budget_micros,
        ),
        now=now,
        look_ms=call().engine.world.looks.board_ms,
    )


def _student(row: Row) -> class_models.BoardStudent:
    seat, need = row.person.seat, row.need
    return class_models.BoardStudent(
        id=seat.user if seat is not None else None,
        name=row.person.name,
        joined_at=seat.joined_at if seat is not None else None,
        lab=row.lab,
        need=None
        if need is None
        else class_models.Need(kind=need.kind, since=need.since, lab=need.lab, text=need.text),
        labs={name: _board_lab(lab) for name, lab in row.labs.items()},
    )


def _board_lab(row: LabRow) -> class_models.BoardLab:
    return class_models.BoardLab(
        step=row.step,
        marks=row.marks,
        phase=row.phase,
        deadline_at=row.deadline_at,
        input_at=row.input_at,
        line=row.line or None,
        micros=row.micros or None,
        reason=row.reason,
    )


def preflight(seen: Seen, room: Classroom) -> class_models.PreflightAnswer:
    """How far the look at the clouds is, and what it found."""
    engine = call().engine
    return class_models.PreflightAnswer(
        state=seen.state,
        looked_at=seen.at,
        looks=[_look(one, room) for one in seen.looks],
        budget_micros=room.budget_micros,
        currency=engine.world.currency,
        opens_at=room.opens_at,
        now=engine.world.clock.now(),
    )


def _look(one: Looked, room: Classroom) -> class_models.PreflightLook:
    figures = None
    if one.figures is not None:
        figures = class_models.PreflightFigures(**asdict(one.figures))
    return class_models.PreflightLook(
        provider=one.provider,
        region=one.region,
        size=one.size,
        lab=one.lab,
        title=call().engine.classes.lab_in(room, one.lab).title,
        figures=figures,
        findings=[class_models.PreflightFinding(**asdict(found)) for found in one.findings],
    )
