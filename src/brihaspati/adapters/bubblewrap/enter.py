"""One visit to a sandbox: a program of its own, since a process with threads cannot enter a userns.

Started as `python -I -S enter.py CHANNEL`, where CHANNEL is the descriptor of a stream socket. It
reads one JSON line from there, joins the namespaces of process `pid`, does what `op` says and
answers with JSON lines, the first with a descriptor where the op gives one. It needs the user that
made the sandbox and nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import stat
import struct
import sys
import termios
from typing import Any

_NAMESPACES = ("mnt", "pid", "net", "ipc", "uts", "cgroup")
_NS_GET_USERNS = 0xB701
_TIOCSPTLCK, _TIOCGPTPEER = 0x40045431, 0x5441
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38
_CAPABILITY_VERSION_3 = 0x20080522
_CAPABILITIES_MAX = 64
_libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):  # noqa: N818
    """The visit cannot be made; the text is for a person."""


def main(channel: socket.socket) -> None:
    """Do what the first line asks; every answer goes through the channel."""
    job = json.loads(_line(channel))
    try:
        _join(job["pid"])
        _OPS[job["op"]](channel, job)
    except Refused as problem:
        _answer(channel, {"problem": str(problem)})
    except OSError as problem:
        words = problem.strerror or str(problem)
        _answer(channel, {"problem": words[:1].lower() + words[1:]})


def _line(channel: socket.socket) -> bytes:
    said = bytearray()
    while not said.endswith(b"\n"):
        piece = channel.recv(65536)
        if not piece:
            raise SystemExit(1)
        said += piece
    return bytes(said)


def _answer(channel: socket.socket, body: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
    text = json.dumps(body).encode() + b"\n"
    sent = socket.send_fds(channel, [text], list(fds)) if fds else 0
    channel.sendall(text[sent:])


def _join(pid: int) -> None:
    """Enter every namespace; the process namespace counts for children only.

    The others may belong to an outer user namespace than the one programs live in: bwrap needs
    root for /dev/pts, and makes a second one around any user but root. So the owner comes first.
    """
    try:
        home = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
        doors = [os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY) for name in _NAMESPACES]
    except OSError:
        raise Refused("gone") from None
    owner = fcntl.ioctl(doors[0], _NS_GET_USERNS)
    path = [owner, *doors]
    if os.fstat(owner).st_ino != os.fstat(home).st_ino:
        path.append(home)
    for door in path:
        if _libc.setns(door, 0) != 0:
            raise Refused(f"cannot enter: {os.strerror(ctypes.get_errno())}")
    processes = os.fstat(doors[_NAMESPACES.index("pid")]).st_ino
    if not _is_furnished(processes):
        raise Refused("gone")
    for door in {owner, home, *doors}:
        os.close(door)
    _give_up_rights()


def _is_furnished(processes: int) -> bool:
    """Whether the root we came to is the finished one: its /proc tells of this process namespace.

    While bwrap builds, the root of its mount namespace is first the host's and then a scaffold;
    what is written there is lost, or is on the host.
    """
    try:
        return os.stat("/proc/1/ns/pid").st_ino == processes  # noqa: PTH116
    except OSError:
        return False


def _give_up_rights() -> None:
    """Entering a user namespace gives every right over it; the sandbox's own programs have none."""
    for capability in range(_CAPABILITIES_MAX):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or _libc.capset(header, bytes(24)):
        raise Refused(f"cannot give up rights: {os.strerror(ctypes.get_errno())}")


def _start(job: dict[str, Any], channel: socket.socket, tty: int | None) -> int:
    """Fork into the process namespace and exec there; the child's number, or OSError of exec."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(out)
            channel.close()
            _become(job, into, tty)
        except OSError as problem:
            os.write(into, str(problem.errno or 0).encode())
        finally:
            os._exit(127)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        failed = pipe.read()
    if failed:
        os.waitpid(child, 0)
        if int(failed) in {2, 13}:
            raise Refused(f"no such command: {job['argv'][0]}")
        raise OSError(int(failed), os.strerror(int(failed)))
    return child


def _become(job: dict[str, Any], into: int, tty: int | None) -> None:
    # Whoever ends this visit ends the program with it.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setsid()
    if tty is not None:
        fcntl.ioctl(tty, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(tty, fd)
    os.closerange(3, into)
    os.closerange(into + 1, 4096)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.chdir(job["environment"].get("HOME", "/"))
    except OSError:
        os.chdir("/")
    os.execvpe(job["argv"][0].removeprefix("-"), job["argv"], job["environment"])  # noqa: S606


def _terminal(channel: socket.socket, job: dict[str, Any]) -> None:
    # A tty of the host would be "not a tty" in there.
    master = os.open("/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
    size = struct.pack("HHHH", job["rows"], job["columns"], 0, 0)
    fcntl.ioctl(master, termios.TIOCSWINSZ, size)
    slave = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    child = _start(job, channel, slave)
    os.close(slave)
    _answer(channel, {"ok": True}, (master,))
    os.close(master)
    channel.close()
    os.waitpid(child, 0)


def _run(channel: socket.socket, job: dict[str, Any]) -> None:
    child = _start(job, channel, None)
    signal.signal(signal.SIGTERM, lambda *_: _end(child))
    _answer(channel, {"ok": True})
    # The command alone holds its streams now, so that their end is its end.
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    _, status = os.waitpid(child, 0)
    _answer(channel, {"code": os.waitstatus_to_exitcode(status)})


def _end(group: int) -> None:
    os.killpg(group, signal.SIGKILL)


def _read(channel: socket.socket, job: dict[str, Any]) -> None:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    file = os.open(job["path"], flags)
    seen = os.fstat(file)
    if not stat.S_ISREG(seen.st_mode):
        raise Refused("not a regular file")
    _answer(channel, {"ok": True, "size": seen.st_size}, (file,))


def _write(channel: socket.socket, job: dict[str, Any]) -> None:
    """Give the asker a new file to fill; its second line says to put it in place."""
    path = os.path.realpath(job["path"])
    if os.path.lexists(path) and not os.path.isfile(path):  # noqa: PTH113
        raise Refused("not a regular file")
    folder = os.path.dirname(path)  # noqa: PTH120
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    draft = f"{folder}/.new.{os.urandom(8).hex()}"
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _answer(channel, {"ok": True}, (file,))
        _line(channel)
        os.fchmod(file, job["mode"])
        os.replace(draft, path)  # noqa: PTH105
    except BaseException:
        os.unlink(draft)  # noqa: PTH108
        raise
    _answer(channel, {"ok": True})


def _connect(channel: socket.socket, job: dict[str, Any]) -> None:
    try:
        line = socket.create_connection(("127.0.0.1", job["port"]), timeout=job["seconds"])
    except ConnectionRefusedError:
        raise Refused(f"port {job['port']}: nothing listens there") from None
    except TimeoutError:
        raise Refused(f"port {job['port']}: no answer in time") from None
    line.settimeout(None)
    _answer(channel, {"ok": True}, (line.fileno(),))


_OPS = {
    "terminal": _terminal,
    "run": _run,
    "read": _read,
    "write": _write,
    "connect": _connect,
}

if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
