"""What this host can do for labs, found by trying it, and how isolated labs are here."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import brihaspati

Verdict = Literal["ok", "warn", "missing"]

_SECONDS_MAX = 60
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SOCKETS = ("/var/run/docker.sock", "/run/podman/podman.sock")
_SOCKET_SECONDS = 2
# Overlays over a shifted layer work since 5.19; the call that shifts owners is of 5.12.
_KERNEL = (5, 19)
_DISK_MB, _MEMORY_MB = 2048, 1024
_SHIFTING = ("ext4", "xfs", "btrfs", "tmpfs", "f2fs", "erofs")
# SQLite's bug that may damage a file whose log is reset while another writes; and its repairs.
_WAL_FIXED = ((3, 51, 3), (3, 50, 7), (3, 44, 6))

_NEEDED = ("namespaces", "owners", "overlay", "cgroups", "seccomp", "tmpfs")
_WHAT = {
    "namespaces": "each lab has its own users, processes, mounts, network and names",
    "owners": "the lab's root is nobody on the host (idmapped mounts)",
    "overlay": "labs write to a layer of their own over a shared image",
    "cgroups": "memory, processor and number of processes are limited",
    "seccomp": "labs may only make calls on an allow list",
    "tmpfs": "small disks are in memory and limited in size",
    "large disks": "disks over 64 MiB are ext4 files, limited in size",
    "secret disks": "small disks are never swapped, large ones are encrypted",
    "private networks": "machines of one sandbox can share a network",
    "egress": "labs that ask for it reach out under the firewall's rules",
}
_FIXES = {
    "namespaces": "use a kernel with all namespaces, and user.max_user_namespaces above 0",
    "owners": "use Linux 5.19 or newer, with the data folder on ext4, xfs or btrfs",
    "overlay": "load the overlay module, and keep the data folder on ext4, xfs or btrfs",
    "cgroups": "mount cgroup v2 at /sys/fs/cgroup, or the v1 controllers memory, cpu and pids",
    "seccomp": "use a kernel with CONFIG_SECCOMP_FILTER on x86_64 or aarch64",
    "tmpfs": "use a kernel with tmpfs",
    "large disks": "install e2fsprogs and load the loop module, or keep disks to 64 MiB",
    "secret disks": "use a kernel with CONFIG_FS_ENCRYPTION, or keep disks to 64 MiB",
    "private networks": "load the veth module; labs of one machine do without",
    "egress": "install nftables; labs without egress do without",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing this host can do or not. `text` is for a person, `fix` says what to do."""

    name: str
    verdict: Verdict
    text: str
    fix: str | None = None


def inspect(
    folder: Path, sockets: Sequence[str] = _SOCKETS, system: str = platform.system()
) -> list[Fact]:
    """All facts about this host for labs with their data in `folder`, which need not exist.

    Takes about a second, needs no rights, changes nothing. `sockets` are where a container engine
    may listen. `missing` is said of what keeps labs from running at all, `warn` of what makes them
    worse.
    """
    if system != "Linux":
        return [Fact("system", "missing", f"{system} has no namespaces", "use Docker here")]
    at = _existing(folder)
    others = [*_engines(sockets), _bubblewrap()]
    instead = any(fact.verdict == "ok" for fact in others)
    facts = [_root(instead=instead), _kernel(), *_tried(at), _file_system(at), _disk(at), _memory()]
    return [*facts, *others, _virtual(), _sqlite(), _tracing()]


