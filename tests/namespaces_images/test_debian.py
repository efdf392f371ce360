"""Debian images come from Debian's packages, with progress, or a reason why not."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from brihaspati.adapters.namespaces import debian, images, rootfs

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="Debian images are made by root")
has_tool = pytest.mark.skipif(
    not any(shutil.which(t, path="/usr/sbin:/usr/bin") for t in ("mmdebstrap", "debootstrap")),
    reason="neither mmdebstrap nor debootstrap is installed",
)


def _reachable() -> bool:
    host = debian.mirror_of(debian.sources()).split("/")[2]
    try:
        socket.create_connection((host, 80), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("texts", "mirror"),
    [
        (["Types: deb\nURIs: http://mirror.example/debian\nSuites: x"],
         "http://mirror.example/debian"),
        (["deb [signed-by=/k] https://a.example/debian/ x main"], "https://a.example/debian"),
        (["# deb http://no.example/debian x", "URIs: http://b.example/debian-security"],
         "http://deb.debian.org/debian"),
        ([], "http://deb.debian.org/debian"),
    ],
)  # fmt: skip
def test_the_mirror_is_the_one_the_host_uses(texts: list[str], mirror: str) -> None:
    assert debian.mirror_of(iter(texts)) == mirror


class Tool:
    """Stands for the program: says lines, makes a small root, ends with a code."""

    def __init__(self, lines: list[str], code: int = 0) -> None:
        self.lines = lines
        self.code = code
        self.argv: list[str] = []

    def __call__(self, argv: list[str], tell: Callable[[str], None]) -> tuple[int, list[str]]:
        self.argv = argv
        for line in self.lines:
            tell(line)
        made = Path(argv[-2])
        for name in ("etc", "bin", "var/log", "var/cache/apt"):
            (made / name).mkdir(parents=True)
        (made / "bin/sh").write_text("")
        (made / "etc/hostname").write_text("the-hosts-name")
        (made / "var/log/dpkg.log").write_text("long")
        return self.code, self.lines[-3:]


@pytest.mark.root
@needs_root
@has_tool
def test_progress_grows_with_what_the_tool_says(tmp_path: Path) -> None:
    lines = [
        "I: running apt-get update...",
        "I: extracting archives...",
        "I: downloading packages with apt...",
        *(f"Setting up x{n} (1) ..." for n in range(50)),
        "I: cleaning package lists and apt cache...",
    ]
    told: list[float] = []
    debian.make("12", tmp_path / "made", lambda _, share: told.append(share or 0), Tool(lines))
    assert told == sorted(told)
    assert len(set(told)) > 50
    assert 0.9 < told[-1] < 1


@pytest.mark.root
@needs_root
@has_tool
def test_logs_and_names_of_the_host_are_left_out(tmp_path: Path) -> None:
    debian.make("12", tmp_path / "made", lambda *_: None, Tool([]))
    assert (tmp_path / "made/etc/hostname").read_text() == ""
    assert not (tmp_path / "made/var/log/dpkg.log").exists()


@pytest.mark.root
@needs_root
@has_tool
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("E: apt-get update failed: Could not resolve 'x'", "reaches Debian's mirror"),
        ("W: GPG error: NO_PUBKEY 0E98404D386FA1D9", "install debian-archive-keyring"),
        ("E: write failed: No space left on device", "make room"),
    ],
)
def test_a_failure_says_what_to_do(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(rootfs.ImageProblem, match=words):
        debian.make("12", tmp_path / "made", lambda *_: None, Tool([line], 25))


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.timeout(400)
@needs_root
@has_tool
def test_debian_12_is_made_for_real_and_has_what_labs_need(tmp_path: Path) -> None:
    if not _reachable():
        pytest.skip("Debian's mirror is not reachable from here")
    told: list[float | None] = []
    shelf = images.Images(tmp_path)
    path = shelf.ready("debian:12", lambda _, share: told.append(share)).path
    shares = [share for share in told if share is not None]
    assert shares == sorted(shares)
    assert (path / "etc/debian_version").read_text().startswith("12.")
    for program in ("bash", "curl", "git", "ip", "less", "nano", "ps", "python3"):
        asked = ["chroot", str(path), "sh", "-c", f"command -v {program}"]
        assert subprocess.run(asked, check=False, stdout=subprocess.PIPE).returncode == 0, program
    assert (path / "etc/resolv.conf").read_text() == ""
    assert not [row for row in Path("/proc/self/mounts").read_text().split() if str(path) in row]
    assert images.Images(tmp_path).ready("debian:12", lambda *_: None).path == path
