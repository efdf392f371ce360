"""What may lie in a lab folder, and what is refused before it is opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labfolder import folders

STEP = "steps/one.md"


@pytest.mark.parametrize("target", ["../outside.md", "/etc/passwd"])
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "outside.md").write_text("# Secret\n")
    folder = folders.make(tmp_path, {STEP: None, "steps/two.md": "# Two\n"})
    (folder / STEP).symlink_to(Path("..") / target if target.startswith("..") else target)
    (found,) = folders.problems(folder)
    assert (found.file, found.line) == ("lab.yaml", 9)
    assert "leads out of the lab folder" in found.message
    assert "copy" in found.fix


def test_a_folder_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/one.md").write_text("# Secret\n")
    folder = folders.make(tmp_path, {STEP: None})
    (folder / "steps").symlink_to("../outside")
    (found,) = folders.problems(folder)
    assert "leads out of the lab folder" in found.message


@pytest.mark.parametrize("target", ["/etc/passwd", "/etc", "present"])
def test_links_among_placed_files_are_refused(tmp_path: Path, target: str) -> None:
    changes = {**folders.spoil("setup: setup.sh", "files: files"), "files/present": "x"}
    folder = folders.make(tmp_path, changes)
    (folder / "files/link").symlink_to(target)
    (found,) = folders.problems(folder)
    assert (found.file, found.line) == ("files/link", 1)
    assert "symbolic link" in found.message
    assert "ln -s" in found.fix


def test_a_pipe_is_refused_and_never_opened(tmp_path: Path) -> None:
    changes = {**folders.spoil("setup: setup.sh", "files: files"), "files/a": "x", "one.sh": None}
    folder = folders.make(tmp_path, changes)
    os.mkfifo(folder / "files/pipe")
    os.mkfifo(folder / "one.sh")
    found = folders.problems(folder)
    assert [(problem.file, problem.message) for problem in found] == [
        ("files/pipe", "This is not a regular file."),
        ("lab.yaml", "one.sh is not a regular file."),
    ]


def test_too_many_placed_files_are_one_problem(tmp_path: Path) -> None:
    folder = folders.make(tmp_path, folders.spoil("setup: setup.sh", "files: files"))
    (folder / "files").mkdir()
    for number in range(1001):
        (folder / f"files/{number}").touch()
    (found,) = folders.problems(folder)
    assert (found.file, found.line) == ("lab.yaml", 7)
    assert "more than 1000 files" in found.message


def test_a_name_no_page_could_show_is_refused(tmp_path: Path) -> None:
    changes = {**folders.spoil("setup: setup.sh", "files: files"), "files/a": "x"}
    folder = folders.make(tmp_path, changes)
    (folder / "files" / os.fsdecode(b"bad\xff\n")).write_text("x")
    (found,) = folders.problems(folder)
    assert "no usable name" in found.message
    assert "Rename" in found.fix
