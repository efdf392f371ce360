"""A zip with the same bytes from the same files: fixed order, times and rights."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell
READABLE = 0o100644


def write(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a zip with these contents by name; it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, TIME)
            entry.external_attr = READABLE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    aside.replace(path)
