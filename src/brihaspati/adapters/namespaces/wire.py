"""How the keeper and its clients talk: one JSON object a message, with descriptors beside it.

Every request carries, as its first descriptor, the socket to answer on. So any number of threads
share one connection, and the process that did the work answers by itself.
"""

from __future__ import annotations

import array
import errno
import json
import os
import socket
from pathlib import Path
from typing import Any

BYTES_MAX = 160_000
_FDS_MAX = 8
_MSG_CMSG_CLOEXEC = 0x40000000


class Broken(Exception):  # noqa: N818
    """The other side sent what is not one of our messages."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a line that keeps messages apart."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(
    line: socket.socket, message: dict[str, Any], fds: list[int] | None = None, flags: int = 0
) -> None:
    """Send one message. Raises OSError (EMSGSIZE when too long)."""
    data = json.dumps(message).encode()
    if len(data) > BYTES_MAX:
        raise OSError(errno.EMSGSIZE, f"a message of {len(data)} bytes is too long")
    rights = array.array("i", fds or [])
    beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if fds else []
    line.sendmsg([data], beside, flags | socket.MSG_NOSIGNAL)


def answer(line: socket.socket, message: dict[str, Any], fds: list[int] | None = None) -> None:
    """Send to somebody who may have gone, and never wait for them."""
    try:
        send(line, message, fds, socket.MSG_DONTWAIT)
    except OSError:
        return


def receive(line: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next message and its descriptors, close-on-exec; None at the end of the line.

    Raises Broken, OSError.
    """
    room = socket.CMSG_SPACE(_FDS_MAX * 4)
    data, beside, flags, _ = line.recvmsg(BYTES_MAX + 1, room, _MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for level, kind, rights in beside:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(rights[: len(rights) - len(rights) % fds.itemsize])
    if not data and not fds:
        return None
    try:
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise Broken("a message was cut off")
        message = json.loads(data)
        if not isinstance(message, dict):
            raise Broken("a message is not an object")
    except (ValueError, Broken) as problem:
        for fd in fds:
            os.close(fd)
        raise Broken(str(problem)) from problem
    return message, list(fds)


def address(folder: int) -> str:
    """The keeper's socket in the folder of this descriptor: short, however long the path is."""
    return f"/proc/self/fd/{folder}/keeper.sock"


def payload(data: bytes) -> int:
    """Bytes of any size as a descriptor to send along. Raises OSError."""
    fd = os.memfd_create("payload", os.MFD_CLOEXEC)
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(data)
    return fd


def open_folder(folder: Path) -> int:
    """A descriptor for `address`."""
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
