"""The dead-man switch of a rented machine: it ends by itself when nobody wants it any more.

That protects what is on it and stops what it does. It does not stop its price: only the control
plane, which verifies that it is gone, can do that.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

LATE_SECONDS = 10 * 60
SILENT_SECONDS = 30 * 60
OFF_AT = Path("/run/brihaspati/off-at")
_WIPED = ("/home/student", "/root", "/srv", "/tmp", "/var/tmp")  # noqa: S108 - to be emptied


def uptime() -> float:
    """Seconds since the machine started, whatever its clock says."""
    return float(Path("/proc/uptime").read_text().split()[0])


def wipe() -> None:
    """Remove what a student may have left; as much of it as can be."""
    import shutil  # noqa: PLC0415 - at the end of a life; until then the memory is the lab's

    for place in (*_WIPED, *(user.pw_dir for user in pwd.getpwall() if user.pw_uid >= 1000)):
        if place in ("", "/") or not place.startswith("/"):
            continue
        for path in Path(place).glob("*"):
            with contextlib.suppress(OSError):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()


def power_off() -> None:
    """Switch the machine off."""
    for command in (["systemctl", "poweroff"], ["poweroff", "-f"]):
        with contextlib.suppress(OSError):
            if subprocess.run(command, check=False, capture_output=True).returncode == 0:
                return


def finish(actions: Sequence[Callable[[], None]] = (wipe, power_off)) -> None:
    """Wipe this machine and switch it off, as far as that can be done."""
    for action in actions:
        with contextlib.suppress(Exception):
            action()


class Ends:
    """When to end, by uptime. It is written down for `deadman.sh`, which watches too."""

    def __init__(
        self,
        off_at: Path,
        silent_seconds: int = SILENT_SECONDS,
        up: Callable[[], float] = uptime,
    ) -> None:
        self._file = off_at
        self._silent_seconds = silent_seconds
        self._up = up
        self._off_at = self._promised(up() + silent_seconds)

    def _promised(self, usual: float) -> float:
        """An agent that was killed and came back has no more time than the one before it."""
        try:
            return min(float(self._file.read_text()), usual)
        except (OSError, ValueError):
            return usual

    def heard(self, now: int, deadline_at: int | None) -> None:
        """The control plane answered: it is `now` there, and the lab ends at `deadline_at`."""
        left = self._silent_seconds
        if deadline_at is not None:
            left = min(left, (deadline_at - now) // 1000 + LATE_SECONDS)
        self._off_at = self._up() + left
        with contextlib.suppress(OSError):
            self._write(f"{max(int(self._off_at), 0):>10d}\n".encode())

    def _write(self, line: bytes) -> None:
        """Over what was there, which needs no room: a student may have filled every disk."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def is_due(self) -> bool:
        """Whether it is time."""
        return self._up() >= self._off_at


__all__ = ["OFF_AT", "Ends", "finish", "power_off", "uptime", "wipe"]
