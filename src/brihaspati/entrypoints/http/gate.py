"""The gate of the HTTP API: one request event in, one response out, the same in both modes.

Events are API Gateway's HTTP API format 2.0. In order: is there such a route, is the request well
formed and from our own page, who asks, may they; only then Powertools validates and calls the
handler. Powertools keeps the current event in a class attribute, so one process answers one request
at a time, exactly as Lambda does.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from brihaspati.domain import access
from brihaspati.engine.engine import Engine
from brihaspati.engine.membership import Membership
from brihaspati.engine.problems import Problem
from brihaspati.entrypoints.http import authorisation, problems, resolving, routes, sessions
from brihaspati.entrypoints.http.addresses import Addresses
from brihaspati.entrypoints.http.routes import Call, Route

BODY_BYTES_MAX = 131_072
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}

Event = Mapping[str, Any]


def routes_of(modules: Iterable[ModuleType]) -> list[Route]:
    """The routes that these modules declare, in their order."""
    names = [module.__name__ for module in modules]
    return [one for name in names for one in routes.TABLE if one.handler.__module__ == name]


@functools.cache
def _document() -> str:
    """The document as text: a third of a cold start, which few ever ask for."""
    from brihaspati.entrypoints.http import document  # noqa: PLC0415 - it imports every route there is

    return json.dumps(document.openapi())


class Gate:
    """Answers request events. `context` is what Lambda passes; embedded mode has none."""

    def __init__(
        self,
        engine: Engine,
        addresses: Addresses,
        archive: routes.Archive | None = None,
        *,
        modules: Iterable[ModuleType],
    ) -> None:
        """`modules`: whose routes are answered; the others' are not there."""
        self.engine = engine
        self.archive = archive
        self.addresses = addresses
        self.table = routes_of(modules)
        self.app = resolving.resolver(self.table)

    def __call__(self, event: Event, context: LambdaContext | None = None) -> dict[str, Any]:
        """The response to a request event: statusCode, headers, cookies, body."""
        try:
            answer = self._answer(event, context or LambdaContext())
        except Exception as error:  # noqa: BLE001 - the last door: everything becomes a problem
            answer = _built(resolving.problem(error))
        return _guarded(answer)

    def _answer(self, event: Event, context: LambdaContext) -> dict[str, Any]:
        method, path = event["requestContext"]["http"]["method"], event["rawPath"]
        if (method, path) == ("GET", "/v1/openapi.json"):
            return _built(Response(200, "application/json", _document()))
        found, values = _find(self.table, method, path)
        refused = self._malformed(event, method)
        if refused is not None:
            return _built(refused)
        token = routes.answering(self._authorise(found, values, event))
        try:
            answer = self.app.resolve(_readable(event), context)
            packed = answer["headers"].get("Content-Type") == routes.ZIP
            return {**answer, "isBase64Encoded": True} if packed else answer
        finally:
            routes.done(token)

    def _malformed(self, event: Event, method: str) -> Response[str] | None:
        """Why a request is refused before anybody looks at who sent it."""
        body, headers = event.get("body") or "", event.get("headers", {})
        if len(body) > BODY_BYTES_MAX:
            return problems.response(
                413, "too_large", "The request is too large.", f"Send at most {BODY_BYTES_MAX} B."
            )
        if method not in WRITES:
            return None
        return self._foreign(headers) or _unreadable(body, headers)

    def _foreign(self, headers: Mapping[str, str]) -> Response[str] | None:
        """Why a write is refused for the page it comes from."""
        origin = headers.get("origin")
        if origin is not None and not self.addresses.allows(origin):
            return problems.response(
                403, "origin", f"Pages of {origin} may not write here.", "Open the portal itself."
            )
        if origin is None and headers.get("sec-fetch-site") not in (None, "same-origin", "none"):
            return problems.response(403, "origin", "Another site's page may not write here.")
        return None

    def _authorise(self, found: Route, values: Mapping[str, str], event: Event) -> Call:
        """The call, with who asks and whose things it is about. Raises Problem."""
        host = event["requestContext"].get("domainName") or event["headers"].get("host", "")
        if found.scope == "machine":
            visitor = authorisation.visitor(self.engine, event, boots=found.action == "boot")
            return Call(self.engine, self.addresses, host, visitor=visitor)
        member = self._member(event)
        call = Call(self.engine, self.addresses, host, member, member, self.archive)
        if found.scope == "public":
            return call
        if member is None:
            raise Problem("not_signed_in", "You are not signed in.", "Join with your class code.")
        student_id = (event.get("queryStringParameters") or {}).get("student")
        class_id = values.get("class_id")
        relations = member.relations_to(class_id)
        if found.scope == "self":
            relations |= {"own"}
        elif found.scope == "seat" and student_id in (None, member.person.id):
            relations = relations | {"own"} if relations else relations
        elif found.scope == "seat":
            relations -= {"member"}
            call = Call(self.engine, self.addresses, host, member, self._student(student_id))
        if not access.allowed(member.person.role, found.action, relations):
            fix = "Ask who teaches the class." if relations else "Join the class first."
            raise Problem("not_allowed", "You may not do this here.", fix)
        if found.scope == "seat" and class_id and not call.owner.relations_to(class_id):
            raise Problem("not_found", "This student is not in the class.", "See the board.")
        return call

    def _student(self, student_id: str | None) -> Membership:
        try:
            return self.engine.member(student_id or "")
        except Problem:
            raise Problem(
                "not_found", "There is no such student.", "See the board.", field="student"
            ) from None

    def _member(self, event: Event) -> Membership | None:
        name = sessions.cookie_name(secure=self.addresses.secure)
        jar = dict(c.strip().partition("=")[::2] for c in event.get("cookies") or ())
        world = self.engine.world
        user = sessions.read(
            jar.get(name), world.clock.now(), lambda m: world.secrets.mac("session", m)
        )
        try:
            return self.engine.member(user) if user is not None else None
        except Problem:
            return None


