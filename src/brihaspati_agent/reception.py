"""Who comes to the agent's WebSockets: which path, from where, and whether they are still there."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Sequence

from brihaspati_agent import connections, control, files, terminal_socket

# Larger frames are refused by the parser before they are read, with the standard code 1009.
FRAME_BYTES_MAX = 1024 * 1024 + 64

_PATHS: dict[str, type[connections.Connection]] = {
    "/agent/terminal": terminal_socket.TerminalSocket,
    "/agent/files": files.FilesSocket,
    "/agent/control": control.ControlSocket,
}


class Reception:
    """Makes a connection for each that comes, and drops those whose other end has vanished."""

    def __init__(self, service: connections.Service) -> None:
        self._service = service
        self._open: weakref.WeakSet[connections.Connection] = weakref.WeakSet()
        self._timer: asyncio.TimerHandle | None = None

    def welcome(
        self, path: str, origins: Sequence[str], *, cookie: bool
    ) -> connections.Connection | None:
        """A connection for a request's path; None when nothing is served there.

        A page must come from our portal; a program sends neither Origin nor Cookie.
        """
        kind = _PATHS.get(path.partition("?")[0])
        if kind is None:
            return None
        if origins:
            may_come = len(origins) == 1 and self._service.origin_allowed(origins[0])
        else:
            may_come = not cookie
        connection = kind(self._service, welcome=may_come)
        self._open.add(connection)
        return connection

    def look_round(self) -> None:
        """From now on look round, for as long as anybody is there."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._service.look_round_seconds, self._look_round)

    def close(self) -> None:
        """Cut every connection."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for connection in list(self._open):
            connection.drop()

    def _look_round(self) -> None:
        self._timer = None
        now = time.monotonic()
        for connection in list(self._open):
            silent = now - connection.heard_at
            if silent > self._service.dead_seconds:
                connection.drop()
            elif silent > self._service.quiet_seconds:
                connection.ping()
        if self._open:
            self.look_round()
