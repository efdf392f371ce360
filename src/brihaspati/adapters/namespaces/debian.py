"""Debian images made from Debian's own packages, by mmdebstrap or debootstrap. Needs root."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from brihaspati.adapters.namespaces import kernel, rootfs

SUITES = {"12": "bookworm", "13": "trixie"}
# Changes whenever the result would: images are kept by it.
RECIPE = "1"
_PACKAGES = (
    "ca-certificates", "curl", "git", "iproute2", "less", "nano", "procps", "python3-minimal",
)  # fmt: skip
_MIRROR = "http://deb.debian.org/debian"
_TOOLS = ("mmdebstrap", "debootstrap")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_TAIL_LINES = 6
# How far a run is when a line says so. Measured: a third is fetching, the rest installing.
_MILESTONES = (
    (re.compile(r"running apt-get update|Retrieving InRelease"), 0.02),
    (re.compile(r"downloading packages|Resolving dependencies|Checking component"), 0.05),
    (re.compile(r"extracting archives|Extracting dpkg"), 0.25),
    (re.compile(r"installing essential|Installing core"), 0.35),
    (re.compile(r"installing remaining|Unpacking the base system"), 0.5),
    (re.compile(r"Configuring the base system"), 0.7),
    (re.compile(r"cleaning|Base system installed"), 0.95),
)
_CHATTER = re.compile(r"^(?:I: |Get:\d+ |Unpacking |Setting up |Selecting )")
# What nobody reads in a lab; the same as small container images leave out.
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*")

Run = Callable[[list[str], Callable[[str], None]], tuple[int, list[str]]]


def mirror_of(sources: Iterator[str]) -> str:
    """The mirror this host's apt uses for Debian, from the texts of its sources; or Debian's."""
    for text in sources:
        for found in re.finditer(
            r"^(?:URIs:|deb\s)[^#\n]*?(https?://\S+/debian)/?(?=\s|$)", text, re.MULTILINE
        ):
            return found[1]
    return _MIRROR


def sources() -> Iterator[str]:
    """The texts of this host's apt sources; none where there is no apt."""
    for path in (Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")):
        with contextlib.suppress(OSError):
            yield path.read_text(errors="replace")


def _find_tool() -> str | None:
    found = (shutil.which(tool, path=_PATH) for tool in _TOOLS)
    return next((tool for tool in found if tool), None)


def run(argv: list[str], tell: Callable[[str], None]) -> tuple[int, list[str]]:
    """Run a program to its end, telling each line; its exit code and last lines. Raises OSError."""
    environment = {
        **{k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")},
        "PATH": _PATH, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
    }  # fmt: skip
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    with subprocess.Popen(
        argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", cwd="/",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.strip():
                    tail.append(line.strip())
                    tell(line.strip())
        except BaseException:
            process.terminate()
            raise
    return process.returncode, list(tail)


def make(release: str, made: Path, progress: rootfs.Progress, run: Run = run) -> None:
    """Make the folder `made` a Debian of this release ("12"). Raises ImageProblem, OSError."""
    if os.geteuid() != 0:
        raise rootfs.ImageProblem(
            f"debian:{release} can only be made by root", "use `host`, or run as root once"
        )
    tool = _find_tool() or _install_tool(progress, run)
    suite, mirror = SUITES[release], mirror_of(sources())
    name = f"debian:{release}"
    progress(f"making {name} from the packages of {mirror}", 0.0)
    far = _Far(name, progress)
    if tool.endswith("mmdebstrap"):
        code, tail = run(_mmdebstrap(tool, suite, made, mirror), far.tell)
    else:
        code, tail = run(_debootstrap(tool, suite, made, mirror), far.tell)
    if code != 0:
        raise _failed(name, tail)
    _tidy(made)


class _Far:
    """How far a run is, from what it says."""

    def __init__(self, name: str, progress: rootfs.Progress) -> None:
        self._name = name
        self._progress = progress
        self._at = 0.0

    def tell(self, line: str) -> None:
        for pattern, at in _MILESTONES:
            if pattern.search(line):
                self._at = max(self._at, at)
        if _CHATTER.match(line):
            self._at = min(0.99, self._at + (0.99 - self._at) * 0.002)
            what = line.removeprefix("I: ")[:60]
            self._progress(f"{self._name}: {what}", self._at)


def _mmdebstrap(tool: str, suite: str, made: Path, mirror: str) -> list[str]:
    return [
        tool, "--mode=root", "--variant=apt", "--format=directory", "--verbose",
        f"--include={','.join(_PACKAGES)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        '--aptopt=Apt::Install-Recommends "false"',
        suite, str(made), mirror,
    ]  # fmt: skip


def _debootstrap(tool: str, suite: str, made: Path, mirror: str) -> list[str]:
    keyring = [f"--keyring={_KEYRING}"] if _KEYRING.exists() else []
    return [
        tool, "--variant=minbase", f"--include={','.join(_PACKAGES)}", *keyring,
        suite, str(made), mirror,
    ]  # fmt: skip


def _install_tool(progress: rootfs.Progress, run: Run) -> str:
    apt = shutil.which("apt-get", path=_PATH)
    if apt is not None:
        progress("installing mmdebstrap", None)
        options = ["-y", "-q", "--no-install-recommends"]
        run([apt, "update", "-q"], lambda _: None)  # an old list may still do
        run([apt, "install", *options, "mmdebstrap"], lambda _: None)
    tool = _find_tool()
    if tool is None:
        raise rootfs.ImageProblem(
            "neither mmdebstrap nor debootstrap is on this host", "install mmdebstrap"
        )
    return tool


def _failed(name: str, tail: list[str]) -> rootfs.ImageProblem:
    text = " | ".join(line for line in tail if re.match(r"(?:E: |W: |.*rror)", line)) or " | ".join(
        tail[-2:]
    )
    if "No space left" in text:
        return rootfs.ImageProblem(f"the disk is full: no room for {name}", "make room, try again")
    if re.search(r"NO_PUBKEY|[Kk]eyring|not signed", text):
        fix = "install debian-archive-keyring"
    else:
        fix = "check that this host reaches Debian's mirror (apt-get update), and try again"
    return rootfs.ImageProblem(f"making {name} failed: {text[:500]}", fix)


def _tidy(made: Path) -> None:
    """Leave no copy of packages, no log, and nothing of this host behind."""
    for folder in ("var/cache/apt", "var/lib/apt/lists", "var/log"):
        for root, _, files in os.walk(made / folder):
            for name in files:
                Path(root, name).unlink()
    for name in ("etc/hostname", "etc/resolv.conf", "etc/hosts", "etc/machine-id"):
        path = made / name
        path.unlink(missing_ok=True)
        path.write_text("127.0.0.1\tlocalhost\n" if name == "etc/hosts" else "")


def unmount_below(folder: Path) -> None:
    """Undo what a killed run left mounted in its folder, so that removing it is safe."""
    inside = f"{folder.resolve()}/"
    with contextlib.suppress(OSError):
        rows = Path("/proc/self/mountinfo").read_text().splitlines()
        for row in reversed(rows):
            where = row.split()[4].encode().decode("unicode_escape")
            if where.startswith(inside):
                kernel.umount(where, kernel.MNT_DETACH)