def _find(table: Sequence[Route], method: str, path: str) -> tuple[Route, Mapping[str, str]]:
    known_path = False
    for declared in table:
        matched = declared.pattern.match(path)
        if matched is None:
            continue
        known_path = True
        if declared.method == method:
            return declared, matched.groupdict()
    fix = f"{method} is not offered there." if known_path else "See /v1/openapi.json."
    raise Problem("not_found", f"There is no {method} {path}.", fix)


def _unreadable(body: str, headers: Mapping[str, str]) -> Response[str] | None:
    """Why a body is refused before anybody looks at what it says."""
    if not body:
        return None
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return problems.response(
            415, "media_type", "The body must be JSON.", "Send Content-Type: application/json."
        )
    try:
        # Not only broken JSON: nested too deeply, numbers too long, halves of letters.
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        fix = "Send one JSON object as /v1/openapi.json has it."
        return problems.response(
            422, "bad_field", "The body cannot be read as JSON.", fix, field="body"
        )
    return None


def _readable(event: Event) -> dict[str, Any]:
    """Without a body its type says nothing, and Powertools stumbles over types it cannot read."""
    headers = event.get("headers", {})
    if event.get("body") or "content-type" not in headers:
        return dict(event)
    kept = {name: text for name, text in headers.items() if name != "content-type"}
    return {**event, "headers": kept}


def whole(answer: Response[Any]) -> dict[str, Any]:
    """An answer given before the API is asked, as the API would give it."""
    return _guarded(_built(answer))


def _guarded(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "headers": {**SECURITY_HEADERS, **answer.get("headers", {})}}


def _built(answer: Response[Any]) -> dict[str, Any]:
    """A response as API Gateway takes it, without a route."""
    built: dict[str, Any] = {
        "statusCode": answer.status_code,
        "headers": {"Content-Type": answer.content_type or "application/json"},
        "body": answer.body or "",
        "isBase64Encoded": False,
    }
    for name, value in (answer.headers or {}).items():
        built["headers"][name] = value if isinstance(value, str) else ", ".join(value)
    return built
