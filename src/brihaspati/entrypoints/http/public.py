"""Routes for anybody, and for a person about themselves."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from brihaspati import __version__
from brihaspati.domain import access
from brihaspati.domain.classrooms import Classroom, shown
from brihaspati.engine.membership import Membership
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Person
from brihaspati.entrypoints.http import models, sessions
from brihaspati.entrypoints.http.routes import call, route

JSON = "application/json"


@route("GET", "/v1/health", action="look_around", scope="public")
def health() -> models.Health:
    """Whether the service answers, and its version."""
    return models.Health(status="ok", version=__version__)


@route("GET", "/v1/join/<code>", action="look_around", scope="public")
def preview_class(code: str) -> models.ClassPreview:
    """What somebody with a class code sees before joining."""
    classes = call().engine.classes
    room = classes.by_code(code)
    return models.ClassPreview(
        title=room.title,
        instructor=room.instructor,
        state=room.state(classes.world.clock.now()),
        opens_at=room.opens_at,
        closes_at=room.closes_at,
        seats=room.seats,
        seats_taken=len(classes.roster(room.id)),
        email_required=room.email_required,
    )


@route("POST", "/v1/join", action="join", scope="public", status=201)
def join(body: Annotated[models.JoinBody, Body()]) -> Response[models.Joined]:
    """Take a seat in a class. Who is signed in already keeps their identity, and their seat."""
    classes, member = call().engine.classes, call().member
    room = classes.by_code(body.code)
    if member is not None and member.relations_to(room.id) - {"any"}:
        person = member.person
    else:
        known = member.person if member is not None else None
        person = classes.join(room, body.name, body.email, known, body.key)
    joined = models.Joined(class_id=room.id, user=_user(person))
    return Response(201, JSON, joined, headers={"Set-Cookie": [_cookie(person)]})


@route("POST", "/v1/sign-in", action="look_around", scope="public")
def sign_in(body: Annotated[models.SignInBody, Body()]) -> Response[models.Session]:
    """Spend a one-time link."""
    engine = call().engine
    person = engine.classes.sign_in(body.token)
    answer = _session(engine.member(person.id))
    return Response(200, JSON, answer, headers={"Set-Cookie": [_cookie(person)]})


@route("GET", "/v1/session", action="look_around", scope="public")
def session() -> models.Session:
    """Who is signed in, their classes, and what they may do."""
    return _session(call().member)


@route("DELETE", "/v1/session", action="look_around", scope="public", status=204)
def sign_out() -> Response[None]:
    """Forget this browser."""
    secure = call().addresses.secure
    forget = sessions.set_cookie(sessions.cookie_name(secure=secure), "", 0, secure=secure)
    return Response(204, headers={"Set-Cookie": [forget]})


@route("POST", "/v1/session/link", action="link_device", scope="self", status=201)
def link_device() -> models.DeviceLink:
    """A one-time address with which to go on as the same person on another device."""
    asked = call()
    token, expires_at = asked.engine.classes.invite(asked.asker.person)
    url = f"{asked.addresses.scheme}://{asked.host}/sign-in#{token}"
    return models.DeviceLink(url=url, expires_at=expires_at)


@route("GET", "/v1/classes", action="look_around", scope="self")
def classes_of() -> models.ClassList:
    """The classes of the person asking; an admin's are all of them."""
    return models.ClassList(classes=_classes(call().asker))


def _session(member: Membership | None) -> models.Session:
    if member is None:
        return models.Session(user=None, classes=[], allowed=list(access.actions("nobody")))
    return models.Session(
        user=_user(member.person),
        classes=_classes(member),
        allowed=list(access.actions(member.person.role)),
    )


def _classes(member: Membership) -> list[models.ClassRef]:
    classes = call().engine.classes
    if member.person.role == "admin":
        return [_ref(room, teaches=True) for room in classes.all()]
    found = []
    for enrolment in member.enrolments:
        try:
            room = classes.get(enrolment.class_id)
        except Problem:
            continue  # the class was deleted; the enrolment says nothing any more
        found.append(_ref(room, teaches=enrolment.role == "instructor"))
    return found


def _ref(room: Classroom, *, teaches: bool) -> models.ClassRef:
    return models.ClassRef(
        id=room.id,
        title=room.title,
        state=room.state(call().engine.world.clock.now()),
        join_code=shown(room.code) if teaches else None,
    )


def _user(person: Person) -> models.User:
    return models.User(id=person.id, name=person.name, role=person.role)


def _cookie(person: Person) -> str:
    world, secure = call().engine.world, call().addresses.secure
    seconds = world.bounds.session_seconds
    text = sessions.issue(
        person.id, world.clock.now() + seconds * 1000, lambda m: world.secrets.mac("session", m)
    )
    return sessions.set_cookie(sessions.cookie_name(secure=secure), text, seconds, secure=secure)
