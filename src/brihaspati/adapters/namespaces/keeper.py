"""The keeper: the process that makes, holds and ends all labs of one data folder.

Started as `python -m brihaspati.adapters.namespaces.keeper FOLDER ORPHAN_SECONDS READY_FD`. It is
small and has one thread, so that forking it is quick and safe. It outlives the server it was
started by, for a while: labs keep running over a restart. When it dies itself, all labs do.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brihaspati.adapters.namespaces import (
    cgroups,
    keeping,
    kernel,
    loop,
    orders,
    ranges,
    seccomp,
    visits,
    wire,
)

ALREADY_KEPT = 3
UNFIT = 4
_LOCKS = Path("/run/brihaspati")
_BACKLOG = 256
_CLEAN_TRIES = 200
_Request = tuple[dict[str, Any], socket.socket, list[int]]


class Keeper:
    """Listens, and does what its clients ask."""

    def __init__(self, tools: keeping.Tools, orphan_seconds: float) -> None:
        self._tools = tools
        self._turns = tools.turns
        self._orphan_seconds = orphan_seconds
        self._labs = keeping.Labs(tools, self._on_gone)
        self._visits = visits.Visits(tools)
        self._clients: set[socket.socket] = set()
        self._alone_since = 0
        self._ending: list[socket.socket] | None = None
        self._server = _listen(tools.folder)
        self._turns.watch(self._server.fileno(), self._on_client)
        self._deeds: dict[str, Callable[[_Request], None]] = {
            "create": self._create,
            "destroy": self._destroy,
            "list": self._list,
            "stats": self._stats,
            "socket": self._socket,
            "network": self._network,
            "shutdown": self._shutdown,
        }
        self._count_down()

    def _on_client(self) -> None:
        try:
            client, _ = self._server.accept()
        except OSError:
            return
        raw = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        _, uid, _ = struct.unpack("iII", raw)
        if uid != os.geteuid():
            client.close()
            return
        self._clients.add(client)
        self._turns.watch(client.fileno(), lambda: self._on_request(client))

    def _on_request(self, client: socket.socket) -> None:
        try:
            got = wire.receive(client)
        except (wire.Broken, OSError):
            got = None
        if got is None:
            self._turns.forget(client.fileno())
            client.close()
            self._clients.discard(client)
            if not self._clients:
                self._count_down()
            return
        message, fds = got
        if not fds:
            return
        reply = socket.socket(fileno=fds.pop(0))
        try:
            self._do(message, reply, fds)
        except (KeyError, TypeError, ValueError) as problem:
            wire.answer(reply, {"kind": "invalid", "problem": f"bad request: {problem!r}"})
            reply.close()
        finally:
            for fd in fds:
                os.close(fd)

    def _do(self, message: dict[str, Any], reply: socket.socket, fds: list[int]) -> None:
        if self._ending is not None:
            wire.answer(reply, {"kind": "ending", "problem": "the keeper of labs is ending"})
            reply.close()
        elif message["op"] in visits.OPS:
            lab = self._lab(message, reply)
            if lab is not None:
                self._visits.begin(lab, message, reply, fds[0] if fds else None)
        else:
            self._deeds[message["op"]]((message, reply, fds))

    def _lab(self, message: dict[str, Any], reply: socket.socket) -> keeping.Lab | None:
        """The lab that can be visited now; else the asker is told why not."""
        lab = self._labs.all.get(message["label"])
        if lab is not None and lab.phase in ("held", "usable"):
            return lab
        if lab is not None and lab.phase == "building":
            wire.answer(reply, {"kind": "early", "problem": "the machine is still starting"})
        else:
            wire.answer(reply, {"kind": "gone", "problem": "no such machine"})
        reply.close()
        return None

    def _create(self, request: _Request) -> None:
        message, reply, fds = request
        self._labs.create(orders.from_json(message["order"]), reply, fds[0] if fds else None)

    def _destroy(self, request: _Request) -> None:
        message, reply, _ = request
        self._labs.destroy(str(message["label"]), reply)

    def _list(self, request: _Request) -> None:
        message, reply, _ = request
        labs = [
            [lab.order.label, lab.phase, lab.order.created_at, lab.disk]
            for lab in self._labs.all.values()
            if lab.order.label.startswith(message["prefix"])
        ]
        # Whole pages, since a message has a largest size: the client asks on from `after`.
        labs = sorted(lab for lab in labs if str(lab[0]) > message["after"])[: message["limit"]]
        wire.answer(reply, {"ok": True, "labs": labs})
        reply.close()

    def _stats(self, request: _Request) -> None:
        message, reply, _ = request
        try:
            usage = self._tools.groups.usage(str(message["label"]))
        except OSError:
            wire.answer(reply, {"kind": "gone", "problem": "no such machine"})
        else:
            wire.answer(
                reply,
                {
                    "ok": True,
                    "memory_bytes": usage.memory_bytes,
                    "cpu_ms": usage.cpu_ms,
                    "pids": usage.pids,
                },
            )
        reply.close()

    def _socket(self, request: _Request) -> None:
        message, reply, _ = request
        lab = self._lab(message, reply)
        if lab is not None:
            self._visits.give_socket(lab, reply)

    def _network(self, request: _Request) -> None:
        message, reply, _ = request
        lab = self._lab(message, reply)
        if lab is not None:
            self._visits.give_network(lab, reply)

    def _shutdown(self, request: _Request) -> None:
        self._end([request[1]])

    def _count_down(self) -> None:
        """Nobody is connected: labs end unless somebody comes in time."""
        self._alone_since += 1
        this_time = self._alone_since

        def still_alone() -> None:
            if not self._clients and this_time == self._alone_since:
                self._end([])

        self._turns.after(self._orphan_seconds, still_alone)

    def end(self) -> None:
        """End every lab, then ourselves."""
        self._end([])

    def _end(self, waiting: list[socket.socket]) -> None:
        if self._ending is not None:
            self._ending += waiting
            return
        self._ending = waiting
        for lab in list(self._labs.all.values()):
            if lab.phase != "dying":
                self._labs.end(lab)
        self._on_gone()

    def _on_gone(self) -> None:
        if self._ending is None or self._labs.all:
            return
        self._server.close()
        with contextlib.suppress(OSError):
            (self._tools.folder / "keeper.sock").unlink()
        self._tools.groups.close()
        for reply in self._ending:
            wire.answer(reply, {"ok": True})
        self._turns.stop()


def _listen(folder: Path) -> socket.socket:
    at = wire.open_folder(folder)
    try:
        with contextlib.suppress(FileNotFoundError):
            (folder / "keeper.sock").unlink()
        server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        server.setblocking(False)  # noqa: FBT003 - a positional-only call
        server.bind(wire.address(at))
        (folder / "keeper.sock").chmod(0o600)
        server.listen(_BACKLOG)
    finally:
        os.close(at)
    return server


def _lock(folder: Path) -> int | None:
    """The lock of the folder, held as long as the descriptor; None when another keeper has it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    fd = os.open(folder / "keeper.lock", flags, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _clean(folder: Path, groups: cgroups.Cgroups, turns: loop.Loop) -> None:
    """Remove what a killed keeper left: its labs died with it, their groups and files did not."""

    def again(tries: int) -> None:
        left = [label for label in groups.labels() if not groups.end(label)]
        if left and tries:
            turns.after(0.01, lambda: again(tries - 1))
        else:
            turns.stop()

    again(_CLEAN_TRIES)
    turns.run()
    # Only now: until its group has ended, a builder may still have been making one.
    for image in (folder / "disks").iterdir():
        image.unlink(missing_ok=True)


def _prepare(folder: Path) -> None:
    """The folders we use, and the file system they need."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("mnt", "disks"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)


def _say_ready(fd: int, problem: str = "") -> None:
    with contextlib.suppress(OSError):
        os.write(fd, problem.encode() or b"\n")
    os.close(fd)


def _detach() -> None:
    """Leave the process that started us, so that it has no child to wait for."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    os.umask(0o022)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("-500")


def _run(folder: Path, orphan_seconds: float, ready: int) -> int:
    _prepare(folder)
    lock = _lock(folder)
    if lock is None:
        os.close(ready)
        return ALREADY_KEPT
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    where = folder.stat()
    name = f"{where.st_dev:x}-{where.st_ino:x}"
    try:
        groups = cgroups.find(Path("/proc/self/mountinfo").read_text(), name)
        program = seccomp.program()
    except (cgroups.HostUnfit, seccomp.UnknownProcessor) as problem:
        _say_ready(ready, str(problem))
        return UNFIT
    _clean(folder, groups, loop.Loop())
    turns = loop.Loop()
    me = kernel.pidfd_open(os.getpid())
    tools = keeping.Tools(folder, turns, groups, ranges.Ranges(_LOCKS), program, me)
    keeper = Keeper(tools, orphan_seconds)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: turns.after(0, keeper.end))
    # Nothing made so far will ever be garbage: keep children from copying it.
    gc.collect()
    gc.freeze()
    _say_ready(ready)
    turns.run()
    return 0


def main(argv: list[str]) -> int:
    """Run until told to end, or alone for too long. Returns the exit status."""
    folder, orphan_seconds, ready = Path(argv[0]), float(argv[1]), int(argv[2])
    os.set_inheritable(ready, False)  # noqa: FBT003 - a positional-only call
    _detach()
    try:
        return _run(folder, orphan_seconds, ready)
    except OSError as problem:
        where = f" ({problem.filename})" if problem.filename else ""
        advice = "; free some space" if problem.errno == errno.ENOSPC else ""
        _say_ready(ready, f"{problem.strerror}{where}{advice}")
        return UNFIT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
