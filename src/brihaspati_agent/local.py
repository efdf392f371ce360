"""This very machine as a place: what the agent serves inside a virtual machine."""

from __future__ import annotations

import contextlib
import os
import pty
import pwd
import select
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Sequence
from typing import IO

from brihaspati_agent import places, ptys

_PATIENCE_MS = 1000
_PIECE_BYTES = 64 * 1024
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SIGNALS = [
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGPIPE,
    signal.SIGTERM,
    signal.SIGCHLD,
    signal.SIGHUP,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGXFSZ,
]
# posix_spawn cannot change the directory; the shell that starts is only the step to the program.
GO_HOME = 'cd -- "$HOME" 2>/dev/null; exec "$@"'


class LocalTerminal(ptys.Master):
    """A program on a pty of this machine, in a session of its own."""

    def __init__(self, argv: Sequence[str], env: dict[str, str], columns: int, rows: int) -> None:
        master, slave = pty.openpty()
        super().__init__(master)
        try:
            self.resize(columns, rows)
            self._pid = _spawn(argv, env, os.ttyname(slave))
        except OSError as error:
            self.hang_up()
            raise places.PlaceError(f"cannot start {argv[0]}: {error.strerror}") from error
        finally:
            os.close(slave)

    def close(self) -> None:
        """Hang up; what does not go within a second is killed. Reaps the program."""
        if not self.hang_up():
            return
        with contextlib.suppress(ProcessLookupError):
            watch = os.pidfd_open(self._pid)
            try:
                hang_up(self._pid, watch)
            finally:
                os.close(watch)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _spawn(argv: Sequence[str], env: dict[str, str], tty: str) -> int:
    """Start without fork: a new session whose first open of a tty makes it the controlling one."""
    return os.posix_spawn(
        argv[0],
        list(argv),
        env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, tty, os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=DEFAULT_SIGNALS,
    )


