"""The provider `bubblewrap`: the host's programs behind walls an ordinary user can raise."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from brihaspati import ports
from brihaspati.adapters.bubblewrap import place as places_here
from brihaspati.adapters.bubblewrap import sandboxes, walls
from brihaspati.domain import labs
from brihaspati_agent import places

_START_SECONDS_MAX = 15
_END_SECONDS_MAX = 5
_ROOT = (
    "bubblewrap started by root is no wall: labs could write this host's kernel settings. "
    "Run as an ordinary user, or use the namespaces provider"
)
_MAIN = "echo up; exec </dev/null >/dev/null 2>&1; while :; do sleep 86400; done"


class Bubblewrap:
    """ports.Provider by bwrap; safe to share between threads.

    Sandboxes outlive this process, and are found again by their command line. `folder` is only for
    locks; it must belong to this user.
    """

    name = "bubblewrap"
    rented = False
    isolation = (
        "bubblewrap: no limits on memory, CPU, processes or disk, and no filter of system calls; "
        "trusted use only"
    )

    def __init__(self, folder: Path, env: str) -> None:
        self._folder = folder
        self._env = env
        self._lock = threading.Lock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    @staticmethod
    def unavailable() -> str | None:
        """Why this provider cannot work here, and what to do; None if it can. Tries it."""
        if os.geteuid() == 0:
            return _ROOT
        program = shutil.which("bwrap")
        if program is None:
            return "bwrap is not installed: install the package bubblewrap"
        tried = subprocess.run(
            [program, "--unshare-all", "--ro-bind", "/", "/", "true"],
            capture_output=True,
            check=False,
            timeout=_START_SECONDS_MAX,
        )
        if tried.returncode != 0:
            said = tried.stderr.decode(errors="replace").strip()
            return f"this host does not let users make namespaces: {said}"
        return None

    # --- ports.Provider -------------------------------------------------------------------------
    def price_micros_per_hour(self, spec: labs.MachineSpec) -> int:  # noqa: ARG002
        """Our own host costs nothing."""
        return 0

    def prepare(self, image: str, progress: Callable[[str, float | None], None]) -> None:
        """Only `host` can be had. Raises CreateRefused("image")."""
        if image != "host":
            raise ports.CreateRefused(
                "image", f"{image}: without root there is only the image host; see the doctor"
            )
        progress("host is ready", 1.0)

    def create(self, order: ports.MachineOrder) -> ports.MachineSeen:
        """Start and set up one sandbox. Raises CreateRefused or Unclear."""
        _check(order)
        self.prepare(order.spec.image, lambda *_: None)
        with self._claim(order.label):
            if self._sandbox(order.label) is not None:
                raise ports.Unclear(f"{order.label} exists already")
            making = self._file(order.label, "making")
            making.touch(0o600)
            try:
                self._start(order)
                self._set_up(order)
            except ports.CreateRefused:
                self.delete(order.label)
                raise
            making.unlink(missing_ok=True)
        found = self.find(order.label)
        if found is None:
            raise ports.CreateRefused("host", "the machine ended as soon as it was started")
        return found

    def find(self, label: str) -> ports.MachineSeen | None:
        """The running sandbox of this label."""
        found = self._sandbox(label)
        return None if found is None else self._seen(found)

    def inventory(self) -> list[ports.MachineSeen]:
        """Every running sandbox with our mark."""
        self._reap()
        return [self._seen(found) for found in sandboxes.running(self._env)]

    def delete(self, machine_id: str) -> None:
        """End a sandbox and see it gone. Raises Unclear."""
        self._end(machine_id)
        for kind in ("making", "lock"):
            self._file(machine_id, kind).unlink(missing_ok=True)

    # --- for the agent --------------------------------------------------------------------------
    def place(self, label: str) -> places.Place:
        """The running machine of this label. Raises NoSuchMachine."""
        found = self._sandbox(label)
        if found is None:
            raise places.NoSuchMachine(label)
        hidden = {walls.MARK, walls.MARK_ENV}
        environment = {k: v for k, v in found.environment.items() if k not in hidden}
        return places_here.Place(lambda: self._pid(found), environment["USER"], environment)

    # --- inside ---------------------------------------------------------------------------------
    def _pid(self, known: sandboxes.Sandbox) -> int:
        found = self._sandbox(known.label)
        if found is None or found.pid != known.pid:
            raise places.NoSuchMachine(known.label)
        return found.pid

    def _file(self, label: str, kind: str) -> Path:
        """`lock` is locked while its machine is being made, `making` is there until it is ready."""
        if "/" in label or label.startswith("."):
            raise ports.CreateRefused("invalid", f"{label!r} is no label")
        return self._folder / f"{label}.{kind}"

    @contextlib.contextmanager
    def _claim(self, label: str) -> Iterator[None]:
        """Be the only one who makes this machine. Raises Unclear."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._file(label, "lock")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A file that was deleted after we opened it guards nothing.
            if os.fstat(fd).st_nlink == 0:
                raise BlockingIOError
            yield
        except BlockingIOError as error:
            raise ports.Unclear(f"{label} is being made or ended") from error
        finally:
            os.close(fd)

    def _start(self, order: ports.MachineOrder) -> None:
        program = shutil.which("bwrap")
        if program is None:
            raise ports.CreateRefused("host", "bwrap is not installed on this host")
        with contextlib.ExitStack() as stack:
            fds = {
                path: stack.enter_context(os.fdopen(_in_memory(content), "rb")).fileno()
                for path, (content, _) in walls.files(order).items()
            }
            rest = _in_memory("\0".join(walls.walls(order, fds)).encode())
            stack.callback(os.close, rest)
            marks = walls.marks(self._env, order)
            child = subprocess.Popen(
                [program, *marks, "--args", str(rest), "--", "/bin/sh", "-c", _MAIN],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[*fds.values(), rest],
                env={},
                cwd="/",
                start_new_session=True,
            )
        with self._lock:
            self._children[order.label] = child
        _await_up(child)

    def _set_up(self, order: ports.MachineOrder) -> None:
        spec = order.spec
        if not spec.setup:
            return
        # A server that the setup leaves running must not hold on to our streams.
        script = (
            "command=$1; trap 'rm -f /run/.setup' EXIT\n"
            "$command >/run/.setup.log 2>&1 </dev/null; code=$?\n"
            "[ $code = 0 ] || tail -n 5 /run/.setup.log; exit $code\n"
        )
        command = "/run/.setup" if spec.setup.startswith("#!") else "/bin/sh -e /run/.setup"
        most = spec.setup_seconds_max
        try:
            here = self.place(order.label)
            here.write("/run/.setup", spec.setup.encode(), 0o700)
            outcome = here.run(["/bin/sh", "-c", script, "sh", command], timeout_seconds=most)
        except (places.PlaceError, places.NoSuchMachine) as error:
            raise ports.CreateRefused("setup", f"setup of {spec.name}: {error}") from error
        if outcome.timed_out:
            raise ports.CreateRefused("setup", f"setup of {spec.name} took longer than {most} s")
        if outcome.code != 0:
            said = outcome.output.decode(errors="replace").strip()[-500:]
            raise ports.CreateRefused("setup", f"setup of {spec.name} failed: {said}")

    def _sandbox(self, label: str) -> sandboxes.Sandbox | None:
        return next((one for one in sandboxes.running(self._env) if one.label == label), None)

    def _seen(self, found: sandboxes.Sandbox) -> ports.MachineSeen:
        usable = not self._file(found.label, "making").exists()
        return ports.MachineSeen(found.label, found.label, usable, found.created_at)

    def _end(self, label: str) -> None:
        ends = time.monotonic() + _END_SECONDS_MAX
        while (found := self._sandbox(label)) is not None:
            if not sandboxes.end(found, _END_SECONDS_MAX) or time.monotonic() > ends:
                raise ports.Unclear(f"{label} does not end")
        with self._lock:
            child = self._children.pop(label, None)
        if child is not None:
            # It collects the sandbox's first process, so it is given the time to.
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.communicate(timeout=_END_SECONDS_MAX)
            child.kill()
            child.wait()

    def _reap(self) -> None:
        """Collect the watchers of sandboxes that have ended by themselves."""
        with self._lock:
            for label in [
                name for name, child in self._children.items() if child.poll() is not None
            ]:
                self._children.pop(label).communicate()


def _check(order: ports.MachineOrder) -> None:
    if os.geteuid() == 0:
        raise ports.CreateRefused("host", _ROOT)
    if order.peers:
        raise ports.CreateRefused(
            "host", "labs of several machines need the namespaces or docker provider"
        )
    if order.egress != "none":
        raise ports.CreateRefused(
            "host", "labs that reach the internet need the namespaces or docker provider"
        )


def _in_memory(content: bytes) -> int:
    """A descriptor to read this from; never a file on disk."""
    fd = os.memfd_create("brihaspati")
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _await_up(child: subprocess.Popen[bytes]) -> None:
    """Wait for the first word from inside. Raises CreateRefused."""
    assert child.stdout is not None
    assert child.stderr is not None
    ready = select.select([child.stdout], [], [], _START_SECONDS_MAX)[0]
    if ready and child.stdout.readline() == b"up\n":
        return
    child.kill()
    said = ""
    with contextlib.suppress(subprocess.TimeoutExpired):
        said = child.communicate(timeout=2)[1].decode(errors="replace").strip()[-300:]
    kind: ports.RefusalKind = "setup" if "Can't create file" in said else "host"
    raise ports.CreateRefused(kind, f"the sandbox did not start: {said or 'no answer'}")
