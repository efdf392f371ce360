"""The keeper's part of a visit to a lab: fork the visitor, and tell how a command ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from typing import Any

from brihaspati.adapters.namespaces import keeping, kernel, visitor, wire

OPS = frozenset({"terminal", "exec", "read", "write"})
_FILE_SECONDS_MAX = 30.0


class Visits:
    """Begins visits. A command's asker who hangs up ends the command."""

    def __init__(self, tools: keeping.Tools) -> None:
        self._tools = tools
        self._home_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._home_net = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def begin(
        self,
        lab: keeping.Lab,
        message: dict[str, Any],
        reply: socket.socket,
        payload: int | None,
    ) -> None:
        """Fork the visitor, who answers by itself."""
        visit = visitor.Visit(
            label=lab.order.label,
            op=message["op"],
            what=message,
            user=message.get("user") or lab.order.user,
            environment=lab.order.environment,
            groups=self._tools.groups,
            filter_program=self._tools.filter_program,
            machine=lab.machine,
            reply=reply,
            payload=payload,
        )
        try:
            pid = self._fork(visit)
        except OSError:
            _gone(reply)  # the lab's process 1 died this moment
            return
        if visit.op == "exec":
            self._follow(pid, reply)
            return
        reply.close()
        self._tools.turns.on_exit(pid, lambda _: running.clear())
        running = {pid}
        if visit.op != "terminal":
            self._tools.turns.after(_FILE_SECONDS_MAX, lambda: _kill_all(running))

    def _fork(self, visit: visitor.Visit) -> int:
        """A child in the lab's pid namespace and control groups. Raises OSError."""
        # From its birth the visitor is in the lab's list of processes, and so is all that /proc
        # tells of its network: that must be the lab's and not the host's.
        kernel.setns(visit.machine, kernel.NEWPID | kernel.NEWNET)
        try:
            pid = self._tools.groups.fork(visit.label)
            if pid == 0:
                visitor.run(visit)
        finally:
            kernel.setns(self._home_net, kernel.NEWNET)
            kernel.setns(self._home_pids, kernel.NEWPID)
        return pid

    def _follow(self, pid: int, reply: socket.socket) -> None:
        """Tell the asker how the command ended; end it when the asker is gone."""

        def ended(status: int) -> None:
            self._tools.turns.forget(reply.fileno())
            wire.answer(reply, {"exit": os.waitstatus_to_exitcode(status)})
            reply.close()

        def hung_up() -> None:
            self._tools.turns.forget(reply.fileno())
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

        self._tools.turns.on_exit(pid, ended)
        self._tools.turns.watch(reply.fileno(), hung_up)

    def give_network(self, lab: keeping.Lab, reply: socket.socket) -> None:
        """The lab's network namespace."""
        try:
            net = os.open(f"/proc/{lab.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            _gone(reply)
            return
        wire.answer(reply, {"ok": True}, [net])
        os.close(net)
        reply.close()

    def give_socket(self, lab: keeping.Lab, reply: socket.socket) -> None:
        """A TCP socket that lives in the lab's network, not yet connected."""
        try:
            kernel.setns(lab.machine, kernel.NEWNET)
            try:
                with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as inside:
                    wire.answer(reply, {"ok": True}, [inside.fileno()])
            finally:
                kernel.setns(self._home_net, kernel.NEWNET)
        except OSError:
            _gone(reply)
            return
        reply.close()


def _gone(reply: socket.socket) -> None:
    wire.answer(reply, {"kind": "gone", "problem": "no such machine"})
    reply.close()


def _kill_all(pids: set[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