def isolation(facts: Iterable[Fact]) -> str:
    """How isolated labs are on this host, by the provider it can have, in one honest sentence."""
    by_name = {fact.name: fact for fact in facts}
    verdicts = {name: fact.verdict for name, fact in by_name.items()}
    if verdicts.get("root") == "ok" and all(verdicts.get(name) == "ok" for name in _NEEDED):
        return (
            "namespaces: a lab's root is nobody on the host, with few capabilities, an allow list "
            "of system calls and limits; but all labs share the host's kernel, which is right for "
            "students you know on an up-to-date kernel, and for strangers take gVisor through "
            "Docker or a virtual machine each."
        )
    if verdicts.get("container engine") == "ok":
        return (
            "docker: labs are containers with limits and few capabilities that share the host's "
            "kernel, and unless the engine maps users a lab's root is the host's; for strangers "
            "set `runtime: runsc` (gVisor)."
        )
    if verdicts.get("bubblewrap") == "ok":
        return (
            "bubblewrap: labs see no files or processes of the host's, but nothing limits their "
            "memory, processor, processes or disk: trusted use only."
        )
    return "nothing here can isolate a lab: run as root on Linux, or install Docker or bubblewrap."


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.is_dir():
        folder = folder.parent
    return folder


def _root(*, instead: bool) -> Fact:
    if os.geteuid() == 0:
        return Fact("root", "ok", "we are root, so labs can be made with the kernel's own means")
    fix = "run as root for labs with limits, or use Docker; bubblewrap is for trusted use"
    return Fact("root", "warn" if instead else "missing", "we are not root", fix)


def _kernel() -> Fact:
    release = platform.release()
    found = re.match(r"(\d+)\.(\d+)", release)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    text = f"Linux {release} on {platform.machine()}"
    if version < _KERNEL:
        wanted = ".".join(map(str, _KERNEL))
        return Fact("kernel", "warn", f"{text}, older than {wanted}", "use a newer kernel")
    return Fact("kernel", "ok", text)


# --- what is tried for real ---------------------------------------------------------------------
def _tried(at: Path) -> list[Fact]:
    # Of these, what needs root is no fault of the host's when we are not.
    try:
        place = tempfile.TemporaryDirectory(prefix=".brihaspati-trial-", dir=at)
    except OSError as problem:
        text = f"cannot write to {at}: {problem.strerror}"
        facts = [Fact("data folder", "missing", text, "choose another data folder")]
        with tempfile.TemporaryDirectory(prefix="brihaspati-trial-") as elsewhere:
            return facts + _judged(_results(Path(elsewhere)))
    with place as inside:
        return _judged(_results(Path(inside)))


def _results(folder: Path) -> dict[str, str | None]:
    code = Path(brihaspati.__file__).parent.parent
    module = "brihaspati.adapters.namespaces.trials"
    environment = {"PATH": _PATH, "PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-S", "-s", "-m", module, str(folder)],
            env=environment, capture_output=True, text=True, check=True, timeout=_SECONDS_MAX,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as problem:
        return dict.fromkeys(_WHAT, f"the trial failed: {problem}")
    return {name: found.get(name, "not tried") for name in _WHAT}


def _judged(results: dict[str, str | None]) -> list[Fact]:
    facts = []
    for name, problem in results.items():
        if problem is None:
            facts.append(Fact(name, "ok", _WHAT[name]))
        elif os.geteuid() != 0:
            facts.append(Fact(name, "warn", f"not without root: {problem}", "run as root"))
        else:
            verdict: Verdict = "missing" if name in _NEEDED else "warn"
            facts.append(Fact(name, verdict, problem, _FIXES[name]))
    return facts


# --- room ---------------------------------------------------------------------------------------
def _file_system(at: Path) -> Fact:
    kind, longest = "unknown", -1
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        where = before.split()[4].encode().decode("unicode_escape")
        if at.is_relative_to(where) and len(where) >= longest:
            kind, longest = after.split()[0], len(where)
    text = f"{at} is on {kind}"
    if kind in _SHIFTING:
        return Fact("file system", "ok", text)
    fix = "keep the data folder on ext4, xfs or btrfs"
    return Fact("file system", "warn", f"{text}, which may not be able to shift owners", fix)


def _disk(at: Path) -> Fact:
    room = os.statvfs(at)
    free = room.f_bavail * room.f_frsize >> 20
    text = f"{free} MiB free at {at}"
    if free < _DISK_MB:
        return Fact("disk", "warn", text, f"make room: images and large disks want {_DISK_MB} MiB")
    return Fact("disk", "ok", text)


