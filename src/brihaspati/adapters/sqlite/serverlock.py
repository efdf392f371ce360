"""One server per data folder: two would start every lab twice."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

from brihaspati.adapters.sqlite import faults

LOCK_FILE = "server.lock"


class AlreadyServed(Exception):  # noqa: N818
    """Another server works on this folder. The text names its process."""


class ServerLock:
    """Held by a server until `release` or the end of its process, however it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let the next server in; repeatable."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def lock(folder: Path) -> ServerLock:
    """Be the only server of a data folder. Raises AlreadyServed, or Broken without permission."""
    path = folder / LOCK_FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise faults.Broken(
            f"cannot write {path}: {error.strerror}; run as the owner of {folder}"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise AlreadyServed(
            f"another Brihaspati server (process {holder}) works on {folder}: stop it, or give"
            " this one a data folder of its own"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return ServerLock(descriptor)
