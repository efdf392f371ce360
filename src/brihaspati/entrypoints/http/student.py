"""Routes of a class, its labs, and a student's sandbox. Trainers reach them with ?student=."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from brihaspati.domain import access
from brihaspati.engine.playing import Opening
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Record
from brihaspati.entrypoints.http import models
from brihaspati.entrypoints.http.addresses import preview_name
from brihaspati.entrypoints.http.routes import call, route

JSON = "application/json"
SANDBOX = "/v1/classes/<class_id>/labs/<lab>/sandbox"
Student = Annotated[str | None, Query(description="A student's id, for trainers", max_length=64)]


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
        me=models.User(id=person.id, name=person.name, role=person.role),
        allowed=list(access.actions(person.role)),
        labs=list(engine.reading.cards(room, member)),
    )


@route("GET", "/v1/classes/<class_id>/labs/<lab>", action="see_lab", scope="class")
def lab_page(class_id: str, lab: str) -> models.LabPage:
    """All the lab page shows: the guide and the sandbox."""
    engine, member = call().engine, call().asker
    found = engine.classes.lab_in(engine.classes.get(class_id), lab)
    record = member.sandbox(class_id, lab)
    if record is not None and not record.sandbox.at_rest:
        # A running sandbox keeps the version it was started with, and so does its guide.
        found = engine.classes.lab(lab, record.sandbox.terms.lab_version)
    steps = [
        models.StepContent(id=s.id, title=s.title, html=s.html, minutes=s.minutes)
        for s in found.steps
    ]
    content = models.LabContent(
        name=found.name,
        title=found.title,
        summary=found.summary,
        minutes=found.minutes,
        steps=steps,
    )
    return models.LabPage(
        lab=content,
        sandbox=engine.reading.sandbox(member, class_id, lab),
        now=engine.world.clock.now(),
    )


@route("PUT", SANDBOX, action="play", scope="seat")
def play(class_id: str, lab: str) -> Response[models.SandboxAnswer]:
    """Play: the sandbox of this lab, made if there is none. Repeating it changes nothing."""
    engine = call().engine
    room = engine.classes.get(class_id)
    record, new = engine.playing.play(room, engine.classes.lab_in(room, lab), call().owner)
    return Response(201 if new else 200, JSON, _answer(record))


@route("GET", SANDBOX, action="see_lab", scope="seat")
def status(class_id: str, lab: str, student: Student = None) -> models.SandboxAnswer:  # noqa: ARG001
    """How the sandbox is doing."""
    return _answer(call().owner.sandbox(class_id, lab))


@route("DELETE", SANDBOX, action="stop", scope="seat", status=202)
def stop(class_id: str, lab: str, student: Student = None) -> models.SandboxAnswer:  # noqa: ARG001
    """Stop: the machines and everything on them are deleted."""
    asked = call()
    own = asked.owner.person.id == asked.asker.person.id
    slot = asked.slot(class_id, lab)
    return _answer(asked.engine.playing.stop(slot, "stopped" if own else "ended_by_trainer"))


@route("POST", f"{SANDBOX}/extend", action="extend", scope="seat")
def extend(
    class_id: str,
    lab: str,
    body: Annotated[models.ExtendBody, Body()],
    student: Student = None,  # noqa: ARG001
) -> models.SandboxAnswer:
    """More time, once for each number of extensions the page showed."""
    asked = call()
    record = asked.record(class_id, lab)
    if record.sandbox.phase != "ready":
        raise Problem("not_ready", "The lab is not running.", "Press Play first.")
    return _answer(asked.engine.playing.extend(record.sandbox.slot, body.extensions_left))


@route("POST", f"{SANDBOX}/ticket", action="open", scope="seat", status=201)
def ticket(
    class_id: str, lab: str, body: Annotated[models.TicketBody, Body()]
) -> models.TicketAnswer:
    """A ticket for one terminal connection, control connection or preview."""
    return _ticket(class_id, lab, body)


@route("POST", f"{SANDBOX}/watch", action="watch", scope="seat", status=201)
def watch(class_id: str, lab: str, student: Student = None) -> models.TicketAnswer:  # noqa: ARG001
    """A ticket to watch a student's terminal; the student sees who watches."""
    return _ticket(class_id, lab, models.TicketBody.model_validate({"for": "watch"}))


@route("GET", "/v1/classes/<class_id>/board", action="see_board", scope="class")
def board(class_id: str) -> models.BoardAnswer:
    """Everybody in a class with their sandboxes."""
    engine = call().engine
    rows = engine.reading.board(engine.classes.get(class_id))
    return models.BoardAnswer(students=list(rows), now=engine.world.clock.now())


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
    text, expires_at = asked.engine.playing.ticket(record, spec, asked.asker.person, opening)
    if body.for_ == "preview":
        assert body.port is not None
        name = preview_name(body.port, record.sandbox.id, machine)
        url = asked.addresses.preview(asked.host, name, text)
    else:
        what = "control" if body.for_ == "control" else "terminal"
        url = asked.addresses.socket(asked.host, what)
    return models.TicketAnswer(ticket=text, expires_at=expires_at, url=url)


def _answer(record: Record | None) -> models.SandboxAnswer:
    engine = call().engine
    view = engine.reading.view(record.sandbox) if record is not None else None
    return models.SandboxAnswer(sandbox=view, now=engine.world.clock.now())