def hang_up(pid: int, watch: int) -> None:
    """End a session's leader, whose pidfd is `watch`; what does not go within 1 s is killed."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGHUP)
        os.killpg(pid, signal.SIGCONT)
    if not is_gone(watch, _PATIENCE_MS):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def is_gone(watch: int, patience_ms: int) -> bool:
    """Whether the process of a pidfd has ended, within some time."""
    poll = select.poll()
    poll.register(watch, select.POLLIN)
    return bool(poll.poll(patience_ms))


class LocalPlace:
    """The machine this process runs on. Commands run as this process's own user."""

    def __init__(self, shell: str | None = None) -> None:
        me = pwd.getpwuid(os.geteuid())
        self._shell = shell or me.pw_shell or "/bin/sh"
        self._env = {
            "HOME": me.pw_dir,
            "USER": me.pw_name,
            "LOGNAME": me.pw_name,
            "SHELL": self._shell,
            "PATH": os.environ.get("PATH", _PATH),
            "LANG": os.environ.get("LANG", "C.UTF-8"),
        }

    def terminal(self, command: Sequence[str] | None, columns: int, rows: int) -> places.Terminal:
        """A new pty with the command, or a login shell, in the home directory."""
        wanted = list(command) if command else [self._shell, "-l"]
        env = {**self._env, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        return LocalTerminal(["/bin/sh", "-c", GO_HOME, "sh", *wanted], env, columns, rows)

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_seconds: float = 30,
        output_bytes_max: int = 65536,
        user: str | None = None,
    ) -> places.Outcome:
        """Run a command in a process group of its own, which is killed when time is up."""
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._env,
                cwd="/",
                start_new_session=True,
                user=user,
                group=None if user is None else pwd.getpwnam(user).pw_gid,
                extra_groups=None if user is None else [],
            )
        except KeyError:
            raise places.PlaceError(f"there is no user {user}") from None
        except (OSError, ValueError) as error:
            raise places.PlaceError(f"cannot run {argv[0] if argv else '?'}: {error}") from error
        return _Listening(process, output_bytes_max).outcome(stdin, timeout_seconds)

    def read(self, path: str, bytes_max: int) -> bytes:
        """The bytes of a regular file of at most `bytes_max`."""
        _absolute(path)
        try:
            opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as error:
            raise places.PlaceError(f"{path}: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise places.PlaceError(f"{path} is not a regular file")
        with open(opened, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            data = file.read(bytes_max + 1)
        if len(data) > bytes_max:
            raise places.PlaceError(f"{path} is larger than {bytes_max} bytes")
        return data

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write beside the path and rename, so that a reader sees all or nothing."""
        _absolute(path)
        beside = f"{path}.{os.urandom(6).hex()}.new"
        try:
            opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            try:
                with open(opened, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
                    file.write(data)
                    os.fchmod(opened, mode)
                os.rename(beside, path)  # noqa: PTH104 - beside its os.open
            except BaseException:
                os.unlink(beside)  # noqa: PTH108 - beside its os.open
                raise
        except OSError as error:
            raise places.PlaceError(f"{path}: {error.strerror}") from error

    def connect(self, port: int, *, timeout_seconds: float = 5) -> socket.socket:
        """A socket connected to a port of the loopback interface."""
        return connected(port, timeout_seconds)


def connected(port: int, timeout_seconds: float) -> socket.socket:
    """A socket connected to a port of the loopback interface. Raises PlaceError."""
    try:
        return socket.create_connection(("127.0.0.1", port), timeout_seconds)
    except OSError as error:
        raise places.PlaceError(f"port {port}: {error.strerror or error}") from error


def _absolute(path: str) -> None:
    if not path.startswith("/") or "\0" in path:
        raise places.PlaceError(f"{path!r} is not an absolute path")


class _Listening:
    """Reads a process's two streams at once, keeps the beginning of each, stops it in time."""

    def __init__(self, process: subprocess.Popen[bytes], bytes_max: int) -> None:
        self._process = process
        self._bytes_max = bytes_max
        self._kept: dict[int, bytearray] = {}
        self._truncated = False

    def outcome(self, stdin: bytes, timeout_seconds: float) -> places.Outcome:
        ends = time.monotonic() + timeout_seconds
        with self._process as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            out, err = process.stdout.fileno(), process.stderr.fileno()
            self._kept = {out: bytearray(), err: bytearray()}
            watch = os.pidfd_open(process.pid)
            try:
                timed_out = not self._listen(watch, process.stdin, stdin, ends)
            finally:
                os.close(watch)
                # What the command left in the background goes with it.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        return places.Outcome(
            code, bytes(self._kept[out]), bytes(self._kept[err]), timed_out, self._truncated
        )

    def _listen(self, watch: int, pipe: IO[bytes], stdin: bytes, ends: float) -> bool:
        """Feed and read until the process ends; False when the time was up before."""
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        for stream in self._kept:
            os.set_blocking(stream, False)
            poll.register(stream, select.POLLIN)
        writing, feed = pipe.fileno(), memoryview(stdin)
        os.set_blocking(writing, False)
        poll.register(writing, select.POLLOUT)
        while (left := ends - time.monotonic()) > 0:
            ready = [number for number, _ in poll.poll(left * 1000)]
            if writing in ready:
                feed = _feed(writing, feed)
                if not feed:
                    poll.unregister(writing)
                    pipe.close()
                    writing = -1
            for stream in self._kept:
                if stream in ready and self._take(stream):
                    poll.unregister(stream)
            if watch in ready:
                self._take_rest()
                return True
        return False

    def _take_rest(self) -> None:
        for stream in self._kept:
            with contextlib.suppress(BlockingIOError):
                while not self._take(stream):
                    pass

    def _take(self, stream: int) -> bool:
        """Read what is there; True at the end of the stream."""
        data = os.read(stream, _PIECE_BYTES)
        kept = self._kept[stream]
        room = self._bytes_max - len(kept)
        kept += data[:room]
        self._truncated |= len(data) > room
        return not data


def _feed(stream: int, data: memoryview) -> memoryview:
    """Write a piece; what is left, nothing if the reader is gone."""
    try:
        return data[os.write(stream, data[:_PIECE_BYTES]) :] if data else data
    except BlockingIOError:
        return data
    except OSError:
        return data[:0]
