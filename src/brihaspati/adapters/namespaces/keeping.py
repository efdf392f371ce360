"""The labs of one keeper, from order to nothing left."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from brihaspati.adapters.namespaces import (
    builder,
    cgroups,
    kernel,
    loop,
    orders,
    ranges,
    upper,
    wire,
)

Phase = Literal["building", "held", "usable", "dying"]
_MESSAGE_MAX = 8192
_FIRST_RETRY_SECONDS = 0.001
_LAST_RETRY_SECONDS = 0.25


@dataclass(slots=True)
class Lab:
    """One lab as the keeper knows it. Pids are the host's, 0 when there is none (any more)."""

    order: orders.LabOrder
    first_id: int
    builder: int
    channel: socket.socket | None
    asker: socket.socket | None
    phase: Phase = "building"
    pid: int = 0
    machine: int = -1
    built: bool = False
    disk: str | None = None
    failure: tuple[str, str] | None = None
    waiting: list[socket.socket] = field(default_factory=list)
    retry_seconds: float = _FIRST_RETRY_SECONDS


@dataclass(frozen=True, slots=True)
class Tools:
    """What every lab is made with."""

    folder: Path
    turns: loop.Loop
    groups: cgroups.Cgroups
    ids: ranges.Ranges
    filter_program: bytes
    keeper: int


