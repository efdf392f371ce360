"""The archive once more, compiled for this machine's version of Python, by a process that ends.

An archive has compiled what the version that made it loads. Any other version would compile each
module as it loads it, and what a compiler needs leaves holes in the memory of a process that stays.
"""

from __future__ import annotations

import hashlib
import importlib.util
import marshal
import sys
import zipfile
from pathlib import Path

# What every agent loads, less what only previews and other kinds of agents need.
_PACKAGES = ("brihaspati_agent/", "websockets/")
_LEFT = ("brihaspati_agent/preview", "websockets/sync/", "websockets/cli", "websockets/auth")
_PROBE = "brihaspati_agent/__init__.pyc"


def keep(archive: Path) -> None:
    """Have it beside the archive as it should be, or not at all."""
    made = beside(archive)
    seal = made.with_name(f"{made.name}.sha256")
    source = archive.read_bytes()
    try:
        if _fits(archive):
            made.unlink(missing_ok=True)
        elif not _is_whole(made, seal, source):
            made.unlink(missing_ok=True)
            fresh = made.with_name(f"{made.name}.new")
            _compile(archive, fresh)
            seal.write_text(_seal(source, fresh.read_bytes()))
            fresh.rename(made)
    except (OSError, ValueError, SyntaxError) as error:  # a full disk: it runs from source
        made.unlink(missing_ok=True)
        sys.stderr.write(f"the agent is not compiled: {error}\n")


def beside(archive: Path) -> Path:
    """Where it is kept."""
    return archive.with_name(f"{archive.name}.{sys.implementation.cache_tag}")


def _fits(archive: Path) -> bool:
    """Whether the archive itself is compiled for this version."""
    with zipfile.ZipFile(archive) as found:
        try:
            return found.read(_PROBE).startswith(importlib.util.MAGIC_NUMBER)
        except KeyError:
            return False


def _is_whole(made: Path, seal: Path, source: bytes) -> bool:
    try:
        return _seal(source, made.read_bytes()) == seal.read_text()
    except FileNotFoundError:
        return False


def _seal(source: bytes, made: bytes) -> str:
    """What shows that it was made whole, and of this archive."""
    return f"{hashlib.sha256(source).hexdigest()} {hashlib.sha256(made).hexdigest()}\n"


def _compile(archive: Path, to: Path) -> None:
    with zipfile.ZipFile(archive) as found, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as put:
        for entry in found.infolist():
            if entry.filename.endswith(".pyc"):
                continue
            source = found.read(entry)
            put.writestr(entry, source, compresslevel=1)
            if entry.filename.startswith(_PACKAGES) and not entry.filename.startswith(_LEFT):
                put.writestr(f"{entry.filename}c", _compiled(entry.filename, source))


def _compiled(name: str, source: bytes) -> bytes:
    """Never compared with its source (PEP 552), without docstrings."""
    code = compile(source, name, "exec", dont_inherit=True, optimize=2)
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
    return head + importlib.util.source_hash(source) + marshal.dumps(code)
