"""Routes of a class, its labs, and a student's sandbox. Trainers reach them with ?student=."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from brihaspati import __version__
from brihaspati.domain import access
from brihaspati.engine.classes import SEE_CLASS
from brihaspati.engine.playing import Opening
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Record
from brihaspati.entrypoints.http import guide_models, guide_views, models, ways
from brihaspati.entrypoints.http.routes import SANDBOX, Student, call, route

JSON = "application/json"


@route("GET", "/v1/awake", action="look_around", scope="public")
def awake() -> models.Health:
    """Wake what answers students; asked while somebody types their name."""
    return models.Health(status="ok", version=__version__)


@route("GET", "/v1/classes/<class_id>", action="see_class", scope="class")
def class_page(class_id: str) -> models.ClassPage:
    """All the class page shows, in one request."""
    engine, member = call().engine, call().asker
    room = engine.classes.get(class_id)
    person = member.person
    now = engine.world.clock.now()
    return models.ClassPage(
        id=room.id,
        title=room.title,
        instructor=room.instructor,
        welcome=room.welcome,
        state=room.state(now),
        opens_at=room.opens_at,
        closes_at=room.closes_at,
        now=now,
        here=engine.reading.here(class_id),
        teaches=bool(member.relations_to(class_id) & {"taught", "any"}),
        me=models.User(id=person.id, name=person.name, role=person.role),
        allowed=list(access.actions(person.role)),
        messages=guide_views.messages(class_id),
        labs=list(engine.reading.cards(room, member)),
        look_ms=engine.reading.look_at_all_after_ms(member, room.id),
    )


@route("GET", "/v1/classes/<class_id>/labs/<lab>", action="see_lab", scope="class")
def lab_page(class_id: str, lab: str) -> guide_models.LabPage:
    """All the lab page shows: the guide, the sandbox, how far this person is."""
    asked = call()
    room, member = asked.engine.classes.get(class_id), asked.asker
    found = asked.engine.reading.guide(member, class_id, lab)
    if found is None:
        raise Problem("not_found", f"The class {room.title} has no lab called {lab}.", SEE_CLASS)
    standing = member.standing(class_id, lab)
    now = guide_views.answer(class_id, found, member.sandbox(class_id, lab), standing)
    number = guide_views.place(class_id, lab)
    return guide_models.LabPage(
        lab=guide_views.content(found, standing.progress, number), **dict(now)
    )


@route("PUT", SANDBOX, action="play", scope="seat")
def play(class_id: str, lab: str) -> Response[guide_models.SandboxAnswer]:
    """Play: the sandbox of this lab, made if there is none. Repeating it changes nothing."""
    engine = call().engine
    room = engine.classes.get(class_id)
    record, new = engine.playing.play(room, engine.classes.lab_in(room, lab), call().owner)
    return Response(201 if new else 200, JSON, guide_views.status(class_id, lab, record))


@route("GET", SANDBOX, action="see_lab", scope="seat")
def status(class_id: str, lab: str, student: Student = None) -> guide_models.SandboxAnswer:  # noqa: ARG001
    """How the sandbox is doing."""
    return guide_views.status(class_id, lab, call().owner.sandbox(class_id, lab))


@route("DELETE", SANDBOX, action="stop", scope="seat", status=202)
def stop(class_id: str, lab: str, student: Student = None) -> guide_models.SandboxAnswer:  # noqa: ARG001
    """Stop: the machines and everything on them are deleted."""
    asked = call()
    own = asked.owner.person.id == asked.asker.person.id
    slot = asked.slot(class_id, lab)
    record = asked.engine.playing.stop(
        slot, "stopped" if own else "ended_by_trainer", asked.owner.sandbox(class_id, lab)
    )
    return guide_views.status(class_id, lab, record)


@route("POST", f"{SANDBOX}/extend", action="extend", scope="seat")
def extend(
    class_id: str,
    lab: str,
    body: Annotated[models.ExtendBody, Body()],
    student: Student = None,  # noqa: ARG001
) -> guide_models.SandboxAnswer:
    """More time, once for each number of extensions the page showed."""
    playing, room = call().engine.playing, call().engine.classes.get(class_id)
    slot = _ready(class_id, lab).sandbox.slot
    longer = playing.extend(room, slot, body.extensions_left)
    return guide_views.status(class_id, lab, longer)


@route("POST", f"{SANDBOX}/stay", action="extend", scope="seat")
def stay(class_id: str, lab: str) -> guide_models.SandboxAnswer:
    """Somebody is there: the lab does not end for being idle until that time has passed anew."""
    stayed = call().engine.playing.stay(_ready(class_id, lab))
    return guide_views.status(class_id, lab, stayed)


def _ready(class_id: str, lab: str) -> Record:
    """The sandbox a request is about, which must be ready. Raises Problem."""
    record = call().record(class_id, lab)
    if record.sandbox.phase != "ready":
        raise Problem("not_ready", "The lab is not running.", "Press Play first.")
    return record


@route("POST", f"{SANDBOX}/ticket", action="open", scope="seat", status=201)
def ticket(
    class_id: str, lab: str, body: Annotated[models.TicketBody, Body()]
) -> models.TicketAnswer:
    """A ticket for one connection to a terminal or to the files, or for a preview."""
    return _ticket(class_id, lab, body)


def _ticket(class_id: str, lab: str, body: models.TicketBody) -> models.TicketAnswer:
    asked = call()
    record = asked.record(class_id, lab)
    version = record.sandbox.terms.lab_version
    spec = asked.engine.classes.lab(lab, version)
    machine = body.machine or spec.machines[0].name
    opening = Opening(body.for_, body.port, machine if body.port is not None else None)
    if body.for_ == "preview" and body.port is None:
        raise Problem(
            "bad_field", "A preview needs a port.", "Send the port to open.", field="port"
        )
    sealed = ways.Sealed(*asked.engine.playing.ticket(record, spec, asked.asker.person, opening))
    if body.for_ == "preview":
        return ways.to_preview(record, spec, opening, sealed)
    return ways.to_agent(record, "files" if body.for_ == "files" else "terminal", sealed)
