"""The control socket: run a command, read a file, write a file, on a machine of the sandbox.

`{"id": 1, "op": "run", "machine": "main", "argv": [...], "stdin": base64?, "timeout_seconds": 10?,
"user": name?}` is answered by `{"id": 1, "ok": true, "code", "output", "error", "timed_out",
"truncated"}`; `{"op": "read", "path"}` by `{"data"}`; `{"op": "write", "path", "data", "mode"?}` by
nothing more. It is for programs of the control plane: people get no ticket that may `control`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from brihaspati_agent import places
from brihaspati_agent.requests import Act, Problem, RequestSocket, absolute_path, given_bytes

OUTPUT_BYTES_MAX = 256 * 1024
FILE_BYTES_MAX = 512 * 1024
TIMEOUT_SECONDS_MAX = 120


def _run(request: dict[str, Any]) -> Act:
    argv = request.get("argv")
    if not isinstance(argv, list) or not argv or not all(isinstance(a, str) for a in argv):
        raise Problem('"argv" is a list of texts: the program and its arguments')
    seconds = request.get("timeout_seconds", 30)
    if type(seconds) not in (int, float) or not 0 < seconds <= TIMEOUT_SECONDS_MAX:
        raise Problem(f'"timeout_seconds" is a number up to {TIMEOUT_SECONDS_MAX}')
    user = request.get("user")
    if user is not None and not isinstance(user, str):
        raise Problem('"user" is a name')
    stdin = given_bytes(request, "stdin") if "stdin" in request else b""

    def act(place: places.Place) -> dict[str, Any]:
        outcome = place.run(
            argv,
            stdin=stdin,
            timeout_seconds=seconds,
            output_bytes_max=OUTPUT_BYTES_MAX,
            user=user,
        )
        return outcome.told()

    return act


def _read(request: dict[str, Any]) -> Act:
    path = absolute_path(request)

    def act(place: places.Place) -> dict[str, Any]:
        return {"data": base64.b64encode(place.read(path, FILE_BYTES_MAX)).decode()}

    return act


def _write(request: dict[str, Any]) -> Act:
    path, data = absolute_path(request), given_bytes(request, "data")
    mode = request.get("mode", 0o644)
    if type(mode) is not int or not 0 <= mode <= 0o7777:
        raise Problem('"mode" is a file mode as a number')

    def act(place: places.Place) -> dict[str, Any]:
        place.write(path, data, mode)
        return {}

    return act


_OPERATIONS: dict[str, Callable[[dict[str, Any]], Act]] = {
    "run": _run,
    "read": _read,
    "write": _write,
}


class ControlSocket(RequestSocket):
    """A program that works on the machines."""

    permission = "control"
    operations = _OPERATIONS
