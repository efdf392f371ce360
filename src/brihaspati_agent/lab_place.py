"""A rented machine as its student sees it: their user, not the agent's."""

from __future__ import annotations

import base64
import os
import pwd
from collections.abc import Mapping, Sequence
from typing import Any

from brihaspati_agent import local, places

_SETPRIV = "/usr/bin/setpriv"
_OUTPUT_BYTES_MAX = 4096


class LabPlace(local.LocalPlace):
    """This machine, entered as the lab's user; `set_up` and checks are root's."""

    def __init__(self, lab: Mapping[str, Any]) -> None:
        super().__init__()
        self._user = str(lab["user"])
        self._more = {str(k): str(v) for k, v in lab["environment"].items()}
        self._env |= self._more

    def set_up(self, lab: Mapping[str, Any]) -> places.Outcome:
        """Make the machine the lab, once."""
        return super().run(
            ["/bin/sh", "-s"],
            stdin=base64.b64decode(lab["script"]),
            timeout_seconds=float(lab["seconds_max"]),
            output_bytes_max=_OUTPUT_BYTES_MAX,
            user="root" if os.geteuid() == 0 else None,
        )

    def terminal(self, command: Sequence[str] | None, columns: int, rows: int) -> places.Terminal:
        """A new pty, as the lab's user, in their home."""
        argv, env = self.program(command)
        return local.LocalTerminal(argv, env, columns, rows)

    def program(self, command: Sequence[str] | None) -> tuple[list[str], dict[str, str]]:
        """What a terminal runs, and its environment. Raises PlaceError."""
        me = self._account()
        shell = me.pw_shell or "/bin/sh"
        wanted = list(command) if command else [shell, "-l"]
        env = {**self._env_of(me), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        return [*self._as(me), "/bin/sh", "-c", local.GO_HOME, "sh", *wanted], env

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_seconds: float = 30,
        output_bytes_max: int = 65536,
        user: str | None = None,
    ) -> places.Outcome:
        """Run a command as the lab's user, or as another."""
        return super().run(
            argv,
            stdin=stdin,
            timeout_seconds=timeout_seconds,
            output_bytes_max=output_bytes_max,
            user=(user or self._user) if os.geteuid() == 0 else None,
        )

    def _account(self) -> pwd.struct_passwd:
        try:
            return pwd.getpwnam(self._user)
        except KeyError:
            raise places.PlaceError(f"there is no user {self._user}") from None

    def _env_of(self, me: pwd.struct_passwd) -> dict[str, str]:
        shell = me.pw_shell or "/bin/sh"
        own = {"HOME": me.pw_dir, "USER": me.pw_name, "LOGNAME": me.pw_name, "SHELL": shell}
        return {**self._env, **own}

    def _as(self, me: pwd.struct_passwd) -> list[str]:
        if os.geteuid() == me.pw_uid:
            return []
        return [_SETPRIV, f"--reuid={me.pw_uid}", f"--regid={me.pw_gid}", "--init-groups", "--"]
