"""The part of systemd that a rented server's services need: start, stop, restart, run again."""

from __future__ import annotations

import os
import pwd
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

FOLDERS = ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")
WANTED = Path("/etc/systemd/system/multi-user.target.wants")
RESTARTS_SECONDS = 0.1
KILL_SECONDS = 10.0
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8"}
KEPT_FOLDERS = {
    "StateDirectory": "/var/lib",
    "LogsDirectory": "/var/log",
    "CacheDirectory": "/var/cache",
}


@dataclass
class Unit:
    """One service: what its file says, and its process."""

    name: str
    settings: dict[str, list[str]] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    wanted: bool = False
    again_at: float | None = None
    kill_at: float | None = None
    ended_with: int | None = None

    def last(self, key: str, usual: str = "") -> str:
        """A setting's last value."""
        return self.settings.get(key, [usual])[-1]


def find(name: str) -> Path | None:
    """Where a unit's file is."""
    return next((path for folder in FOLDERS if (path := Path(folder, name)).exists()), None)


def read(name: str) -> Unit:
    """A unit as its file says now.

    Raises:
        FileNotFoundError: there is none.
    """
    path = find(name)
    if path is None:
        raise FileNotFoundError(f"Unit {name} not found.")
    unit, text = Unit(name), path.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if not equals or key.startswith(("#", ";")):
            continue
        if value.strip():
            unit.settings.setdefault(key.strip(), []).append(value.strip())
        else:
            unit.settings.pop(key.strip(), None)
    return unit


