"""Routes of the trainer: classes and their roster, the live board, what is done for many."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from brihaspati.domain.classrooms import BadField
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine.playing import Opening
from brihaspati.engine.setups import Draft
from brihaspati.entrypoints.http import class_models, class_views, models, tables, ways
from brihaspati.entrypoints.http.routes import SANDBOX, Student, call, route

CLASS = "/v1/classes/<class_id>"


@route("GET", "/v1/labs", action="create_class", scope="self")
def catalogue() -> class_models.Catalogue:
    """Every published lab a class can have."""
    engine = call().engine
    price = engine.setups.price_micros_per_hour
    return class_models.Catalogue(
        labs=[class_views.catalogue_lab(lab, price(lab)) for lab in engine.classes.catalogue()],
        currency=engine.world.currency,
        elsewhere=list(engine.setups.elsewhere()),
        now=engine.world.clock.now(),
    )


@route("POST", "/v1/classes", action="create_class", scope="self", status=201)
def create_class(
    body: Annotated[class_models.ClassBody, Body()],
) -> class_models.ClassSetup:
    """Make a class; who makes it teaches it."""
    said = body.model_dump(exclude={"key", "people"})
    more = {"labs": tuple(body.labs), "spill": class_views.spills(body.spill)}
    draft = Draft(**{**said, **more})
    people = class_views.listed(body.people)
    made = call().engine.setups.create(call().asker.person, body.key, draft, people)
    return class_views.setup(made)


@route("GET", f"{CLASS}/setup", action="manage", scope="class")
def setup(class_id: str) -> class_models.ClassSetup:
    """Everything about a class that its trainer set."""
    return class_views.setup(call().engine.setups.read(class_id))


@route("PATCH", f"{CLASS}/setup", action="manage", scope="class")
def change_class(
    class_id: str, body: Annotated[class_models.ClassChange, Body()]
) -> class_models.ClassSetup:
    """Change a class. Running sandboxes keep what they were started with."""
    said = body.model_dump(exclude={"version", "no_budget"}, exclude_none=True)
    if body.no_budget:
        said["budget_micros"] = None
    if body.spill is not None:
        said["spill"] = class_views.spills(body.spill)
    return class_views.setup(call().engine.setups.change(class_id, body.version, said))


@route("GET", f"{CLASS}/roster", action="manage", scope="class")
def roster(class_id: str) -> class_models.RosterAnswer:
    """Who is expected, and who came."""
    return class_views.roster(call().engine.classes.rosters.attending(class_id))


@route("PUT", f"{CLASS}/roster", action="manage", scope="class")
def expect(
    class_id: str, body: Annotated[class_models.RosterBody, Body()]
) -> class_models.RosterAnswer:
    """Say who is expected."""
    rosters = call().engine.classes.rosters
    rosters.expect(class_id, class_views.listed(body.people))
    return class_views.roster(rosters.attending(class_id))


@route("POST", f"{CLASS}/messages", action="manage", scope="class", status=201)
def send(
    class_id: str, body: Annotated[class_models.MessageBody, Body()]
) -> class_models.SentAnswer:
    """Say something to the class, or to some of its students."""
    asked = call()
    person = asked.asker.person
    sent = asked.engine.teaching.send(class_id, person, body.key, body.text, body.students)
    said = sent.message
    return class_models.SentAnswer(id=said.id, text=said.text, at=said.at, students=sent.count)


@route("DELETE", f"{CLASS}/messages/<message>", action="manage", scope="class", status=204)
def unsend(class_id: str, message: str) -> Response[None]:
    """Take a message down; repeating it changes nothing."""
    call().engine.teaching.unsend(class_id, message)
    return Response(204)


@route("POST", f"{CLASS}/extend", action="manage", scope="class")
def extend_many(
    class_id: str, body: Annotated[class_models.ExtendManyBody, Body()]
) -> class_models.ManyAnswer:
    """Give several sandboxes more time."""
    engine = call().engine
    shown = [(Slot(class_id, s.lab, user=s.student), s.deadline_at) for s in body.sandboxes]
    longer = engine.teaching.extend(engine.classes.get(class_id), body.minutes, shown)
    now = engine.world.clock.now()
    return class_models.ManyAnswer(count=longer.count, capped=longer.capped, now=now)


@route("POST", f"{CLASS}/stop", action="manage", scope="class")
def stop_many(
    class_id: str, body: Annotated[class_models.StopManyBody, Body()]
) -> class_models.ManyAnswer:
    """Stop several sandboxes, or all of the class."""
    engine = call().engine
    chosen = body.sandboxes
    slots = None if chosen is None else [Slot(class_id, s.lab, user=s.student) for s in chosen]
    count = engine.teaching.stop(engine.classes.get(class_id), slots)
    return class_models.ManyAnswer(count=count, capped=0, now=engine.world.clock.now())


@route("GET", f"{CLASS}/board", action="see_board", scope="class")
def board(class_id: str) -> class_models.BoardAnswer:
    """Everybody in a class: where they are, who needs help, what it costs."""
    engine = call().engine
    room = engine.classes.get(class_id)
    return class_views.board(engine.boards.board(room), room, engine.world.clock.now())


@route("GET", f"{CLASS}/board.csv", action="see_board", scope="class")
def board_csv(class_id: str) -> Response[str]:
    """The board as a table for a spreadsheet."""
    engine = call().engine
    room = engine.classes.get(class_id)
    headers = {"Content-Disposition": 'attachment; filename="board.csv"'}
    text = tables.table(engine.boards.board(room), room)
    return Response(200, "text/csv; charset=utf-8", text, headers=headers)


@route("GET", f"{CLASS}/preflight", action="manage", scope="class")
def preflight(class_id: str) -> class_models.PreflightAnswer:
    """Whether the clouds can have the machines of a class; begins to look where nobody has."""
    engine = call().engine
    room = engine.classes.get(class_id)
    return class_views.preflight(engine.preflight.seen(room), room)


@route("POST", f"{CLASS}/preflight", action="manage", scope="class", status=202)
def preflight_again(
    class_id: str,
    body: Annotated[models.Nothing, Body()],  # noqa: ARG001 - it is empty
) -> class_models.PreflightAnswer:
    """Look at the clouds anew."""
    engine = call().engine
    room = engine.classes.get(class_id)
    return class_views.preflight(engine.preflight.seen(room, again=True), room)


@route("POST", f"{SANDBOX}/watch", action="watch", scope="seat", status=201)
def watch(
    class_id: str,
    lab: str,
    body: Annotated[class_models.WatchBody, Body()],
    student: Student = None,  # noqa: ARG001
) -> models.TicketAnswer:
    """A ticket for a student's terminal; the student sees who watches."""
    asked = call()
    record = asked.record(class_id, lab)
    spec = asked.engine.classes.lab(lab, record.sandbox.terms.lab_version)
    names = [terminal.name for terminal in spec.terminals]
    # Further shells are beside one of them (`main~2`); whether such a one runs its agent knows.
    if body.terminal is not None and body.terminal.partition("~")[0] not in names:
        raise BadField(
            "terminal", f"{spec.title} has no such terminal.", f"Choose from {', '.join(names)}."
        )
    opening = Opening("terminal" if body.join else "watch")
    sealed = asked.engine.playing.ticket(record, spec, asked.asker.person, opening)
    return ways.to_agent(record, "terminal", ways.Sealed(*sealed))
