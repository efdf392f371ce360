"""Running a command to its end through the engine's exec: streams, limits, the end of time."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from brihaspati.adapters.docker_engine import engine
from brihaspati_agent import places

_STDOUT, _STDERR = 1, 2
_HEADER = struct.Struct(">BxxxL")
_LINGER_SECONDS = 0.5
_HOME = """\
while IFS=: read -r name _ uid _ _ home shell; do
  { [ "$name" = "$want" ] || [ "$uid" = "$want" ]; } && break
  home=/ shell=/bin/sh
done 2>/dev/null </etc/passwd
export HOME="${home:-/}" SHELL="${shell:-/bin/sh}" USER="$want"
cd "$HOME" 2>/dev/null || cd /
"""
# The first line of the error stream is for us: the process to end when time is up, or "!" when
# there is nothing to run. `exec` keeps the process, so the number stays right.
_RUN = (
    "want=$1; shift\n"
    + _HOME
    + """\
command -v "$1" >/dev/null 2>&1 || { echo '!' >&2; exit 127; }
echo $$ >&2
exec "$@"
"""
)
TERMINAL = (
    'want=$1 rows=$2 columns=$3; shift 3\nstty rows "$rows" cols "$columns" 2>/dev/null\n'
    + _HOME
    + """\
[ $# = 0 ] || command -v "$1" >/dev/null 2>&1 || { echo '!'; exit 127; }
echo $$
[ $# = 0 ] && exec "$SHELL" -l
exec "$@"
"""
)
# Everything of one session: what the command started stays in it unless it asks to leave.
_END_SESSION = """\
for stat in /proc/[0-9]*/stat; do
  IFS= read -r line <"$stat" || continue
  set -- "$1" ${line##*) }
  [ "$5" = "$1" ] && kill -KILL "${line%% *}"
done 2>/dev/null
"""


@dataclass(frozen=True, slots=True)
class Job:
    """What to run, and within which bounds; `user` by name."""

    argv: Sequence[str]
    user: str
    stdin: bytes = b""
    timeout_seconds: float = 30
    output_bytes_max: int = 65536
    environment: Mapping[str, str] = field(default_factory=dict)


class Sorter:
    """Takes apart the engine's framing of two output streams, keeping a bounded part of each."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._raw = bytearray()
        self._left = 0
        self._stream = 0
        self.kept = {_STDOUT: bytearray(), _STDERR: bytearray()}
        self.truncated = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes off the wire."""
        self._raw += data
        while self._raw:
            if not self._left:
                if len(self._raw) < _HEADER.size:
                    return
                self._stream, self._left = _HEADER.unpack_from(self._raw)
                del self._raw[: _HEADER.size]
                continue
            piece = bytes(self._raw[: self._left])
            del self._raw[: len(piece)]
            self._left -= len(piece)
            self._keep(piece)

    def _keep(self, piece: bytes) -> None:
        into = self.kept.get(self._stream)
        if into is None:
            return
        room = self._bytes_max - len(into)
        into += piece[: max(0, room)]
        self.truncated |= len(piece) > room

    @property
    def first_error_line(self) -> bytes | None:
        """The first line of the error stream, once it is whole."""
        line, found, _ = self.kept[_STDERR].partition(b"\n")
        return bytes(line) if found else None


def start(
    line: engine.Engine, container: str, argv: Sequence[str], *, user: str, **asked: Any
) -> tuple[str, socket.socket]:
    """Start an exec; its id and its raw stream. Keywords: tty, stdin, environment.

    Raises NoSuchMachine or PlaceError.
    """
    tty = bool(asked.get("tty"))
    try:
        made = line.api.exec_create(
            container,
            list(argv),
            stdin=bool(asked.get("stdin")),
            tty=tty,
            user="0" if user == "root" else user,
            environment=dict(asked.get("environment") or {}),
        )
        stream = line.stream(f"/exec/{made['Id']}/start", {"Detach": False, "Tty": tty})
    except (engine.Refused, *engine.FAULTS) as error:
        if engine.status_of(error) in {404, 409}:
            raise places.NoSuchMachine("this machine is not running") from error
        raise places.PlaceError(f"the engine said: {engine.text_of(error)}") from error
    return made["Id"], stream


def run(line: engine.Engine, container: str, job: Job) -> places.Outcome:
    """Run a command. Raises NoSuchMachine or PlaceError."""
    argv = ["/bin/sh", "-c", _RUN, "sh", job.user, *job.argv]
    identity, stream = start(
        line,
        container,
        argv,
        user=job.user,
        stdin=bool(job.stdin),
        environment=job.environment,
    )
    sorter = Sorter(job.output_bytes_max + 64)
    ends = time.monotonic() + job.timeout_seconds
    with stream:
        ended = _converse(stream, sorter, job.stdin, ends, lambda: running(line, identity))
        if not ended:
            end_session(line, container, sorter.first_error_line)
            _converse(stream, sorter, b"", time.monotonic() + 2, lambda: running(line, identity))
    return _outcome(line, identity, sorter, job, timed_out=not ended)


def _outcome(
    line: engine.Engine, identity: str, sorter: Sorter, job: Job, *, timed_out: bool
) -> places.Outcome:
    first = sorter.first_error_line
    output, error = bytes(sorter.kept[_STDOUT]), bytes(sorter.kept[_STDERR])
    if first == b"!":
        raise places.PlaceError(f"no such command: {job.argv[0]}")
    if first is None and not timed_out:
        # Not even the shell ran; the engine puts its reason where the output would be.
        raise places.PlaceError(f"cannot run a command: {(output + error)[:300]!r}")
    error = error.partition(b"\n")[2]
    most = job.output_bytes_max
    code = -9 if timed_out else _code(line, identity)
    return places.Outcome(
        code=code,
        output=output[:most],
        error=error[:most],
        timed_out=timed_out,
        truncated=sorter.truncated or len(output) > most or len(error) > most,
    )


def _converse(
    stream: socket.socket,
    sorter: Sorter,
    stdin: bytes,
    ends: float,
    still_runs: Callable[[], bool],
) -> bool:
    """Feed and drain until the stream ends (True) or time is up (False)."""
    waiting = memoryview(stdin)
    stream.settimeout(0)
    poll = select.poll()
    poll.register(stream, select.POLLIN | (select.POLLOUT if waiting else 0))
    while (left := ends - time.monotonic()) > 0:
        ready = poll.poll(min(left, _LINGER_SECONDS) * 1000)
        if not ready:
            # A child in the background can hold the stream open after the command has ended.
            if not waiting and sorter.first_error_line is not None and not still_runs():
                return True
            continue
        if ready[0][1] & select.POLLOUT and waiting:
            waiting = _feed(stream, waiting)
            if not waiting:
                with contextlib.suppress(OSError):
                    stream.shutdown(socket.SHUT_WR)
                poll.modify(stream, select.POLLIN)
        if ready[0][1] & ~select.POLLOUT:
            with contextlib.suppress(BlockingIOError):
                try:
                    data = stream.recv(262144)
                except ConnectionError:
                    data = b""
                if not data:
                    return True
                sorter.feed(data)
    return False


def _feed(stream: socket.socket, waiting: memoryview) -> memoryview:
    try:
        return waiting[stream.send(waiting[:65536]) :]
    except BlockingIOError:
        return waiting
    except OSError:
        return waiting[:0]  # the command does not read on; that is its right


def running(line: engine.Engine, identity: str) -> bool:
    """Whether the exec is still going on; not, when the engine has forgotten it."""
    try:
        return bool(line.api.exec_inspect(identity)["Running"])
    except engine.FAULTS:
        return False


def _code(line: engine.Engine, identity: str) -> int:
    """The exit status, which the engine may know a moment after the stream has ended."""
    until = time.monotonic() + 2
    while True:
        try:
            found = line.api.exec_inspect(identity)
        except engine.FAULTS as error:
            # With the machine gone, or where Podman is told to forget an exec too soon.
            raise places.PlaceError("the engine cannot tell how the command ended") from error
        code = found.get("ExitCode")
        if (not found["Running"] and code is not None) or time.monotonic() > until:
            break
        time.sleep(0.01)
    # 128 + n is how an engine spells "ended by signal n".
    return 128 - code if code is not None and 128 < code <= 192 else int(code or 0)


def end_session(line: engine.Engine, container: str, pid: bytes | None) -> None:
    """Kill the command and whatever it started, as far as it stayed in its session."""
    if pid is None or not pid.isdigit():
        return
    argv = ["/bin/sh", "-c", _END_SESSION, "sh", pid.decode()]
    with contextlib.suppress(places.NoSuchMachine, places.PlaceError):
        _, stream = start(line, container, argv, user="root")
        stream.settimeout(5)
        with stream, contextlib.suppress(OSError):
            while stream.recv(4096):
                pass