class Labs:
    """Makes and ends labs. `gone` is called after each end."""

    def __init__(self, tools: Tools, gone: Callable[[], None]) -> None:
        self._tools = tools
        self._gone = gone
        self.all: dict[str, Lab] = {}

    def create(self, order: orders.LabOrder, asker: socket.socket, payload: int | None) -> None:
        """Begin a lab; `asker` hears {"ok"} or {"kind", "problem"}."""
        if order.label in self.all:
            problem = f"{order.label} exists already"
            wire.answer(asker, {"kind": "exists", "problem": problem})
            asker.close()
            return
        try:
            lab = self._fork_builder(order, asker, payload)
        except (OSError, cgroups.HostUnfit, ranges.Exhausted) as problem:
            self._tools.groups.end(order.label)
            kind = "sold_out" if isinstance(problem, ranges.Exhausted) else "host"
            wire.answer(asker, {"kind": kind, "problem": str(problem) + _advice(problem)})
            asker.close()
            return
        self.all[order.label] = lab
        assert lab.channel is not None
        self._tools.turns.watch(lab.channel.fileno(), lambda: self._on_channel(lab))
        self._tools.turns.watch(asker.fileno(), lambda: self._on_asker(lab))
        self._tools.turns.on_exit(lab.builder, lambda _: self._on_builder_exit(lab))
        self._tools.turns.after(order.seconds_max, lambda: self._on_deadline(lab))

    def _fork_builder(
        self, order: orders.LabOrder, asker: socket.socket, payload: int | None
    ) -> Lab:
        tools = self._tools
        first_id = tools.ids.take()
        try:
            tools.groups.make(order.label, order.limits())
            mine, its = wire.pair()
            pid = tools.groups.fork(order.label)
        except (OSError, cgroups.HostUnfit):
            tools.ids.give_back(first_id)
            raise
        if pid == 0:
            program, keeper = tools.filter_program, tools.keeper
            builder.run(
                builder.Job(
                    order, tools.folder, first_id, tools.groups, program, its, payload, keeper
                )
            )
        its.close()
        return Lab(order, first_id, pid, mine, asker)

    def _on_channel(self, lab: Lab) -> None:
        assert lab.channel is not None
        try:
            data = lab.channel.recv(_MESSAGE_MAX)
            message: dict[str, Any] = json.loads(data) if data else {}
        except (OSError, ValueError):
            message = {}
        if "pid" in message:
            lab.pid, lab.disk = int(message["pid"]), message["disk"]
            lab.machine = kernel.pidfd_open(lab.pid)
            self._tools.turns.on_exit(lab.pid, lambda _: self._on_first_exit(lab))
            self._let_go(lab)
        elif "built" in message:
            lab.built = True
        elif "problem" in message:
            self._fail(lab, str(message["kind"]), str(message["problem"]))
        else:
            self._on_channel_closed(lab)

    def _on_channel_closed(self, lab: Lab) -> None:
        self._close_channel(lab)
        if lab.phase != "building":
            return
        if lab.built:
            self._ready(lab)
        elif not lab.pid and lab.builder:
            return  # killed before it said a word: its exit tells
        else:
            self._fail(lab, "host", "the lab's first process ended before it was ready")

    def _on_builder_exit(self, lab: Lab) -> None:
        lab.builder = 0
        if lab.pid:
            self._let_go(lab)
        elif lab.phase == "building":
            self._fail(lab, "host", "the process that builds the lab was killed")
        else:
            self._finish(lab)

    def _let_go(self, lab: Lab) -> None:
        """Process 1 may go on once it is our own child and, if one is wanted, has a network."""
        if lab.builder or lab.phase != "building" or lab.channel is None:
            return
        if lab.order.network and lab.asker is not None:
            try:
                net = os.open(f"/proc/{lab.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return  # it died, and its exit is about to be heard
            wire.answer(lab.asker, {"network": True}, [net])
            os.close(net)
            return
        self._go(lab)

    def _go(self, lab: Lab) -> None:
        if lab.channel is not None:
            with contextlib.suppress(OSError):
                lab.channel.send(builder.GO)

    def _on_asker(self, lab: Lab) -> None:
        """The asker says "go" or "usable", or has hung up: then nobody wants this lab."""
        assert lab.asker is not None
        try:
            got = wire.receive(lab.asker)
        except (wire.Broken, OSError):
            got = None
        message = got[0] if got else {}
        if "go" in message:
            self._go(lab)
        elif "usable" in message and lab.phase == "held":
            lab.phase = "usable"
            wire.answer(lab.asker, {"ok": True})
            self._close_asker(lab)
        else:
            self._close_asker(lab)
            self.end(lab)

    def _ready(self, lab: Lab) -> None:
        lab.phase = "held" if lab.order.held else "usable"
        if lab.asker is not None:
            wire.answer(lab.asker, {"ok": True, "disk": lab.disk})
            if not lab.order.held:
                self._close_asker(lab)

    def _on_deadline(self, lab: Lab) -> None:
        if lab.phase == "building":
            seconds = lab.order.seconds_max
            self._fail(lab, "host", f"the lab was not ready after {seconds:g} s")

    def _on_first_exit(self, lab: Lab) -> None:
        lab.pid = 0
        if lab.phase == "building":
            # Its last words may still be in the channel.
            if lab.channel is not None:
                self._on_channel(lab)
            if lab.failure is None:
                self._fail(lab, "host", "the lab's first process was killed (out of memory?)")
        self.end(lab)

    def _fail(self, lab: Lab, kind: str, problem: str) -> None:
        if lab.failure is None:
            lab.failure = (kind, problem)
        self.end(lab)

    def destroy(self, label: str, asker: socket.socket) -> None:
        """End the lab; `asker` hears {"ok"} when nothing is left."""
        lab = self.all.get(label)
        if lab is None:
            wire.answer(asker, {"ok": True})
            asker.close()
            return
        lab.waiting.append(asker)
        if lab.phase != "dying":
            self.end(lab)

    def end(self, lab: Lab) -> None:
        """Kill everybody in the lab; the rest follows when they are gone."""
        lab.phase = "dying"
        self._close_channel(lab)
        if lab.builder:
            with contextlib.suppress(ProcessLookupError):
                os.kill(lab.builder, signal.SIGKILL)
        if lab.machine >= 0:
            kernel.pidfd_kill(lab.machine, signal.SIGKILL)
        self._finish(lab)

    def _finish(self, lab: Lab) -> None:
        if lab.builder or lab.pid or self.all.get(lab.order.label) is not lab:
            return
        if not self._tools.groups.end(lab.order.label):
            lab.retry_seconds = min(2 * lab.retry_seconds, _LAST_RETRY_SECONDS)
            self._tools.turns.after(lab.retry_seconds, lambda: self._finish(lab))
            return
        # A builder that was killed could not take its disk's name away; nobody is left to use it.
        with contextlib.suppress(OSError):
            upper.disk_file(self._tools.folder, lab.order.label).unlink()
        del self.all[lab.order.label]
        self._tools.ids.give_back(lab.first_id)
        if lab.machine >= 0:
            os.close(lab.machine)
            lab.machine = -1
        if lab.asker is not None:
            kind, problem = lab.failure or ("host", "the lab was ended before it was ready")
            wire.answer(lab.asker, {"kind": kind, "problem": problem})
            self._close_asker(lab)
        for asker in lab.waiting:
            wire.answer(asker, {"ok": True, "network": lab.order.network})
            asker.close()
        self._gone()

    def _close_channel(self, lab: Lab) -> None:
        if lab.channel is not None:
            self._tools.turns.forget(lab.channel.fileno())
            lab.channel.close()
            lab.channel = None

    def _close_asker(self, lab: Lab) -> None:
        if lab.asker is not None:
            self._tools.turns.forget(lab.asker.fileno())
            lab.asker.close()
            lab.asker = None


def _advice(problem: BaseException) -> str:
    number = problem.errno if isinstance(problem, OSError) else None
    if number in (errno.EACCES, errno.EROFS, errno.EPERM):
        return "; control groups must be writable: run as root, outside an unprivileged container"
    if number == errno.ENOSPC:
        return "; free some space"
    return ""
