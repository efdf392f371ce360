"""What of a rented machine's agent is root: a small process that does a few named things for it.

It takes orders over a socket that only the agent has, and ends when the agent ends.
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from brihaspati_agent import dying, lab_place, orders, places, walls


class Hands:
    """Does what the agent asks. Each order comes with a connection of its own, for its answer."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._place: lab_place.LabPlace | None = None
        self._terminals: dict[int, places.Terminal] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._verbs: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "be": self._be,
            "set_up": self._set_up,
            "terminal": self._terminal,
            "close": self._close,
            "run": self._run,
            "read": self._read,
            "write": self._write,
            "wall": self._wall,
            "finish": self._finish,
        }

    def serve(self, child: int) -> int:
        """Until the agent ends; its exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os.kill(child, signal.SIGTERM))
        while True:
            asked, found, _, _ = socket.recv_fds(self._line, 1, 1, socket.MSG_CMSG_CLOEXEC)
            if not asked:
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if not found:  # we had no number free: whoever asks hears nothing, and others go on
                continue
            line = socket.socket(fileno=found[0])
            threading.Thread(target=self._obey, args=(line,), daemon=True).start()

    def _obey(self, line: socket.socket) -> None:
        with line, contextlib.suppress(OSError, EOFError):
            order = orders.receive(line)
            try:
                said = self._verbs[order["do"]](order)
            except places.PlaceError as error:
                said = {"problem": str(error)}
            except Exception as error:  # noqa: BLE001 - whoever asked must not wait for ever
                said = {"problem": f"{order.get('do')}: {error!r}"}
            orders.send(line, said)

    @property
    def _here(self) -> lab_place.LabPlace:
        if self._place is None:
            raise places.PlaceError("this machine is no lab yet")
        return self._place

    def _be(self, order: dict[str, Any]) -> dict[str, Any]:
        self._place = lab_place.LabPlace(order["lab"])
        return {}

    def _set_up(self, order: dict[str, Any]) -> dict[str, Any]:
        return self._here.set_up(order["lab"]).told()

    def _run(self, order: dict[str, Any]) -> dict[str, Any]:
        outcome = self._here.run(
            order["argv"],
            stdin=base64.b64decode(order["stdin"]),
            timeout_seconds=order["timeout_seconds"],
            output_bytes_max=order["output_bytes_max"],
            user=order["user"],
        )
        return outcome.told()

    def _terminal(self, order: dict[str, Any]) -> dict[str, Any]:
        made = self._here.terminal(order["command"], order["columns"], order["rows"])
        with self._lock:
            self._count += 1
            self._terminals[self._count] = made
            return {"number": self._count, "descriptor": made.fileno()}

    def _close(self, order: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            made = self._terminals.pop(order["number"], None)
        if made is not None:
            made.close()
        return {}

    def _read(self, order: dict[str, Any]) -> dict[str, Any]:
        data = self._here.read(order["path"], order["bytes_max"])
        return {"data": base64.b64encode(data).decode()}

    def _write(self, order: dict[str, Any]) -> dict[str, Any]:
        self._here.write(order["path"], base64.b64decode(order["data"]), order["mode"])
        return {}

    def _wall(self, order: dict[str, Any]) -> dict[str, Any]:
        walls.close(order["rules"])
        return {}

    def _finish(self, _: dict[str, Any]) -> dict[str, Any]:
        dying.finish()
        return {}
