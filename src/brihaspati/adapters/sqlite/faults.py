"""What SQLite says when something is wrong, in the port's words or in a person's."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from brihaspati import ports

_FULL_BYTES = 64 * 1024  # less than this free, and a failed write is called a full disk


class Broken(Exception):  # noqa: N818 - the file is broken, the program is not
    """The database file cannot be used. The text names it and what to do."""


class Newer(Broken):
    """The file was written by a newer Brihaspati."""


def translated(error: sqlite3.Error, path: Path) -> Exception:
    """The error to raise instead; the same one where it is our own mistake (bad SQL)."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    found: Exception = error
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            found = ports.Busy(f"another program keeps {path} locked; try again")
        case sqlite3.SQLITE_FULL:
            found = full(path)
        case sqlite3.SQLITE_IOERR:
            found = full(path) if _is_full(code, path) else _disk_fails(error, path)
        case sqlite3.SQLITE_NOTADB:
            found = no_database(path)
        case sqlite3.SQLITE_CORRUPT:
            found = Broken(f"{path} is damaged ({error}). {_mend(path)}")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            found = Broken(
                f"{path} cannot be opened for writing ({error}): run as the owner of its folder,"
                " and see that the disk is not mounted read-only"
            )
    return found


def no_database(path: Path) -> Broken:
    """What to say about a file of something else, or the rest of one."""
    return Broken(f"{path} is not a database. {_mend(path)}")


def full(path: Path) -> ports.StoreFull:
    """What to say about a full disk."""
    return ports.StoreFull(
        f"the disk under {path} is full: nothing was written; free some space and try again"
    )


def _is_full(code: int, path: Path) -> bool:
    """A full disk shows as an I/O error where SQLite grows its shared-memory file."""
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:
        return True
    space = os.statvfs(path.parent)
    return space.f_bavail * space.f_frsize < _FULL_BYTES


def _disk_fails(error: sqlite3.Error, path: Path) -> Broken:
    return Broken(
        f"the disk under {path} fails ({error}, {error.sqlite_errorname}): see the kernel's log"
        " (dmesg), replace the disk and restore the latest backup"
    )


def _mend(path: Path) -> str:
    return (
        f"Stop the server, move {path.name}, {path.name}-wal and {path.name}-shm away, and copy"
        f" the latest backup to {path}; without a backup, an empty database is made on start"
    )
