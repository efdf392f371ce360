"""The control socket: run a command, read a file, write a file, on a machine of the sandbox.

Requests and answers are JSON text. `{"id": 1, "op": "run", "machine": "main", "argv": [...],
"stdin": base64?, "timeout_seconds": 10?, "user": name?}` is answered by `{"id": 1, "ok": true,
"code", "output", "error", "timed_out", "truncated"}`; `{"op": "read", "path"}` by `{"data"}`;
`{"op": "write", "path", "data", "mode"?}` by nothing more. Bytes travel as base64; "machine" may
be left out where there is one. What fails is answered by `{"id", "ok": false, "problem": text}`.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any

import picows

from brihaspati_agent import connections, places, wire

_logger = logging.getLogger(__name__)

OUTPUT_BYTES_MAX = 256 * 1024
FILE_BYTES_MAX = 512 * 1024
TIMEOUT_SECONDS_MAX = 120
_AT_ONCE = 4
_WAITING_MAX = 64


class Problem(Exception):  # noqa: N818 - becomes an answer
    """The request cannot be done as it stands; the text is for a person."""


class ControlSocket(connections.Connection):
    """A program (the checks of a lab, a command line) that works on the machines."""

    message_bytes_max = 1024 * 1024
    _machines: Mapping[str, str] | None = None

    async def first(self, message: dict[str, Any]) -> None:
        """Check the ticket."""
        ticket = self.service.gate.admit(message["ticket"], "control")
        self.service.hub.welcome(ticket.sandbox, self)
        self.sandbox = ticket.sandbox
        self._machines = ticket.machines
        self.hello({"type": "hello", "machines": sorted(ticket.machines)})

    def message(self, kind: picows.WSMsgType, data: bytes) -> None:
        """Begin to answer one request."""
        if kind != picows.WSMsgType.TEXT:
            raise wire.Bad(wire.BAD_MESSAGE, "control messages are JSON text")
        request = wire.json_object(data)
        if len(self._answering) >= _WAITING_MAX:
            raise wire.Bad(wire.TOO_FAST, "wait for some answers")
        task = asyncio.ensure_future(self._answer(request))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    def __init__(self, service: connections.Service, *, welcome: bool) -> None:
        super().__init__(service, welcome=welcome)
        self._answering: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(_AT_ONCE)

    def gone(self) -> None:
        """Answers are wanted no more; commands that run end by their time limit."""
        for task in self._answering:
            task.cancel()
        if self.sandbox is not None:
            self.service.hub.farewell(self.sandbox, self)

    async def _answer(self, request: dict[str, Any]) -> None:
        number = request.get("id")
        try:
            work = self._work(request)
            async with self._turn:
                answer = await self.service.hub.blocking(work)
        except (Problem, places.PlaceError) as problem:
            self.hello({"id": number, "ok": False, "problem": str(problem)})
        except places.NoSuchMachine:
            self.hello({"id": number, "ok": False, "problem": "this machine is gone"})
        except Exception:
            _logger.exception("a request could not be done")
            self.hello({"id": number, "ok": False, "problem": "something went wrong here"})
        else:
            self.hello({"id": number, "ok": True, **answer})

    def _work(self, request: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        operation = _OPERATIONS.get(str(request.get("op")))
        if operation is None:
            raise Problem(f'"op" is one of {", ".join(_OPERATIONS)}')
        label = self._label(request.get("machine"))
        at = self.service.hub.at
        return functools.partial(_perform, at, label, operation(request))

    def _label(self, machine: Any) -> str:
        machines = self._machines or {}
        if machine is None and len(machines) == 1:
            return next(iter(machines.values()))
        if not isinstance(machine, str) or machine not in machines:
            raise Problem(f'"machine" is one of {", ".join(sorted(machines))}')
        return machines[machine]


_Act = Callable[[places.Place], dict[str, Any]]


def _perform(at: places.Places, label: str, act: _Act) -> dict[str, Any]:
    return act(at(label))


def _run(request: dict[str, Any]) -> _Act:
    argv = request.get("argv")
    if not isinstance(argv, list) or not argv or not all(isinstance(a, str) for a in argv):
        raise Problem('"argv" is a list of texts: the program and its arguments')
    seconds = request.get("timeout_seconds", 30)
    if type(seconds) not in (int, float) or not 0 < seconds <= TIMEOUT_SECONDS_MAX:
        raise Problem(f'"timeout_seconds" is a number up to {TIMEOUT_SECONDS_MAX}')
    user = request.get("user")
    if user is not None and not isinstance(user, str):
        raise Problem('"user" is a name')
    stdin = _bytes(request, "stdin") if "stdin" in request else b""

    def act(place: places.Place) -> dict[str, Any]:
        outcome = place.run(
            argv,
            stdin=stdin,
            timeout_seconds=seconds,
            output_bytes_max=OUTPUT_BYTES_MAX,
            user=user,
        )
        return {
            "code": outcome.code,
            "output": base64.b64encode(outcome.output).decode(),
            "error": base64.b64encode(outcome.error).decode(),
            "timed_out": outcome.timed_out,
            "truncated": outcome.truncated,
        }

    return act


def _read(request: dict[str, Any]) -> _Act:
    path = _path(request)

    def act(place: places.Place) -> dict[str, Any]:
        return {"data": base64.b64encode(place.read(path, FILE_BYTES_MAX)).decode()}

    return act


def _write(request: dict[str, Any]) -> _Act:
    path, data = _path(request), _bytes(request, "data")
    mode = request.get("mode", 0o644)
    if type(mode) is not int or not 0 <= mode <= 0o7777:
        raise Problem('"mode" is a file mode as a number')

    def act(place: places.Place) -> dict[str, Any]:
        place.write(path, data, mode)
        return {}

    return act


_OPERATIONS: dict[str, Callable[[dict[str, Any]], _Act]] = {
    "run": _run,
    "read": _read,
    "write": _write,
}


def _path(request: dict[str, Any]) -> str:
    path = request.get("path")
    if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
        raise Problem('"path" is an absolute path')
    return path


def _bytes(request: dict[str, Any], key: str) -> bytes:
    try:
        return base64.b64decode(request[key], validate=True)
    except (KeyError, TypeError, ValueError):
        raise Problem(f'"{key}" is base64') from None
