"""Problems on the wire: RFC 9457 `application/problem+json`, saying the field and the fix."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from brihaspati import ports
from brihaspati.domain.classrooms import BadField
from brihaspati.engine.problems import Kind, Problem

CONTENT_TYPE = "application/problem+json"
STATUS: dict[Kind, int] = {
    "not_found": 404,
    "not_signed_in": 401,
    "not_allowed": 403,
    "bad_field": 422,
    "class_closed": 409,
    "class_full": 409,
    "name_taken": 409,
    "not_expected": 403,
    "changed_meanwhile": 409,
    "too_many_sandboxes": 409,
    "budget_spent": 409,
    "no_machines": 503,
    "not_ready": 409,
    "link_spent": 410,
    "busy": 503,
    "store_full": 507,
}


def response(
    status: int, kind: str, title: str, fix: str | None = None, **more: Any
) -> Response[str]:
    """One problem. `type` is a stable name under /problems/, `fix` is what to do about it."""
    body = {"type": f"/problems/{kind.replace('_', '-')}", "title": title, "status": status}
    if fix is not None:
        body["fix"] = fix
    body |= {key: value for key, value in more.items() if value is not None}
    headers: dict[str, str | list[str]] = {"Retry-After": "1"} if status == 503 else {}
    return Response(status, CONTENT_TYPE, json.dumps(body), headers=headers)


def of(problem: Exception) -> Response[str]:
    """The response for anything the engine or a port may raise; unknown ones are a plain 500."""
    match problem:
        case Problem():
            status = STATUS[problem.kind]
            return response(status, problem.kind, problem.title, problem.fix, field=problem.field)
        case BadField():
            return response(422, "bad_field", problem.problem, problem.fix, field=problem.field)
        case RequestValidationError():
            return _invalid(problem.errors())
        case _:
            return response(*_in_words(problem))


def _in_words(problem: Exception) -> tuple[int, str, str, str]:
    """Status, kind, title and fix of what has no words of its own."""
    match problem:
        case NotFoundError():
            # Powertools takes fewer letters in an address than our table does.
            fix = "Look for a letter in the address that does not belong there."
            return 404, "not_found", "There is nothing at this address.", fix
        case ports.StoreFull():
            fix = "Nothing was lost. Free some space on the server's disk, then try again."
            return 507, "store_full", "The server's disk is full.", fix
        case ports.NotSetUp():
            fix = "Whoever runs it finds in the log what is missing, and how to make it."
            return 500, "not_set_up", "The service is not set up whole.", fix
        case ports.Busy() | ports.Conflict():
            return 503, "busy", "The server is busy.", "Try again in a moment."
        case _:
            fix = "Try again; if it stays, tell your trainer."
            return 500, "fault", "Something went wrong on our side.", fix


def _invalid(errors: Sequence[Any]) -> Response[str]:
    """The first validation error in words, with all of them for programs."""
    plain = [
        {"field": ".".join(str(part) for part in e["loc"][1:]) or "body", "problem": e["msg"]}
        for e in errors
    ]
    first = plain[0]
    title = f"{first['field']}: {first['problem']}"
    fix = f"Correct the field {first['field']}; /v1/openapi.json has its form."
    return response(422, "bad_field", title, fix, field=first["field"], errors=plain)
