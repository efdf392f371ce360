"""The processes that build one lab. The keeper forks the first; all heavy work happens here.

    keeper -> builder (mounts, as host root) -> process 1 (lab root, everything its own)

The builder ends as soon as process 1 exists, which makes process 1 the keeper's child. Messages to
the keeper, one JSON object each: {"pid": n, "disk": how it is
kept}, then {"built": true}; or {"kind", "problem"}. The
channel closing after "built" means that process 1 became `sleep`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from brihaspati.adapters.namespaces import cgroups, inside, kernel, lockdown, orders, ranges, upper

GO = b"go"
_PROBLEM_MAX = 2000
_OTHERS = (
    kernel.NEWNS | kernel.NEWUTS | kernel.NEWIPC | kernel.NEWPID | kernel.NEWNET | kernel.NEWCGROUP
)
_SLEEPS = ("/usr/bin/sleep", "/bin/sleep")
# More than 60 years; not every `sleep` knows the word "infinity".
_FOR_EVER = "2147483647"


class Unsuitable(Exception):  # noqa: N818
    """The image lacks something every lab needs."""


@dataclass(frozen=True, slots=True)
class Job:
    """All a builder needs: what to make, its ids, and its ends of the keeper's descriptors."""

    order: orders.LabOrder
    folder: Path
    first_id: int
    groups: cgroups.Cgroups
    filter_program: bytes
    channel: socket.socket
    payload: int | None
    keeper: int


def _say(channel: socket.socket, **message: object) -> None:
    channel.send(json.dumps(message).encode())


def _kind(problem: BaseException) -> str:
    return "image" if isinstance(problem, Unsuitable) else "host"


def run(job: Job) -> None:
    """The whole life of the builder; never returns."""
    try:
        _build(job)
    except BaseException as problem:  # noqa: BLE001 - the last line of a forked process
        text = str(problem) or repr(problem)
        try:
            _say(job.channel, kind=_kind(problem), problem=text[:_PROBLEM_MAX])
        except OSError:
            os._exit(2)
    finally:
        os._exit(1)


def shifted_userns(first_id: int) -> int:
    """A new user namespace whose ids 0 to 65,535 are the host's from `first_id`, as a descriptor.

    Raises OSError.
    """
    mine, its = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            kernel.close_all_but({its.fileno()})
            kernel.unshare(kernel.NEWUSER)
            its.send(b"made")
            its.recv(1)
        finally:
            os._exit(0)
    its.close()
    try:
        if mine.recv(4) != b"made":
            raise cgroups.HostUnfit(
                "this kernel refuses user namespaces: see user.max_user_namespaces"
            )
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{pid}/{name}").write_text(f"0 {first_id} {ranges.COUNT}")
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        mine.close()
        os.waitpid(pid, 0)


def _build(job: Job) -> None:
    lockdown.default_signals()
    lockdown.first_to_go()
    keep = {job.channel.fileno(), job.keeper}
    if job.payload is not None:
        keep.add(job.payload)
    kernel.close_all_but(keep)
    job.groups.arrive(job.order.label)
    kernel.unshare(kernel.NEWNS)
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    userns = shifted_userns(job.first_id)
    root, disk = upper.mount(job.order, job.folder, job.first_id, userns)
    os.chdir(root)
    kernel.setns(userns, kernel.NEWUSER)
    os.close(userns)
    lockdown.become_lab_root()
    kernel.unshare(_OTHERS)
    pid = os.fork()
    if pid == 0:
        _first(job, root)
    _say(job.channel, pid=pid, disk=disk)
    os._exit(0)


def _first(job: Job, root: str) -> None:
    """Process 1 of the lab, from its birth to `sleep`. Raises OSError, Unsuitable."""
    os.setsid()
    if job.channel.recv(len(GO)) != GO:
        os._exit(0)  # the keeper does not want us any more
    # We are the keeper's child by now, and no later step changes our ids: this stays in force.
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if select.select([job.keeper], [], [], 0)[0]:
        os._exit(0)  # it died before we asked to die with it
    os.close(job.keeper)
    inside.loopback_up()
    inside.enter(Path(root).name)
    inside.furnish(job.order, job.payload)
    program = next((path for path in _SLEEPS if os.access(path, os.X_OK)), None)
    if program is None:
        raise Unsuitable("the image has no `sleep` program")
    nothing = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    # The kernel then reaps the lab's orphans by itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _say(job.channel, built=True)
    lockdown.lock(0, 0, [], job.filter_program)
    os.execve(program, ["lab", _FOR_EVER], {})  # noqa: S606
