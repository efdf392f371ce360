"""What the kernel tells of every process at a moment, of those that are still there to be asked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


def files(name: str) -> Iterator[tuple[int, bytes]]:
    """The id of each process and its file /proc/<id>/<name>, where we may read that.

    `Path.glob` would ask whether the file exists, which fails loudly for a process that ends just
    then; a process that is gone is no fault here.
    """
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(folder.name), (folder / name).read_bytes()


def texts(name: str) -> Iterator[tuple[int, str]]:
    """As `files`, as text."""
    for process, content in files(name):
        yield process, content.decode(errors="replace")
