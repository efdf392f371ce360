"""The program of rented machines as one archive: the agent and the packages it needs, as source.

The same sources give the same bytes: names in order, one date, no compiled parts. A machine of any
processor with Python 3.11 or newer runs it as it is. Functions of the cloud mode have no sources,
so packing puts it beside this module.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
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
MAIN = "import sys\nfrom brihaspati_agent.rented import main\nsys.exit(main())\n"
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
def build() -> Archive:
    """The archive from what is installed here. Raises ModuleNotFoundError."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        _add(archive, "__main__.py", MAIN.encode())
        for package in PACKAGES:
            for name, path in _sources(package):
                _add(archive, name, path.read_bytes())
    data = packed.getvalue()
    return Archive(data, hashlib.sha256(data).hexdigest())


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


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.external_attr = _MODE
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)
