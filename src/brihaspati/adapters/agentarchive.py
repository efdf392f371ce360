"""The program of rented machines as one archive: the agent and the packages it needs, as source.

The same sources give the same bytes: names in order, one date, nothing for one processor. A machine
with Python 3.11 or newer runs it as it is; one with the version that made the archive finds
compiled what every agent loads, and is there sooner. Functions of the cloud mode have no sources,
so packing puts it beside this module.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import io
import marshal
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# The agent, what its terminals need, and what its previews load when one is opened.
PACKAGES = (
    "brihaspati_agent",
    "websockets",
    "aiohappyeyeballs",
    "aiohttp",
    "aiosignal",
    "attr",
    "frozenlist",
    "idna",
    "multidict",
    "propcache",
    "typing_extensions",
    "yarl",
)
# What every agent loads.
COMPILED = ("brihaspati_agent", "websockets")
# Other ways to use WebSockets than ours, which are a third of that package.
LEFT_OUT = ("websockets/asyncio/", "websockets/legacy/", "websockets/trio/")
# A module that loads `importlib.metadata`, and zip files and tables with it, to say one number.
VERSION = "websockets/version.py"
MAIN = "import sys\nfrom brihaspati_agent.divided import main\nsys.exit(main(sys.argv[1:]))\n"
PACKED = Path(__file__).with_name("agent.pyz")
_DATE = (2020, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16


@dataclass(frozen=True, slots=True)
class Archive:
    """Its bytes, and their SHA-256 in hexadecimal."""

    data: bytes
    sha256: str


def found(packed: Path = PACKED) -> Archive:
    """The archive that was packed with us, else one built. Raises ModuleNotFoundError."""
    if not packed.exists():
        return build()
    data = packed.read_bytes()
    return Archive(data, hashlib.sha256(data).hexdigest())


@functools.cache
def build(*, compiled: bool = True) -> Archive:
    """The archive from what is installed here. Raises ModuleNotFoundError.

    Without what is `compiled` for this version of Python it is a third smaller.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        _add(archive, "__main__.py", MAIN.encode())
        for package in PACKAGES:
            for name, path in _sources(package):
                if name.startswith(LEFT_OUT):
                    continue
                source = path.read_bytes() if name != VERSION else _version()
                _add(archive, name, source)
                if compiled and package in COMPILED:
                    _add(archive, f"{name}c", _compiled(name, source))
    data = packed.getvalue()
    return Archive(data, hashlib.sha256(data).hexdigest())


def _version() -> bytes:
    return f'tag = version = commit = "{importlib.metadata.version("websockets")}"\n'.encode()


def _sources(package: str) -> Iterator[tuple[str, Path]]:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed", name=package)
    if found.submodule_search_locations is None:  # one file
        yield f"{package}.py", Path(found.origin)
        return
    folder = Path(found.origin).parent
    for path in sorted(folder.rglob("*.py")):
        yield f"{package}/{path.relative_to(folder).as_posix()}", path


def _compiled(name: str, source: bytes) -> bytes:
    """A `.pyc` that is never compared with its source (PEP 552).

    In version 2 of the format, which, unlike later ones, does not depend on how often something is
    referred to at the moment. Imports by another version of Python pass over it.
    """
    code = compile(source, name, "exec", dont_inherit=True, optimize=2)  # no docstrings in memory
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
    return head + importlib.util.source_hash(source) + marshal.dumps(code, 2)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.external_attr = _MODE
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)
