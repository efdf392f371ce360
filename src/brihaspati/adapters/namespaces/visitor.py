"""The process that enters a lab for one visit: a terminal, a command, or a file.

It is forked by the keeper straight into the lab's pid namespace and control groups. It answers on
the asker's own socket: {"ok": true} with descriptors, or {"problem": text}.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import struct
import termios
from dataclasses import dataclass, field
from pathlib import Path

from brihaspati.adapters.namespaces import accounts, cgroups, kernel, lockdown, wire

_TIOCSPTLCK, _TIOCGPTPEER = 0x40045431, 0x5441
_TTY_GROUP = 5
_ROOT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_USER_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games:/usr/sbin:/sbin"
_NAMESPACES = (
    kernel.NEWUSER | kernel.NEWNS | kernel.NEWUTS | kernel.NEWIPC | kernel.NEWNET | kernel.NEWCGROUP
)
_CHUNK = 1 << 20
_SHELLS = ("/bin/bash", "/usr/bin/bash", "/bin/sh")


class Refused(Exception):  # noqa: N818
    """The visit cannot be made; the text is for a person."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What to do, where, and whom to answer. `what` is the request as it came."""

    label: str
    op: str
    what: dict[str, object]
    user: str
    environment: list[tuple[str, str]]
    groups: cgroups.Cgroups
    filter_program: bytes
    machine: int
    reply: socket.socket
    payload: int | None = field(default=None)


def run(visit: Visit) -> None:
    """The whole life of the visitor; never returns."""
    try:
        lockdown.default_signals()
        lockdown.first_to_go()
        visit.groups.arrive(visit.label)
        keep = {visit.reply.fileno(), visit.machine}
        if visit.payload is not None:
            keep.add(visit.payload)
        kernel.close_all_but(keep)
        lockdown.no_streams()
        kernel.setns(visit.machine, _NAMESPACES)
        os.close(visit.machine)
        lockdown.become_lab_root()
        account = accounts.find(visit.user)
        _DEEDS[visit.op](visit, account)
    except (Refused, accounts.NoSuchUser) as problem:
        wire.answer(visit.reply, {"problem": str(problem)})
    except OSError as problem:
        what = problem.strerror or str(problem)
        wire.answer(visit.reply, {"problem": what[:1].lower() + what[1:]})
    except BaseException as problem:  # noqa: BLE001 - the last line of a forked process
        wire.answer(visit.reply, {"problem": repr(problem)})
    finally:
        os._exit(1)


def _environment(visit: Visit, account: accounts.Account) -> dict[str, str]:
    return {
        "PATH": _ROOT_PATH if account.uid == 0 else _USER_PATH,
        "HOME": account.home,
        "USER": account.name,
        "LOGNAME": account.name,
        "SHELL": account.shell,
        "LANG": "C.UTF-8",
        **dict(visit.environment),
    }


def _go_home(account: accounts.Account) -> None:
    for folder in (account.home, "/"):
        try:
            os.chdir(folder)
        except OSError:
            continue
        return


def _program(name: str, path: str) -> str:
    """Where the program is, as its user finds it. Raises Refused."""
    folders = [""] if "/" in name else [f"{folder}/" for folder in path.split(":")]
    for folder in folders:
        full = f"{folder}{name}"
        if os.access(full, os.X_OK) and not os.path.isdir(full):  # noqa: PTH112
            return full
    raise Refused(f"no such program: {name}")


def _exec(visit: Visit, account: accounts.Account, argv: list[str], fds: list[int]) -> None:
    """Become the user and the program, having sent the asker its descriptors."""
    environment = _environment(visit, account)
    if visit.op == "terminal":
        environment.setdefault("TERM", "xterm-256color")
    lockdown.lock(account.uid, account.gid, accounts.groups_of(account), visit.filter_program)
    _go_home(account)
    program = _program(argv[0].removeprefix("-"), environment["PATH"])
    wire.answer(visit.reply, {"ok": True}, fds)
    for fd in fds:
        os.close(fd)
    visit.reply.close()
    try:
        os.execve(program, argv, environment)  # noqa: S606 - a shell is the point
    except OSError as problem:
        os.write(2, f"{program}: {problem.strerror}\r\n".encode())
        os._exit(126)


def _shell(account: accounts.Account) -> list[str]:
    """A login shell: the name begins with "-", by old custom."""
    for path in (account.shell, *_SHELLS):
        if os.access(path, os.X_OK):
            return [f"-{path}"]
    raise Refused("the machine has no shell")


def _terminal(visit: Visit, account: accounts.Account) -> None:
    command, size = visit.what.get("command"), visit.what.get("size")
    assert isinstance(size, list)
    # By this path and no other: /dev/ptmx is the lab's to change, the devpts mount is not.
    master = os.open("/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC | os.O_NONBLOCK)
    fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    slave = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    os.fchown(slave, account.uid, _TTY_GROUP)
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.close(slave)
    argv = [str(word) for word in command] if isinstance(command, list) else _shell(account)
    _exec(visit, account, argv, [master])


def _command(visit: Visit, account: accounts.Account) -> None:
    argv = visit.what["argv"]
    assert isinstance(argv, list)
    # Made as the user, who then may open /dev/stdout again.
    os.setegid(account.gid)
    os.seteuid(account.uid)
    pipes = [os.pipe() for _ in range(3)]
    os.seteuid(0)
    os.setegid(0)
    os.setsid()
    ours = [pipes[0][1], pipes[1][0], pipes[2][0]]
    for target, fd in enumerate((pipes[0][0], pipes[1][1], pipes[2][1])):
        os.dup2(fd, target)
        os.close(fd)
    _exec(visit, account, [str(word) for word in argv], ours)


def _as_user(account: accounts.Account) -> None:
    """For files: the user's rights, and none of the rights over the lab's own kernel objects."""
    os.setgroups(accounts.groups_of(account))
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    if account.uid == 0:
        lockdown.few_capabilities()


def _read(visit: Visit, account: accounts.Account) -> None:
    path = str(visit.what["path"])
    _as_user(account)
    # Never wait for the other end of a pipe, never ring a device.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        fd = kernel.open_plainly(path, flags)
    except OSError as problem:
        raise OSError(problem.errno, os.strerror(problem.errno or 0)) from problem
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise Refused("not a regular file")
    wire.answer(visit.reply, {"ok": True, "size": os.fstat(fd).st_size}, [fd])


def _copy(payload: int, target: int) -> None:
    os.lseek(payload, 0, os.SEEK_SET)
    while chunk := os.read(payload, _CHUNK):
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(target, rest) :]


def _write(visit: Visit, account: accounts.Account) -> None:
    path, mode = str(visit.what["path"]), visit.what["mode"]
    assert isinstance(mode, int)
    assert visit.payload is not None
    _as_user(account)
    path = os.path.realpath(path)
    if os.path.lexists(path) and not Path(path).is_file():
        raise Refused("not a regular file")
    draft = f"{os.path.dirname(path)}/.{os.path.basename(path)[:200]}.{os.getpid()}.part"  # noqa: PTH119, PTH120
    target = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _copy(visit.payload, target)
        os.fchmod(target, mode)
        if account.uid == 0 and os.path.exists(path):  # noqa: PTH110 - a file keeps its owner
            was = Path(path).stat()
            os.fchown(target, was.st_uid, was.st_gid)
            os.fchmod(target, mode)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink()
        raise
    wire.answer(visit.reply, {"ok": True})


_DEEDS = {"terminal": _terminal, "exec": _command, "read": _read, "write": _write}
