"""WebSockets that take requests and give an answer to each, as JSON text.

`{"id": 1, "op": ..., "machine": "main", ...}` is answered by `{"id": 1, "ok": true, ...}` or by
`{"id": 1, "ok": false, "kind": word, "problem": text}`. "machine" may be left out where there is
one. Answers come as they are ready.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import logging
import weakref
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from brihaspati_agent import connections, places, tickets, wire
from brihaspati_agent.framing import WSMsgType

_logger = logging.getLogger(__name__)
_AT_ONCE = 4
_WAITING_MAX = 64

# By a machine's label; forgotten when nobody holds it or waits for it.
_locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

Act = Callable[[places.Place], dict[str, Any]]


class Problem(Exception):  # noqa: N818 - becomes an answer
    """The request cannot be done as it stands; the text is for a person, `kind` for a program."""

    def __init__(self, text: str, kind: str = "problem") -> None:
        super().__init__(text)
        self.kind = kind


class RequestSocket(connections.Connection):
    """One client that works on the machines of its ticket."""

    message_bytes_max = 1024 * 1024
    permission: ClassVar[tickets.Permission]
    operations: ClassVar[Mapping[str, Callable[[dict[str, Any]], Act]]]
    # Operations that only a person asks for: they count as a sign of life of the student.
    by_hand: ClassVar[frozenset[str]] = frozenset()
    # Operations that look before they change: one at a time in a machine, whoever asks.
    alone: ClassVar[frozenset[str]] = frozenset()
    _machines: Mapping[str, str] | None = None

    def __init__(self, service: connections.Service, *, welcome: bool) -> None:
        super().__init__(service, welcome=welcome)
        self._answering: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def first(self, message: dict[str, Any]) -> None:
        """Check the ticket."""
        ticket = self.service.gate.admit(message["ticket"], self.permission)
        self.service.hub.welcome(ticket.sandbox, self)
        self.sandbox = ticket.sandbox
        self._machines = ticket.machines
        self.hello({"type": "hello", "machines": sorted(ticket.machines)})

    def message(self, kind: WSMsgType, data: bytes) -> None:
        """Begin to answer one request."""
        if kind != WSMsgType.TEXT:
            raise wire.Bad(wire.BAD_MESSAGE, "requests are JSON text")
        request = wire.json_object(data)
        if request.get("op") == "ping":
            self.hello({"id": request.get("id"), "ok": True})
            return
        if len(self._answering) >= _WAITING_MAX:
            raise wire.Bad(wire.TOO_FAST, "wait for some answers")
        task = asyncio.ensure_future(self._answer(request))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

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
            async with self._turn, self._alone(request):
                answer = await self.service.hub.blocking(work)
        except Problem as problem:
            self._refuse(number, problem.kind, str(problem))
        except places.PlaceError as problem:
            self._refuse(number, "problem", str(problem))
        except places.NoSuchMachine:
            self._refuse(number, "gone", "this machine is gone")
        except Exception:
            _logger.exception("a request could not be done")
            self._refuse(number, "broken", "something went wrong here")
        else:
            self.hello({"id": number, "ok": True, **answer})

    def _refuse(self, number: Any, kind: str, words: str) -> None:
        self.hello({"id": number, "ok": False, "kind": kind, "problem": words})

    def _work(self, request: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        name = str(request.get("op"))
        operation = self.operations.get(name)
        if operation is None:
            raise Problem(f'"op" is one of {", ".join(self.operations)}')
        label = self._label(request.get("machine"))
        act = operation(request)
        if name in self.by_hand and self.sandbox is not None:
            self.service.hub.typed(self.sandbox)
        return functools.partial(_perform, self.service.hub.at, label, act)

    def _alone(self, request: dict[str, Any]) -> contextlib.AbstractAsyncContextManager[None]:
        if request.get("op") not in self.alone:
            return contextlib.nullcontext()
        return _locks.setdefault(self._label(request.get("machine")), asyncio.Lock())

    def _label(self, machine: Any) -> str:
        machines = self._machines or {}
        if machine is None and len(machines) == 1:
            return next(iter(machines.values()))
        if not isinstance(machine, str) or machine not in machines:
            raise Problem(f'"machine" is one of {", ".join(sorted(machines))}')
        return machines[machine]


def _perform(at: places.Places, label: str, act: Act) -> dict[str, Any]:
    return act(at(label))


def absolute_path(request: dict[str, Any], key: str = "path") -> str:
    """An absolute path of the request. Raises Problem."""
    path = request.get(key)
    if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
        raise Problem(f'"{key}" is an absolute path')
    return path


def given_bytes(request: dict[str, Any], key: str) -> bytes:
    """Bytes that travel as base64. Raises Problem."""
    try:
        return base64.b64decode(request[key], validate=True)
    except (KeyError, TypeError, ValueError):
        raise Problem(f'"{key}" is base64') from None
