"""Others' packages for Lambda: fetched by hash, pruned, byte-compiled by Lambda's Python."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from packing import elf, lazily, lean
from packing.functions import ROOT

LOCK = ROOT / "requirements-lambda.lock"
PYTHON = "3.13"
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
# Lambda's Python brings these itself, newer than we would.
GIVEN = frozenset({"boto3", "botocore", "dateutil", "s3transfer", "six", "urllib3"})
# Parts of packages that nothing of ours imports: the pictures and scripts of an API browser, and
# utilities of Powertools, each for a service we do not use. A test imports every function without.
POWERTOOLS = "aws_lambda_powertools"
# PyNaCl is compiled: of cffi it needs the backend beside, and none of its compiler.
PRUNED = (
    "certifi/tests",
    "cffi",
    "pycparser",
    f"{POWERTOOLS}/event_handler/openapi/swagger_ui",
    *(
        f"{POWERTOOLS}/utilities/{name}"
        for name in (
            "auth_alpha",
            "circuit_breaker",
            "data_masking",
            "feature_flags",
            "idempotency",
            "kafka",
            "parameters",
            "parser",
            "streaming",
            "validation",
        )
    ),
)


class CannotPack(Exception):  # noqa: N818 - said to a person, in one line
    """What is missing on this host, and how to get it."""


@dataclass(frozen=True)
class Wheels:
    """A folder with every package of the lock, for one architecture."""

    folder: Path

    @functools.cached_property
    def _distributions(self) -> dict[str, importlib.metadata.Distribution]:
        found = importlib.metadata.distributions(path=[str(self.folder)])
        return {canonicalize_name(one.metadata["Name"]): one for one in found}

    def of(self, imported: Iterable[str]) -> dict[str, str]:
        """Names and versions of the packages behind imported names, with all they need.

        Raises CannotPack for a name that nobody brings.
        """
        tops = {top: name for name, one in self._distributions.items() for top in _tops(one)}
        left = []
        for name in imported:
            if name in tops:
                left.append(tops[name])
            elif name not in sys.stdlib_module_names | GIVEN:
                raise CannotPack(
                    f"{name} is imported, and neither {LOCK.name} nor Lambda has it: add it to"
                    " the group lambda of pyproject.toml, then `make lock`"
                )
        found: dict[str, str] = {}
        while left:
            name = left.pop()
            if name in found or name not in self._distributions:
                continue
            one = self._distributions[name]
            found[name] = one.version
            needs = (Requirement(text) for text in one.requires or ())
            left += [
                canonicalize_name(need.name)
                for need in needs
                if need.marker is None or need.marker.evaluate({"extra": "", **_MARKERS})
            ]
        return dict(sorted(found.items()))

    def files(self, names: Iterable[str]) -> list[Path]:
        """The files of packages that a function needs, without sources and without metadata."""
        tops = {top for name in names for top in _tops(self._distributions[name])}
        found = []
        for path in sorted(self.folder.rglob("*")):
            inside = path.relative_to(self.folder)
            if path.is_file() and inside.parts[0].partition(".")[0] in tops:
                found.append(path)
        return [path for path in found if path.suffix not in (".py", ".pyi", ".typed", ".pxd")]


_MARKERS = {"python_version": PYTHON, "sys_platform": "linux", "platform_system": "Linux"}


def _tops(one: importlib.metadata.Distribution) -> set[str]:
    """The names under which a package is imported."""
    parts = (Path(str(path)).parts for path in one.files or ())
    firsts = {part[0] for part in parts if len(part) > 1 or part[0].endswith((".py", ".so"))}
    names = {first.partition(".")[0] for first in firsts if not first.endswith(".dist-info")}
    return {name for name in names if name.isidentifier() and name not in ("bin", "__pycache__")}


def runs(architecture: str) -> bool:
    """Whether what is fetched for an architecture of Lambda runs on this machine."""
    return sys.platform == "linux" and platform.machine() == MACHINES[architecture]


def fetch(architecture: str | None, folder: Path, python: str) -> Wheels:
    """The lock's packages in a folder made anew; without architecture those that run here.

    Raises CannotPack.
    """
    shutil.rmtree(folder, ignore_errors=True)
    command = [uv(), "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--python", python, "--python-version", PYTHON]
    command += ["--target", str(folder), "--link-mode", "copy"]
    command += ["--python-platform", PLATFORMS[architecture]] if architecture else []
    done = subprocess.run([*command, "-r", str(LOCK)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotPack(f"the packages of {LOCK.name} cannot be fetched: {done.stderr.strip()}")
    for part in PRUNED:
        shutil.rmtree(folder / part, ignore_errors=True)
    lazily.rewrite(folder)
    lean.rewrite(folder)
    for library in folder.rglob("*.so"):
        library.write_bytes(elf.loaded(library.read_bytes()))
    compile_all(python, folder, beside=True)
    return Wheels(folder)


def uv() -> str:
    """The installer, which knows other machines than this one. Raises CannotPack."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise CannotPack("uv is needed to fetch packages for another machine: `make install-dev`")
    return found


def compile_all(python: str, folder: Path, *, beside: bool) -> None:
    """Byte-compile a folder, as if it lay where Lambda unpacks zips.

    `beside`: x.pyc takes the place of x.py; else sources stay and it goes to __pycache__.
    Unchecked, so that Python looks at no source and no time. Raises CannotPack.
    """
    command = [python, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", "/var/task", *(["-b"] if beside else []), str(folder)]
    # Sets among constants are written in the order of their hashes.
    done = subprocess.run(
        command, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotPack(f"compiling failed: {(done.stdout + done.stderr).strip()}")


def lambda_python(candidates: Iterable[Path] | None = None) -> str:
    """A Python of the version Lambda runs. Raises CannotPack."""
    found = shutil.which(f"python{PYTHON}")
    more = [Path(found)] if found else []
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{PYTHON}.*/bin/python{PYTHON}"))
    for path in [*more, *pyenv] if candidates is None else candidates:
        # A shim of pyenv is there for every version, and fails for those that are not chosen.
        asked = "import sys; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([path, "-c", asked], capture_output=True, text=True, check=False)
        if done.stdout.strip() == PYTHON:
            return str(path)
    raise CannotPack(
        f"python{PYTHON} is needed to compile what Lambda runs, and is not here. Install it:"
        f" `pyenv install {PYTHON}` (pyenv), `uv python install {PYTHON}` (uv), or your system's"
        f" package python{PYTHON}; then run this again"
    )
