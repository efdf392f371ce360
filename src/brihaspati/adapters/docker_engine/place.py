"""One container as the agent sees it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Sequence

from brihaspati.adapters.docker_engine import commands, engine, relay
from brihaspati_agent import places

_TERM = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
_START_SECONDS_MAX = 15
_TOO_LARGE, _NOT_A_FILE, _NO_FILE = 3, 4, 5
_READ = f"""\
[ -e "$1" ] || exit {_NO_FILE}
[ -f "$1" ] || exit {_NOT_A_FILE}
size=$(wc -c <"$1") || exit 1
[ "$size" -le "$2" ] || exit {_TOO_LARGE}
exec cat -- "$1"
"""
# What root writes belongs to whoever owns the folder, so that others can edit it there.
_WRITE = """\
folder=${1%/*}; mkdir -p "${folder:=/}" || exit 1
[ -d "$1" ] && { echo "it is a folder" >&2; exit 1; }
new="$folder/.new.$$"; trap 'rm -f "$new"' EXIT
umask 077; cat >"$new" || exit 1
[ "$(id -u)" != 0 ] || chown "$(stat -c %u:%g "$folder")" "$new" || exit 1
chmod "$2" "$new" || exit 1
if [ -n "$3" ] && [ "$(wc -c <"$new")" -ne "$3" ]; then echo "cut off" >&2; exit 1; fi
mv -f "$new" "$1"
"""
# As when a line drops: the program is told, and what ignores that for two seconds is ended.
_HANG_UP = """\
kill -HUP "$1" && kill -CONT "$1"; sleep 1; kill -0 "$1" && sleep 1 && kill -KILL "$1"
"""


class Terminal:
    """A program on a tty of the container; its byte stream is the engine's hijacked connection."""

    def __init__(
        self, line: engine.Engine, container: str, identity: str, stream: socket.socket
    ) -> None:
        self._line = line
        self._container = container
        self._identity = identity
        self._stream = stream
        self._lock = threading.Lock()
        self._closed = False
        self._pid = self._read_pid()
        stream.settimeout(0)

    def _read_pid(self) -> str:
        """The first line, which is for us: the number of the program inside."""
        said = bytearray()
        self._stream.settimeout(_START_SECONDS_MAX)
        while not said.endswith(b"\n"):
            try:
                piece = self._stream.recv(1)
            except OSError as error:
                raise places.PlaceError("the terminal did not start in time") from error
            if not piece or len(said) > 4096:
                raise places.PlaceError(f"no terminal: {said.decode(errors='replace').strip()}")
            said += piece
        text = said.decode(errors="replace").strip()
        if text == "!":
            raise FileNotFoundError
        if not text.isdigit():
            raise places.PlaceError(f"no terminal: {text}")
        return text

    def fileno(self) -> int:
        """The stream's descriptor, non-blocking; -1 once closed."""
        return self._stream.fileno()

    def resize(self, columns: int, rows: int) -> None:
        """Set the size of the screen; a program that has ended does not mind."""
        with contextlib.suppress(*engine.FAULTS):
            self._line.api.exec_resize(self._identity, height=rows, width=columns)

    def close(self) -> None:
        """Hang up. The engine would let the program run on without anyone, so it is told."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        alive = commands.running(self._line, self._identity)
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()
        if alive:
            with contextlib.suppress(places.PlaceError, places.NoSuchMachine):
                argv = ["/bin/sh", "-c", f"( {_HANG_UP} ) >/dev/null 2>&1 &", "sh", self._pid]
                commands.start(self._line, self._container, argv, user="root")[1].close()


class Place:
    """One running container. `user` is whose terminals and commands they are."""

    def __init__(self, line: engine.Engine, container: str, user: str, *, enterable: bool) -> None:
        self._line = line
        self._container = container
        self._user = user
        self._enterable = enterable

    def terminal(self, command: Sequence[str] | None, columns: int, rows: int) -> places.Terminal:
        """See places.Place."""
        size = [str(rows), str(columns)]
        argv = ["/bin/sh", "-c", commands.TERMINAL, "sh", self._user, *size, *(command or ())]
        identity, stream = commands.start(
            self._line,
            self._container,
            argv,
            user=self._user,
            tty=True,
            stdin=True,
            environment=_TERM,
        )
        try:
            return Terminal(self._line, self._container, identity, stream)
        except FileNotFoundError:
            stream.close()
            raise places.PlaceError(f"no such command: {argv[7]}") from None
        except BaseException:
            stream.close()
            raise

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_seconds: float = 30,
        output_bytes_max: int = 65536,
        user: str | None = None,
    ) -> places.Outcome:
        """See places.Place."""
        job = commands.Job(argv, user or self._user, stdin, timeout_seconds, output_bytes_max)
        return commands.run(self._line, self._container, job)

    def read(self, path: str, bytes_max: int) -> bytes:
        """See places.Place. Done as the machine's user."""
        argv = ["/bin/sh", "-c", _READ, "sh", _absolute(path), str(bytes_max)]
        job = commands.Job(argv, self._user, output_bytes_max=bytes_max)
        outcome = commands.run(self._line, self._container, job)
        problems = {
            _NO_FILE: "no such file",
            _NOT_A_FILE: "not a regular file",
            _TOO_LARGE: f"larger than {bytes_max} bytes",
        }
        if outcome.code != 0 or outcome.truncated:
            why = outcome.error.decode(errors="replace").strip() or "cannot be read"
            raise places.PlaceError(f"{path}: {problems.get(outcome.code, why)}")
        return outcome.output

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """See places.Place. Done as the machine's user."""
        script = ["/bin/sh", "-c", _WRITE, "sh", _absolute(path), f"{mode:o}", str(len(data))]
        outcome = commands.run(self._line, self._container, commands.Job(script, self._user, data))
        if outcome.code != 0:
            why = outcome.error.decode(errors="replace").strip() or "cannot be written"
            raise places.PlaceError(f"{path}: {why}")

    def connect(self, port: int, *, timeout_seconds: float = 5) -> socket.socket:
        """See places.Place."""
        ends = time.monotonic() + timeout_seconds
        if self._enterable:
            try:
                pid = int(self._line.api.inspect_container(self._container)["State"]["Pid"])
            except engine.FAULTS as error:
                if engine.status_of(error) == 404:
                    raise places.NoSuchMachine("this machine is gone") from error
                raise places.PlaceError(engine.text_of(error)) from error
            found = relay.enter(pid, self._container, port, timeout_seconds)
            if found is not None:
                found.settimeout(None)
                return found
        return relay.carry(self._line, self._container, port, max(0.1, ends - time.monotonic()))


def _absolute(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise places.PlaceError(f"{path!r}: give an absolute path")
    return path
