"""A rented machine as its agent reaches it without being root: by asking `hands`."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from brihaspati_agent import dying, lab_place, local, orders, places, ptys, walls

_LOST = "the part of the agent that is root does not answer"


class Means(Protocol):
    """How an agent does what needs root."""

    def place(self, lab: Mapping[str, Any]) -> LabPlace:
        """This machine as this lab."""
        ...

    def wall(self, rules: str) -> None:
        """Close what the lab may not reach. Raises PlaceError."""
        ...

    def finish(self) -> None:
        """Wipe the machine and switch it off."""
        ...


class LabPlace(places.Place, Protocol):
    """A place that is made a lab first."""

    def set_up(self, lab: Mapping[str, Any]) -> places.Outcome:
        """Make the machine the lab, once."""
        ...


class Undivided:
    """By this very process: it is root, or has to do without."""

    def place(self, lab: Mapping[str, Any]) -> LabPlace:
        """This machine as this lab."""
        return lab_place.LabPlace(lab)

    def wall(self, rules: str) -> None:
        """Close what the lab may not reach. Raises PlaceError."""
        walls.close(rules)

    def finish(self) -> None:
        """Wipe the machine and switch it off."""
        dying.finish()


class Asking:
    """Asks `hands`; any thread may, several at once. Each call blocks."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._lock = threading.Lock()

    def place(self, lab: Mapping[str, Any]) -> LabPlace:
        """This machine as this lab."""
        return HandedPlace(self, lab)

    def wall(self, rules: str) -> None:
        """Close what the lab may not reach. Raises PlaceError."""
        self.ask("wall", rules=rules)

    def finish(self) -> None:
        """Wipe the machine and switch it off."""
        with contextlib.suppress(places.PlaceError):  # who switches off may not answer any more
            self.ask("finish")

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """What is answered; a `descriptor` that came with it is among that. Raises PlaceError."""
        mine, theirs = socket.socketpair()
        try:
            with mine:
                with theirs, self._lock:
                    socket.send_fds(self._line, [b"!"], [theirs.fileno()])
                orders.send(mine, {"do": do, **more})
                said = orders.receive(mine)
        except (OSError, EOFError) as error:
            raise places.PlaceError(_LOST) from error
        if "problem" in said:
            raise places.PlaceError(said["problem"])
        return said


class HandedTerminal(ptys.Master):
    """A program on a pty that was opened for us."""

    def __init__(self, asking: Asking, number: int, descriptor: int) -> None:
        super().__init__(descriptor)
        self._asking = asking
        self._number = number

    def close(self) -> None:
        """Hang up, and have what does not go killed."""
        if not self.hang_up():
            return
        with contextlib.suppress(places.PlaceError):
            self._asking.ask("close", number=self._number)


class HandedPlace:
    """This machine, as the lab's user; `set_up` and checks are root's."""

    def __init__(self, asking: Asking, lab: Mapping[str, Any]) -> None:
        self._asking = asking
        self._lab = {"user": lab["user"], "environment": lab["environment"]}

    def set_up(self, lab: Mapping[str, Any]) -> places.Outcome:
        """Make the machine the lab, once."""
        wanted = {"script": lab["script"], "seconds_max": lab["seconds_max"]}
        return places.Outcome.heard(self._ask("set_up", **wanted))

    def terminal(self, command: Sequence[str] | None, columns: int, rows: int) -> places.Terminal:
        """A new pty, as the lab's user, in their home."""
        wanted = list(command) if command else None
        said = self._ask("terminal", command=wanted, columns=columns, rows=rows)
        if "descriptor" not in said:
            self._asking.ask("close", number=said["number"])
            raise places.PlaceError("too many files are open to begin another terminal")
        return HandedTerminal(self._asking, said["number"], said["descriptor"])

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
        return places.Outcome.heard(
            self._ask(
                "run",
                argv=list(argv),
                stdin=base64.b64encode(stdin).decode(),
                timeout_seconds=timeout_seconds,
                output_bytes_max=output_bytes_max,
                user=user,
            )
        )

    def read(self, path: str, bytes_max: int) -> bytes:
        """The bytes of a regular file of at most `bytes_max`."""
        return base64.b64decode(self._ask("read", path=path, bytes_max=bytes_max)["data"])

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Replace a file's bytes, whole or not at all."""
        self._ask("write", path=path, data=base64.b64encode(data).decode(), mode=mode)

    def connect(self, port: int, *, timeout_seconds: float = 5) -> socket.socket:
        """A socket connected to a port of the loopback interface; that needs no root."""
        return local.connected(port, timeout_seconds)

    def _ask(self, do: str, **more: Any) -> dict[str, Any]:
        """Each order says which lab: whoever obeys it knows of no other order."""
        return self._asking.ask(do, lab=self._lab, **more)
