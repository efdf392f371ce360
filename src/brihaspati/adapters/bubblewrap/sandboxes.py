"""Our running sandboxes, as the kernel's list of processes tells them: no records to go stale."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brihaspati.adapters.bubblewrap import walls

_PROC = Path("/proc")
_HERTZ = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running one. `pid` is its first process, whose end is the end of all of it."""

    label: str
    pid: int
    created_at: int
    environment: dict[str, str]


def running(env: str) -> Iterator[Sandbox]:
    """Those of our user with our mark and environment."""
    ours = os.geteuid()
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            found = _look(folder, ours, env)
            if found is not None:
                yield found


def end(sandbox: Sandbox, seconds_max: float) -> bool:
    """Kill it and wait; whether it has ended in time."""
    try:
        handle = os.pidfd_open(sandbox.pid)
    except ProcessLookupError:
        return True
    try:
        # The number may be somebody else's by now; the handle cannot change hands any more.
        seen = _look(_PROC / str(sandbox.pid), os.geteuid(), sandbox.environment[walls.MARK_ENV])
        if seen is None or seen.created_at != sandbox.created_at:
            return True
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return bool(select.select([handle], [], [], seconds_max)[0])
    except ProcessLookupError:
        return True
    finally:
        os.close(handle)


def _look(folder: Path, ours: int, env: str) -> Sandbox | None:
    try:
        if folder.stat().st_uid != ours:
            return None
        words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        environment = _environment(words)
        if environment.get(walls.MARK_ENV) != env or not environment.get(walls.MARK):
            return None
        # First process of a process namespace right below ours: what runs inside can copy the
        # command line, but the best it can become is first of a namespace further down.
        if not _is_first(folder):
            return None
        return Sandbox(environment[walls.MARK], int(folder.name), _began(folder), environment)
    except (OSError, ValueError):
        return None  # it ended while we looked


def _environment(words: list[str]) -> dict[str, str]:
    """The leading `--setenv NAME VALUE` of a bwrap command line; empty for any other."""
    found: dict[str, str] = {}
    if not words or Path(words[0]).name != "bwrap":
        return found
    for place in range(1, len(words) - 2, 3):
        if words[place] != "--setenv":
            break
        found[words[place + 1]] = words[place + 2]
    return found


def _is_first(folder: Path) -> bool:
    for line in (folder / "status").read_text().splitlines():
        if line.startswith("NSpid:"):
            numbers = line.split()[1:]
            return len(numbers) == 2 and numbers[1] == "1"
    return False


def _began(folder: Path) -> int:
    """Milliseconds since the epoch, from the kernel's own count."""
    ticks = int((folder / "stat").read_text().rpartition(")")[2].split()[19])
    return _booted_at() + ticks * 1000 // _HERTZ


def _booted_at() -> int:
    for line in (_PROC / "stat").read_text().splitlines():
        if line.startswith("btime "):
            return int(line.split()[1]) * 1000
    raise ValueError("no btime")