def _memory() -> Fact:
    rows = Path("/proc/meminfo").read_text().splitlines()
    values = {row.split(":")[0]: int(row.split()[1]) >> 10 for row in rows if row.endswith("kB")}
    total, free = values.get("MemTotal", 0), values.get("MemAvailable", 0)
    text = f"{free} of {total} MiB free, {os.cpu_count() or 1} processors"
    if free < _MEMORY_MB:
        return Fact("memory", "warn", text, "end other programs: a class of 100 wants 1 GiB")
    return Fact("memory", "ok", text)


# --- other ways to run labs ---------------------------------------------------------------------
def _ping(path: str) -> str:
    """What listens there. Raises OSError when nothing of the kind does."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_SOCKET_SECONDS)
        line.connect(path)
        line.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
        answer = line.recv(4096).decode(errors="replace")
    if not re.match(r"HTTP/1\.\d 200", answer):
        raise OSError(f"it answers {answer.splitlines()[0][:60] if answer else 'nothing'}")
    return "Podman" if "libpod" in answer.lower() else "Docker"


def _engines(sockets: Sequence[str]) -> list[Fact]:
    problems = []
    for path in sockets:
        try:
            return [Fact("container engine", "ok", f"{_ping(path)} answers at {path}")]
        except FileNotFoundError:
            continue
        except OSError as problem:
            problems.append(f"{path}: {problem.strerror or problem}")
    if problems:
        fix = "start it, or let this user use its socket"
        return [Fact("container engine", "warn", "; ".join(problems), fix)]
    if os.geteuid() == 0:
        return []  # nothing that root would miss
    return [Fact("container engine", "warn", "no Docker or Podman", "install one, or run as root")]


def _bubblewrap() -> Fact:
    program = shutil.which("bwrap", path=_PATH)
    if program is None:
        verdict: Verdict = "ok" if os.geteuid() == 0 else "warn"
        fix = "install bubblewrap to run labs without root, for trusted use"
        return Fact(
            "bubblewrap",
            verdict,
            "not installed; only needed without root",
            fix if verdict == "warn" else None,
        )
    argv = [program, "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib",
            "--symlink", "usr/lib64", "/lib64", "/usr/bin/true"]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_SECONDS_MAX)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it fails"])[-1][:200]
        return Fact("bubblewrap", "warn", said, "allow user namespaces to ordinary users")
    return Fact("bubblewrap", "ok", "labs can run without root, without limits: trusted use")


def _virtual() -> Fact:
    """Never judged by its device: it opens, and even makes machines, where guests do not run."""
    text = "labs here need no virtual machines"
    if Path("/dev/kvm").exists():
        text += "; /dev/kvm is there, but only starting a guest would tell whether it works"
    return Fact("virtual machines", "ok", text)


# --- the rest -----------------------------------------------------------------------------------
def _wal_is_sound(version: tuple[int, ...]) -> bool:
    """Whether this SQLite is without the WAL-reset bug (3.7.0 to 3.51.2, repaired in places)."""
    return version < (3, 7) or any(
        version >= fixed and (fixed == _WAL_FIXED[0] or version[:2] == fixed[:2])
        for fixed in _WAL_FIXED
    )


def _sqlite(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> Fact:
    text = f"SQLite {'.'.join(map(str, version))}"
    if _wal_is_sound(version):
        return Fact("sqlite", "ok", text)
    return Fact(
        "sqlite", "ok",
        f"{text} has the WAL-reset bug (repaired in 3.51.3), which needs two writers at once; "
        "ours wait for one another, so it cannot strike unless another program writes to the file",
    )  # fmt: skip


def _tracing(yama: Path = Path("/proc/sys/kernel/yama/ptrace_scope")) -> Fact:
    try:
        scope = yama.read_text().strip()
    except OSError:
        return Fact("ptrace", "ok", "no Yama; labs cannot trace what is outside their own users")
    return Fact(
        "ptrace",
        "ok",
        f"kernel.yama.ptrace_scope is {scope}; debuggers in labs "
        + ("work" if scope in ("0", "1") else "do not work"),
    )
