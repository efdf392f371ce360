"""Powertools' router over a table of routes, and what it says of a handler's error."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from brihaspati import ports
from brihaspati.entrypoints.http import problems
from brihaspati.entrypoints.http.routes import Route

log = logging.getLogger(__name__)


def resolver(table: Sequence[Route]) -> APIGatewayHttpResolver:
    """Powertools' router with these routes, validating by the handlers' signatures."""
    app = APIGatewayHttpResolver(enable_validation=True)
    app.exception_handler(Exception)(problem)
    for declared in table:
        declare = app.route(
            declared.rule,
            declared.method,
            status_code=declared.status,
            summary=(declared.handler.__doc__ or "").strip().splitlines()[0],
            operation_id=declared.handler.__name__,
            tags=[declared.scope],
            openapi_extensions={"x-action": declared.action, "x-scope": declared.scope},
        )
        declare(declared.handler)
    return app


def problem(error: Exception) -> Response[str]:
    """The answer to an error; what nobody foresaw goes to the log whole."""
    answer = problems.of(error)
    if isinstance(error, ports.NotSetUp):
        log.error("not set up: %s", error)
    elif answer.status_code == 500:
        log.error("request failed", exc_info=error)
    return answer
