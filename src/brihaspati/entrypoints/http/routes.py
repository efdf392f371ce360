"""The table of routes: what each does, who may use it, and how near they must stand to the thing.

A route is declared once, with `@route`. Nothing is reachable that is not in the table, and a test
fails for an entry without an action.
"""

from __future__ import annotations

import contextvars
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from brihaspati.domain import access
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine.engine import Engine
from brihaspati.engine.machines import Known
from brihaspati.engine.membership import Membership
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Record
from brihaspati.entrypoints.http.addresses import Addresses

# public: anybody, signed in or not. self: the person who asks. class: the class in the path.
# seat: the sandbox in the path, of the person who asks or of ?student=.
# machine: the rented machine that asks, by its boot token or its signature.
Scope = Literal["public", "self", "class", "seat", "machine"]


@dataclass(frozen=True, slots=True)
class Route:
    """One route as declared. `rule` has <names> for path parameters."""

    method: str
    rule: str
    action: access.Action
    scope: Scope
    status: int
    handler: Callable[..., Any]
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Archive:
    """The program that rented machines run: its bytes, and their SHA-256 in hexadecimal."""

    data: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """A machine that asks: with its boot token, or known by its signature. `source`: from where."""

    source: str
    token: str | None = None
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request, authorised: who asks, whose things it is about, and the house's rooms."""

    engine: Engine
    addresses: Addresses
    host: str
    member: Membership | None = None
    target: Membership | None = None
    archive: Archive | None = None
    visitor: Visitor | None = None

    @property
    def machine(self) -> Known:
        """The machine that asks. Only for routes of machines that have booted."""
        assert self.visitor is not None
        assert self.visitor.known is not None
        return self.visitor.known

    @property
    def asker(self) -> Membership:
        """Who asks. Only for routes that are not public."""
        assert self.member is not None
        return self.member

    def slot(self, class_id: str, lab: str) -> Slot:
        """The slot a seat route is about."""
        return Slot(class_id, lab, user=self.owner.person.id)

    @property
    def owner(self) -> Membership:
        """Whose sandbox a seat route is about."""
        assert self.target is not None
        return self.target

    def record(self, class_id: str, lab: str) -> Record:
        """The sandbox a seat route is about. Raises Problem when there is none."""
        record = self.owner.sandbox(class_id, lab)
        if record is None:
            raise Problem("not_found", "This lab has not been started.", "Press Play first.")
        return record


SANDBOX = "/v1/classes/<class_id>/labs/<lab>/sandbox"
Student = Annotated[str | None, Query(description="A student's id, for trainers", max_length=64)]
# What an answer of this kind says is base64, as API Gateway wants bytes.
ZIP = "application/zip"
TABLE: list[Route] = []
_call: contextvars.ContextVar[Call] = contextvars.ContextVar("call")


def call() -> Call:
    """The request being answered."""
    return _call.get()


def answering(now: Call) -> contextvars.Token[Call]:
    """Set the request being answered; the HTTP gate does, once per request."""
    return _call.set(now)


def done(token: contextvars.Token[Call]) -> None:
    """Forget the request."""
    _call.reset(token)


def route(
    method: str, rule: str, *, action: access.Action, scope: Scope, status: int = 200
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a route: its handler's signature is its validation, its docstring the API's text."""

    def declare(handler: Callable[..., Any]) -> Callable[..., Any]:
        names = re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", rule)
        pattern = re.compile(f"^{names}$")
        TABLE.append(Route(method, rule, action, scope, status, handler, pattern))
        return handler

    return declare
