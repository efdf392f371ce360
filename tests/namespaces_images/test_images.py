"""Images are made once and whole, whoever asks, dies or runs out of disk meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from brihaspati.adapters.namespaces import images, kernel
from namespaces_images import distribution
from namespaces_images.distribution import Registry, entry, layer

IMAGE = layer(("bin/sh", os.urandom(100_000)))
PROGRAM = Path(__file__).with_name("program.py")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts and owners need root")


@pytest.fixture
def registry() -> Iterator[Registry]:
    with distribution.serving() as running:
        yield running


class Asker:
    """A process that asks for an image."""

    def __init__(self, folder: Path, image: str) -> None:
        path = os.pathsep.join(sys.path)
        argv = [sys.executable, str(PROGRAM), str(folder), image]
        self.process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
        )

    def until(self, start: str) -> str:
        """The next line that begins so; fails when the process ends before."""
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if line.startswith(start):
                return line.strip()
        raise AssertionError(f"no line {start!r} in {seen}")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def asking() -> Iterator[list[Asker]]:
    """Processes put here end with the test."""
    started: list[Asker] = []
    yield started
    for asker in started:
        asker.end()


def ready(folder: Path, image: str) -> images.Rootfs:
    return images.Images(folder).ready(image, lambda *_: None)


def visible(folder: Path) -> list[str]:
    """All but locks."""
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith(".lock-"))


def test_an_image_cut_off_by_a_kill_is_never_used_and_is_gone_at_the_next_start(
    registry: Registry, asking: list[Asker], tmp_path: Path
) -> None:
    registry.push("a", "1", IMAGE)
    registry.held[distribution.sha(IMAGE)] = hold = threading.Event()
    asking.append(Asker(tmp_path, f"{registry.host}/a:1"))
    asking[0].until("fetching layer 1 of 1")
    asking[0].end()
    hold.set()
    assert [name[:7] for name in visible(tmp_path)] == [".draft-"]
    images.Images(tmp_path)
    assert visible(tmp_path) == []
    assert (ready(tmp_path, f"{registry.host}/a:1").path / "bin/sh").stat().st_size == 100_000


def test_two_processes_that_ask_at_once_fetch_once(
    registry: Registry, asking: list[Asker], tmp_path: Path
) -> None:
    registry.push("a", "1", IMAGE)
    registry.held[distribution.sha(IMAGE)] = hold = threading.Event()
    asking.append(Asker(tmp_path, f"{registry.host}/a:1"))
    asking[0].until("fetching layer 1 of 1")
    asking.append(Asker(tmp_path, f"{registry.host}/a:1"))
    asking[1].until("waiting: another process is making this image")
    hold.set()
    assert asking[0].until("path: ") == asking[1].until("path: ")
    fetched = [path for path, _ in registry.asked if distribution.sha(IMAGE) in path]
    assert len(fetched) == 1


def test_starting_does_not_disturb_who_is_making_an_image(
    registry: Registry, asking: list[Asker], tmp_path: Path
) -> None:
    registry.push("a", "1", IMAGE)
    registry.held[distribution.sha(IMAGE)] = hold = threading.Event()
    asking.append(Asker(tmp_path, f"{registry.host}/a:1"))
    asking[0].until("fetching layer 1 of 1")
    images.Images(tmp_path)
    hold.set()
    asking[0].until("path: ")


def test_who_waited_for_one_that_was_killed_makes_the_image_itself(
    registry: Registry, asking: list[Asker], tmp_path: Path
) -> None:
    registry.push("a", "1", IMAGE)
    registry.held[distribution.sha(IMAGE)] = hold = threading.Event()
    asking.append(Asker(tmp_path, f"{registry.host}/a:1"))
    asking[0].until("fetching layer 1 of 1")
    asking.append(Asker(tmp_path, f"{registry.host}/a:1"))
    asking[1].until("waiting: another process is making this image")
    asking[0].end()
    hold.set()
    asking[1].until("path: ")
    assert not [name for name in visible(tmp_path) if name.startswith(".draft-")]


@pytest.mark.root
@needs_root
def test_a_full_disk_is_told_and_leaves_no_half_image(registry: Registry, tmp_path: Path) -> None:
    registry.push("a", "1", layer(("bin/sh", os.urandom(3 << 20))))
    small = tmp_path / "small"
    small.mkdir()
    kernel.mount("tmpfs", str(small), "tmpfs", 0, "size=2m")
    try:
        with pytest.raises(images.ImageProblem, match="the disk is full"):
            ready(small, f"{registry.host}/a:1")
        assert visible(small) == []
    finally:
        kernel.umount(str(small))


def test_only_we_may_look_into_the_folder_of_images(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir(mode=0o755)
    images.Images(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.root
@needs_root
def test_host_is_the_hosts_programs_without_its_secrets(tmp_path: Path) -> None:
    found = ready(tmp_path, "host")
    assert found.usr == Path("/usr")
    assert (found.path / "etc/passwd").is_file()
    assert not list((found.path / "usr").iterdir())
    assert "$" not in (found.path / "etc/shadow").read_text()
    assert list((found.path / "root").glob(".ssh")) == []


@pytest.mark.root
@needs_root
def test_host_is_kept_while_the_host_stays_the_same_and_mended_when_it_was_spoilt(
    tmp_path: Path,
) -> None:
    first = ready(tmp_path, "host").path
    inode = first.stat().st_ino
    assert ready(tmp_path, "host").path.stat().st_ino == inode
    whole = (first / "etc/passwd").read_bytes()
    (first / "etc/passwd").write_bytes(b"")
    assert (ready(tmp_path, "host").path / "etc/passwd").read_bytes() == whole
    assert visible(tmp_path) == [first.name]


def _a_root(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/sh").write_text("#!shell")
    return folder


def test_a_given_folder_is_used_where_it_is(tmp_path: Path) -> None:
    given = _a_root(tmp_path / "given")
    assert ready(tmp_path / "images", f"rootfs:{given}") == images.Rootfs(given)


def test_a_given_archive_is_unpacked_once_for_each_state_of_it(tmp_path: Path) -> None:
    archive = tmp_path / "root.tar"
    archive.write_bytes(layer(("bin/sh", b"1"), compress=False))
    one = ready(tmp_path / "images", f"rootfs:{archive}")
    assert ready(tmp_path / "images", f"rootfs:{archive}") == one
    archive.write_bytes(layer(("bin/sh", b"other"), entry("x", tarfile.DIRTYPE)))
    other = ready(tmp_path / "images", f"rootfs:{archive}")
    assert other != one
    assert (other.path / "bin/sh").read_bytes() == b"other"


@pytest.mark.parametrize("image", ["rootfs:/", "rootfs:/.", "rootfs:{tmp}", "rootfs:{tmp}/link"])
def test_the_hosts_own_root_and_our_data_are_never_an_image(tmp_path: Path, image: str) -> None:
    _a_root(tmp_path / "x")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(images.ImageProblem, match="host's own files"):
        ready(tmp_path / "images", image.format(tmp=tmp_path))


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("rootfs:relative", "not absolute"),
        ("rootfs:/nowhere/at/all", "is not there"),
        ("rootfs:/dev/null", "no folder"),
        ("rootfs:/etc", "has no /bin/sh"),
        ("oci:relative", "not absolute"),
        ("oci:/nowhere", "no OCI layout"),
        ("debian:11", "use debian:12, debian:13"),
    ],
)
def test_what_cannot_be_an_image_is_said_so(tmp_path: Path, image: str, words: str) -> None:
    with pytest.raises(images.ImageProblem, match=words) as problem:
        ready(tmp_path, image)
    assert problem.value.kind == "image"


def test_an_image_without_a_shell_is_refused(registry: Registry, tmp_path: Path) -> None:
    registry.push("a", "1", layer(("only", b"1")))
    with pytest.raises(images.ImageProblem, match="has no /bin/sh"):
        ready(tmp_path, f"{registry.host}/a:1")


def test_an_image_removed_by_hand_is_made_again(registry: Registry, tmp_path: Path) -> None:
    registry.push("a", "1", IMAGE)
    shelf = images.Images(tmp_path)
    path = shelf.ready(f"{registry.host}/a:1", lambda *_: None).path
    path.rename(tmp_path / "elsewhere")
    assert shelf.ready(f"{registry.host}/a:1", lambda *_: None).path == path
    assert path.is_dir()
