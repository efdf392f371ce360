"""A machine as the agent sees it: a place to open terminals, run commands, move files, reach ports.

Whoever makes machines (a namespace, a container, a virtual machine) gives the agent a `Place` for
each. All calls block and are called from worker threads, several at once.
"""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol


class NoSuchMachine(Exception):  # noqa: N818 - a normal answer, named for what it is
    """The label is unknown, or its machine is gone."""


class PlaceError(Exception):
    """What was asked could not be done; the text is for a person ("no such file")."""


# No dataclass: the root part of a rented machine's agent would load those for this alone, 1.7 MB.
class Outcome(NamedTuple):
    """How a command ended.

    `code` is the exit status, or minus the number of the signal that ended it. `truncated` says
    that output or error was longer than asked for; `timed_out` that we ended the command.
    """

    code: int
    output: bytes
    error: bytes
    timed_out: bool = False
    truncated: bool = False

    def told(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "code": self.code,
            "output": base64.b64encode(self.output).decode(),
            "error": base64.b64encode(self.error).decode(),
            "timed_out": self.timed_out,
            "truncated": self.truncated,
        }

    @classmethod
    def heard(cls, said: Mapping[str, Any]) -> Outcome:
        """What was told."""
        output, error = (base64.b64decode(said[name]) for name in ("output", "error"))
        return cls(said["code"], output, error, said["timed_out"], said["truncated"])


class Terminal(Protocol):
    """One running program on a tty inside the machine."""

    def fileno(self) -> int:
        """A non-blocking descriptor: the tty's byte stream. End of file or EIO: it ended."""
        ...

    def resize(self, columns: int, rows: int) -> None:
        """Tell the program the size of its screen, in characters."""
        ...

    def close(self) -> None:
        """Hang up (SIGHUP to the program) and release the descriptor; safe to repeat."""
        ...


class Place(Protocol):
    """One machine."""

    def terminal(self, command: Sequence[str] | None, columns: int, rows: int) -> Terminal:
        """Start a program on a new tty; None is the login shell of the machine's user.

        Raises PlaceError.
        """
        ...

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_seconds: float = 30,
        output_bytes_max: int = 65536,
        user: str | None = None,
    ) -> Outcome:
        """Run a command to its end, without a tty.

        `output_bytes_max` bounds output and error each; `user` None is the machine's own user.
        Raises PlaceError when it cannot be started.
        """
        ...

    def read(self, path: str, bytes_max: int) -> bytes:
        """The bytes of a regular file, by absolute path; PlaceError if larger or something else."""
        ...

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Replace a file's bytes, whole or not at all, by absolute path. Raises PlaceError."""
        ...

    def connect(self, port: int, *, timeout_seconds: float = 5) -> socket.socket:
        """A TCP socket connected to 127.0.0.1:port inside; PlaceError if nothing listens."""
        ...


Places = Callable[[str], Place]
"""The place of a machine by its label. Raises NoSuchMachine."""