class Services:
    """All services of a machine. `tick` must be called often, and after children end."""

    def __init__(self) -> None:
        self.units: dict[str, Unit] = {}

    def start(self, name: str) -> None:
        """Start a service that does not run.

        Raises:
            FileNotFoundError: there is no such unit.
            OSError: its program cannot be started.
        """
        unit = self.units.get(name)
        if unit is not None and unit.process is not None:
            return
        unit = self.units[name] = read(name)
        unit.wanted = True
        self._spawn(unit)

    def stop(self, name: str) -> None:
        """Ask a service to end; it is killed if it does not."""
        unit = self.units.get(name)
        if unit is None:
            return
        unit.wanted, unit.again_at = False, None
        if unit.process is not None:
            _signal(unit.process.pid, signal.SIGTERM)
            unit.kill_at = time.monotonic() + KILL_SECONDS

    def is_active(self, name: str) -> bool:
        """Whether its process is there, or its one-shot work was done."""
        unit = self.units.get(name)
        if unit is None:
            return False
        oneshot = unit.last("Type") == "oneshot" and unit.last("RemainAfterExit") == "yes"
        return unit.process is not None or (oneshot and unit.ended_with == 0)

    def ended(self, pid: int, code: int) -> None:
        """A child ended; the service it was may have to run again."""
        for unit in self.units.values():
            if unit.process is None or unit.process.pid != pid:
                continue
            unit.process, unit.kill_at, unit.ended_with = None, None, code
            restart = unit.last("Restart", "no")
            failed = code != 0
            if unit.wanted and (restart == "always" or (restart == "on-failure" and failed)):
                seconds = unit.last("RestartSec", str(RESTARTS_SECONDS)).removesuffix("s")
                unit.again_at = time.monotonic() + float(seconds)

    def tick(self) -> None:
        """Run again what is due, and kill what would not end."""
        now = time.monotonic()
        for unit in self.units.values():
            if unit.again_at is not None and now >= unit.again_at:
                unit.again_at = None
                self._spawn(unit)
            if unit.kill_at is not None and now >= unit.kill_at and unit.process is not None:
                unit.kill_at = None
                _signal(unit.process.pid, signal.SIGKILL)

    def _spawn(self, unit: Unit) -> None:
        environment = ENVIRONMENT | _environment(unit)
        _folders(unit)
        with Path("/var/log", unit.name + ".log").open("ab") as log:
            for command in unit.settings.get("ExecStartPre", []):
                subprocess.run(
                    _words(unit, command), env=environment, stdout=log, stderr=log, check=False
                )
            unit.process = subprocess.Popen(
                _words(unit, unit.last("ExecStart")),
                env=environment,
                cwd=unit.last("WorkingDirectory", "/").lstrip("-~") or "/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def _environment(unit: Unit) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in unit.settings.get("EnvironmentFile", []):
        wanted = Path(path.lstrip("-"))
        if wanted.exists():
            lines = wanted.read_text().splitlines()
            found |= dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    for line in unit.settings.get("Environment", []):
        found |= dict(word.split("=", 1) for word in shlex.split(line) if "=" in word)
    if user := unit.last("User"):
        found |= {"USER": user, "LOGNAME": user, "HOME": pwd.getpwnam(user).pw_dir}
    return found


def _folders(unit: Unit) -> None:
    """Folders a unit asks for, owned by its user."""
    user = unit.last("User") or "root"
    entry = pwd.getpwnam(user)
    places = [(KEPT_FOLDERS[key], key) for key in KEPT_FOLDERS] + [("/run", "RuntimeDirectory")]
    for where, key in places:
        for name in " ".join(unit.settings.get(key, [])).split():
            folder = Path(where, name)
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(int(unit.last(key + "Mode", "0755"), 8))
            os.chown(folder, entry.pw_uid, entry.pw_gid)


def _words(unit: Unit, command: str) -> list[str]:
    """A command line, as the user it shall run as, with the capabilities it may keep."""
    plain = command.lstrip("-@:!")
    privileged = plain.startswith("+")
    words = shlex.split(plain.lstrip("+"))
    if limit := unit.last("LimitNOFILE"):  # the soft one: the hard one is this host's
        words = ["prlimit", f"--nofile={limit.partition(':')[0]}:", *words]
    user = unit.last("User")
    if not user or user == "root" or privileged:
        return words
    entry = pwd.getpwnam(user)
    prefix = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--init-groups"]
    granted = unit.last("AmbientCapabilities").lower().split()
    if granted:
        names = ",".join(f"+{name.removeprefix('cap_')}" for name in granted)
        prefix += [f"--inh-caps={names}", f"--ambient-caps={names}"]
    if unit.last("NoNewPrivileges").lower() in ("yes", "true", "1"):
        prefix.append("--no-new-privs")
    return [*prefix, "--", *words]


def _signal(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def command(services: Services, words: Sequence[str]) -> tuple[int, str]:
    """`systemctl` with these words: its exit status and what it prints."""
    plain = [word for word in words if not word.startswith("-")]
    verb, names = (plain or ["status"])[0], [_full(name) for name in plain[1:]]
    now = "--now" in words
    try:
        for name in names:
            if verb in ("start", "restart", "reload-or-restart") or (verb == "enable" and now):
                if verb not in ("start", "enable"):
                    _restart(services, name)
                services.start(name)
            if verb == "stop" or (verb in ("disable", "mask") and now):
                services.stop(name)
            if verb == "enable":
                WANTED.mkdir(parents=True, exist_ok=True)
                (WANTED / name).touch()
            if verb == "disable":
                (WANTED / name).unlink(missing_ok=True)
    except OSError as error:
        return 5, f"{error}\n"
    if verb in ("is-active", "status"):
        active = all(services.is_active(name) for name in names)
        return (0, "active\n") if active else (3, "inactive\n")
    return 0, ""


def _full(name: str) -> str:
    return name if "." in name else f"{name}.service"


def _restart(services: Services, name: str) -> None:
    """End a running service now, so that it can be started again."""
    unit = services.units.get(name)
    if unit is None or unit.process is None:
        return
    services.stop(name)
    try:
        unit.process.wait(KILL_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(unit.process.pid, signal.SIGKILL)
        unit.process.wait()
    unit.process = None


def enabled() -> list[str]:
    """Services that start with the machine."""
    return sorted(path.name for path in WANTED.iterdir()) if WANTED.exists() else []
