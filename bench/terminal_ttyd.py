"""ttyd to compare with: the one on PATH, else Debian's newest, unpacked beside the benches.

Debian's stable releases have no ttyd. The newest package is fetched with apt-get from the mirror
that this machine already uses, with the libraries it needs, and unpacked: nothing is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_HERE = Path(__file__).parents[1] / "build" / "bench" / "ttyd"
_SECONDS_MAX = 120


def command(*, fetch: bool) -> list[str] | None:
    """How to start ttyd; None where it is not to be had."""
    found = shutil.which("ttyd")
    if found:
        return [found]
    if not _loader() and fetch:
        try:
            _fetch()
        except (OSError, subprocess.SubprocessError, LookupError):
            return None
    loader = _loader()
    if loader is None:
        return None
    # Its library looks for a part of itself where it was installed, or in the working directory.
    folder = loader.parent
    start = f'cd "{folder}" && exec "{loader}" --library-path . "{_HERE}/root/usr/bin/ttyd" "$@"'
    return ["/bin/sh", "-c", start, "ttyd"]


def _loader() -> Path | None:
    """The dynamic loader that belongs to the unpacked libraries."""
    if not (_HERE / "root/usr/bin/ttyd").exists():
        return None
    return next(iter(_HERE.glob("root/usr/lib/*-linux-gnu/ld-linux*.so.*")), None)


def _fetch() -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise LookupError("no apt-get here")
    shutil.rmtree(_HERE, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial", "root"):
        (_HERE / folder).mkdir(parents=True)
    (_HERE / "status").touch()
    (_HERE / "sources").write_text(f"deb {_mirror()} sid main\n")
    _apt("update")
    _apt("install", "--yes", "--download-only", "--no-install-recommends", "ttyd")
    for package in (_HERE / "cache/archives").glob("*.deb"):
        _run(["dpkg-deb", "--extract", str(package), str(_HERE / "root")])
    shutil.rmtree(_HERE / "lists")
    shutil.rmtree(_HERE / "cache")


def _mirror() -> str:
    said = _run(["apt-get", "indextargets", "--format", "$(SITE)"])
    mirrors = [line for line in said.split() if re.search(r"/debian/?$", line)]
    if not mirrors:
        raise LookupError("no Debian mirror in use")
    return mirrors[0]


def _apt(*arguments: str) -> None:
    """apt-get with lists, cache and installed packages of its own: none of the system's."""
    options = {
        "Dir::Etc::sourcelist": _HERE / "sources",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": _HERE / "lists",
        "Dir::State::status": _HERE / "status",
        "Dir::Cache": _HERE / "cache",
        "Debug::NoLocking": "1",
    }
    _run(["apt-get", *(f"-o{key}={value}" for key, value in options.items()), *arguments])


def _run(arguments: Sequence[str]) -> str:
    done = subprocess.run(
        arguments,
        check=True,
        capture_output=True,
        text=True,
        timeout=_SECONDS_MAX,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
    )
    return done.stdout
