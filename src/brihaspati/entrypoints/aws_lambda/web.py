"""A function behind an HTTP API: the event made plain, the answer made the gateway's."""

from __future__ import annotations

import base64
import binascii
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from brihaspati.entrypoints.http import gate, problems

log = logging.getLogger(__name__)

# Long enough that as many environments run side by side as were asked for.
WARM_SECONDS = 0.2
_REPLACEMENT = "\ufffd"

Event = Mapping[str, Any]
Answer = dict[str, Any]


class Web:
    """Answers events of API Gateway's HTTP API, format 2.0, and pings that only keep it warm."""

    def __init__(
        self,
        answer: Callable[[dict[str, Any], Any], Answer],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._answer = answer
        self._pause = pause

    def __call__(self, event: Event, context: Any = None) -> Answer:
        """The response: statusCode, headers, cookies, body."""
        if event.get("warm") is True:
            self._pause(WARM_SECONDS)
            return {}
        if not _is_request(event):
            log.error("no event of an HTTP API", extra={"keys": sorted(map(str, event))[:20]})
            return gate.whole(
                problems.response(
                    400, "bad_event", "This is no request.", "Call the function by its HTTP API."
                )
            )
        return _for_gateway(self._answer(_plain(event), context))


def _is_request(event: Event) -> bool:
    context = event.get("requestContext")
    http = context.get("http") if isinstance(context, Mapping) else None
    known = isinstance(http, Mapping) and isinstance(http.get("method"), str)
    return known and isinstance(event.get("rawPath"), str)


def _plain(event: Event) -> dict[str, Any]:
    """The event with its body as text, and with everything there that the API looks at."""
    body = event.get("body")
    if event.get("isBase64Encoded") and body:
        body = _decoded(body)
    headers = {str(name).lower(): value for name, value in (event.get("headers") or {}).items()}
    return {**event, "headers": headers, "body": body, "isBase64Encoded": False}


def _decoded(body: str) -> str:
    try:
        return base64.b64decode(body, validate=True).decode()
    except (binascii.Error, ValueError):
        return _REPLACEMENT  # no JSON, and so refused in words


def _for_gateway(answer: Answer) -> Answer:
    """Cookies where the gateway wants them: it would join headers of one name by commas."""
    headers, cookies = dict(answer["headers"]), list(answer.get("cookies") or ())
    for name in [name for name in headers if name.lower() == "set-cookie"]:
        value = headers.pop(name)
        cookies += [value] if isinstance(value, str) else value
    return {**answer, "headers": headers, "cookies": cookies}
