"""Build every function's zip."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brihaspati.adapters import agentarchive
from packing import archive, prepared, wheels
from packing.functions import HANDLERS, ROOT, SOURCES, Function, functions

BYTES_MAX = 6 * 1024 * 1024
BUILT = ROOT / "build" / "lambda"
LISTED = "packages.txt"
PREPARED = Path(f"{prepared.NAME}.py")


@dataclass(frozen=True, slots=True)
class Package:
    """A zip as built: what of others is in it, and how large it is, packed and unpacked."""

    function: Function
    path: Path
    packages: Mapping[str, str]
    size: int
    unpacked: int


def build(
    architecture: str, *, folder: Path = BUILT, handlers: Mapping[str, str] | None = None
) -> list[Package]:
    """The zips of all functions under folder/architecture. Raises CannotPack, NoFunctions."""
    found = functions(handlers)
    python = wheels.lambda_python()
    with tempfile.TemporaryDirectory(prefix="brihaspati-") as aside:
        others = wheels.fetch(architecture, Path(aside) / "others", python)
        here = (
            others
            if wheels.runs(architecture)
            else wheels.fetch(None, Path(aside) / "here", python)
        )
        ours = Path(aside) / "ours"
        _copy(found, ours)
        # Modules of handlers want settings when they are imported; they have no dataclasses.
        names = {name for one in found for name in one.ours if not name.startswith(f"{HANDLERS}.")}
        (ours / PREPARED).write_text(prepared.source(python, ours, here, names))
        wheels.compile_all(python, ours, beside=False)
        return [_pack(one, ours, others, folder / architecture) for one in found]


def _copy(found: list[Function], folder: Path) -> None:
    for source in sorted({path for one in found for path in one.files()}):
        target = folder / source.relative_to(SOURCES)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _pack(function: Function, ours: Path, others: wheels.Wheels, folder: Path) -> Package:
    packages = others.of(function.others)
    files: dict[str, bytes] = {}
    for path in others.files(packages):
        files[str(path.relative_to(others.folder))] = path.read_bytes()
    for inside in [source.relative_to(SOURCES) for source in function.files()] + [PREPARED]:
        files[str(inside)] = (ours / inside).read_bytes()
        if inside.suffix == ".py":
            cached = inside.parent / "__pycache__" / f"{inside.stem}.cpython-313.pyc"
            files[str(cached)] = (ours / cached).read_bytes()
    if agentarchive.__name__ in function.ours:
        inside = agentarchive.PACKED.relative_to(SOURCES)
        files[str(inside)] = agentarchive.build(compiled=False).data
    listed = "".join(f"{name}=={version}\n" for name, version in packages.items())
    files[LISTED] = listed.encode()
    path = folder / f"{function.name}.zip"
    archive.write(path, files)
    unpacked = sum(map(len, files.values()))
    return Package(function, path, packages, path.stat().st_size, unpacked)
