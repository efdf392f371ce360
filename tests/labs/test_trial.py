"""`brihaspati lab test`, run as an author runs it: over our own labs, and over spoilt ones."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from bench import procfs

from commanding import run_in
from labfolder import folders

LABS = Path(__file__).parents[2] / "labs"
NAMES = ("attack", "hello", "web")
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root on Linux"),
]


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """A copy of a lab that a test may spoil."""
    return Path(shutil.copytree(LABS / "hello", tmp_path / "labs/hello"))


def tried(folder: Path, tmp_path: Path) -> tuple[int, dict[str, Any], str]:
    """Exit status, the report of the one lab, and what was said on the way."""
    done = run_in(tmp_path / "data", "lab", "test", "--json", str(folder))
    (report,) = json.loads(done.stdout)["labs"]
    return done.returncode, report, done.stderr


def spoil(path: Path, old: str, new: str) -> None:
    """Replace one piece of a file."""
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def processes_of(folder: Path) -> list[str]:
    """The commands of processes that name a folder."""
    found = (command.replace("\0", " ") for _, command in procfs.texts("cmdline"))
    return [command for command in found if str(folder) in command]


def test_our_own_labs_pass_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    folders = [str(LABS / name) for name in NAMES]
    done = run_in(tmp_path / "data", "lab", "test", *folders)
    assert done.returncode == 0, done.stdout
    for name in NAMES:
        assert name in done.stdout
    assert "3 labs" in done.stdout
    assert "all passed" in done.stdout
    assert "07-passwords  ok" in done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []
    assert processes_of(tmp_path / "tmp") == []
    assert not (tmp_path / "data").exists()


def test_the_lab_of_the_how_to_passes(tmp_path: Path) -> None:
    status, report, _ = tried(folders.from_how_to(tmp_path), tmp_path)
    assert status == 0, report
    assert [step["questions"] for step in report["steps"]] == [1]


def test_images_that_a_server_has_made_are_used_again(tmp_path: Path) -> None:
    images = tmp_path / "data/images"
    images.mkdir(parents=True)
    done = run_in(tmp_path / "data", "lab", "test", str(LABS / "hello"))
    assert done.returncode == 0, done.stdout
    assert [path for path in images.iterdir() if not path.name.startswith(".")]


def test_a_check_that_passes_too_early_fails_the_lab_and_names_the_step(
    hello: Path, tmp_path: Path
) -> None:
    (hello / "checks/03.sh").write_text("#!/bin/bash\necho Well done.\n")
    status, report, said = tried(hello, tmp_path)
    assert status == 1
    assert [step["id"] for step in report["steps"] if step["faults"]] == ["03-pipes"]
    (fault,) = report["steps"][2]["faults"]
    assert "passes before the step is done: Well done." in fault
    assert "03-pipes  FAILED" in said
    assert len(report["steps"]) == 7  # the others are tried all the same


def test_a_solution_that_does_not_do_it_fails_the_lab(hello: Path, tmp_path: Path) -> None:
    (hello / "solve/01.sh").write_text("true\n")
    status, report, _ = tried(hello, tmp_path)
    assert status == 1
    (fault,) = report["steps"][0]["faults"]
    assert "fails after the solution: Nobody has signed" in fault


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("no-such-program", "ends with 127, which is neither 0 nor 1"),
        ("exit 1", "says nothing to the student"),
        ("sleep 60", "was not done after 1 s"),
    ],
)
def test_a_check_that_is_broken_is_not_taken_for_one_that_fails(
    hello: Path, tmp_path: Path, script: str, fault: str
) -> None:
    (hello / "checks/01.sh").write_text(f"{script}\n")
    spoil(hello / "lab.yaml", "visitors' book, watch: true", "visitors' book, seconds_max: 1")
    status, report, _ = tried(hello, tmp_path)
    assert status == 1
    assert fault in " ".join(report["steps"][0]["faults"])


def test_checks_without_a_solution_and_a_solution_that_ends_badly_are_faults(
    hello: Path, tmp_path: Path
) -> None:
    spoil(hello / "lab.yaml", "    solve: solve/01.sh\n", "")
    (hello / "solve/02.sh").write_text("echo orbit >>/root/words.txt; echo oh no; exit 3\n")
    _, report, _ = tried(hello, tmp_path)
    assert "no solution" in " ".join(report["steps"][0]["faults"])
    assert report["steps"][1]["faults"] == ["the solution ends with 3: oh no"]


def test_a_terminal_that_does_not_open_is_a_fault(hello: Path, tmp_path: Path) -> None:
    spoil(
        hello / "lab.yaml",
        "{name: main, machine: lab}",
        "{name: main, machine: lab, command: [/no/such/program]}",
    )
    status, report, _ = tried(hello, tmp_path)
    assert status == 1
    assert "the terminal main does not open" in " ".join(report["faults"])


def test_a_lab_that_does_not_start_fails_with_its_reason(hello: Path, tmp_path: Path) -> None:
    (hello / "setup.sh").write_text("echo the shelf is empty >&2; exit 4\n")
    status, report, _ = tried(hello, tmp_path)
    assert status == 1
    assert "the shelf is empty" in " ".join(report["faults"])
    assert report["steps"] == []


def test_a_folder_with_faults_fails_and_the_others_are_tried(hello: Path, tmp_path: Path) -> None:
    bad = shutil.copytree(hello, tmp_path / "labs/bad")
    done = run_in(tmp_path / "data", "lab", "test", str(bad), str(hello))
    assert done.returncode == 1
    assert "bad/lab.yaml:2: The name is hello, the folder is bad." in done.stdout
    assert "07-your-own-command  ok" in done.stderr
    assert "failed: bad" in done.stdout
