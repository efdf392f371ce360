"""Who is who in a lab: its own /etc/passwd, read and written as the lab's root."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

_BYTES_MAX = 1 << 20
_ID_MAX = 65535
_STUDENT_ID = 1000


class NoSuchUser(Exception):  # noqa: N818
    """The lab has no user of this name."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a lab, with ids as the lab sees them."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str


def _text(path: str) -> str:
    """A small regular file; anything else (the lab may have put a pipe there) reads as empty."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return ""
        return os.read(fd, _BYTES_MAX).decode(errors="replace")
    finally:
        os.close(fd)


def _parse(line: str) -> Account | None:
    parts = line.split(":")
    if len(parts) != 7 or not parts[2].isdigit() or not parts[3].isdigit():
        return None
    uid, gid = int(parts[2]), int(parts[3])
    if max(uid, gid) > _ID_MAX:
        return None
    return Account(parts[0], uid, gid, parts[5] or "/", parts[6] or "/bin/sh")


def find(name: str) -> Account:
    """The account of this name. Root is always there. Raises NoSuchUser."""
    for line in _text("/etc/passwd").splitlines():
        account = _parse(line)
        if account is not None and account.name == name:
            return account
    if name == "root":
        return Account("root", 0, 0, "/root", "/bin/sh")
    raise NoSuchUser(f"no user {name}")


def groups_of(account: Account) -> list[int]:
    """The groups the user is in, its own first."""
    found = [account.gid]
    for line in _text("/etc/group").splitlines():
        parts = line.split(":")
        member = len(parts) == 4 and account.name in parts[3].split(",")
        if member and parts[2].isdigit() and int(parts[2]) <= _ID_MAX:
            found.append(int(parts[2]))
    return list(dict.fromkeys(found))[:64]


def ensure(name: str) -> None:
    """Make an ordinary user with a home if the image has none. Raises OSError."""
    try:
        find(name)
    except NoSuchUser:
        pass
    else:
        return
    home = f"/home/{name}"
    shell = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"
    with Path("/etc/passwd").open("a") as users:
        users.write(f"{name}:x:{_STUDENT_ID}:{_STUDENT_ID}::{home}:{shell}\n")
    with Path("/etc/group").open("a") as groups:
        groups.write(f"{name}:x:{_STUDENT_ID}:\n")
    Path(home).mkdir(parents=True, exist_ok=True)
    os.chown(home, _STUDENT_ID, _STUDENT_ID)
