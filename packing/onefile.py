"""The byte code of a zip's modules in one file, which `brihaspati_modules` finds them in."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from packing import brihaspati_modules as reader

SOURCE = Path(reader.__file__)
NAME, FILE = SOURCE.name, reader.FILE
_PYC_HEAD = 16


def write(compiled: Mapping[str, bytes]) -> bytes:
    """The file, of the contents of .pyc files by what their modules are called ("a/b.py")."""
    entries, codes, begin = dict[str, reader.Entry](), list[bytes](), 0
    for file, pyc in sorted(compiled.items()):
        path = PurePosixPath(file)
        package = path.stem == "__init__"
        name = ".".join((path.parent if package else path.with_suffix("")).parts)
        codes.append(pyc[_PYC_HEAD:])
        entries[name] = (begin, len(codes[-1]), package, file)
        begin += len(codes[-1])
    # Of version 2: later ones note which texts are shared in this process, and differ by that.
    listed = marshal.dumps(entries, 2)
    magic = next(iter(compiled.values()))[:4]
    return b"".join([magic, len(listed).to_bytes(4, "little"), listed, *codes])


def read(file: bytes) -> tuple[bytes, dict[str, reader.Entry]]:
    """The magic number, and what is in such a file."""
    listed: dict[str, reader.Entry] = marshal.loads(file[reader.HEAD :])  # noqa: S302 - made here
    return file[:4], listed
