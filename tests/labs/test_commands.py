"""`brihaspati lab new`, `validate` and `preview`, as the author of a lab meets them."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from brihaspati import wiring
from brihaspati.adapters import labfolder
from brihaspati.entrypoints.cli import lab_preview
from brihaspati.entrypoints.cli import main as command_line
from commanding import run_in

LABS = Path(__file__).parents[2] / "labs"
LINE_SECONDS_MAX = 90
needs_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="labs on namespaces need root on Linux"
)


def brihaspati(*arguments: str) -> int:
    return command_line.main(wiring.open_shop, ["lab", *arguments])


# --- new -----------------------------------------------------------------------------------------
def test_a_new_lab_has_every_part_of_the_format_and_no_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert brihaspati("new", "tea-time", "--in", str(tmp_path)) == 0
    assert f"brihaspati lab preview {tmp_path}/tea-time" in capsys.readouterr().out
    lab = labfolder.read(tmp_path / "tea-time")
    assert (lab.name, lab.title) == ("tea-time", "Tea time")
    assert all(step.checks and step.solve and step.hints for step in lab.steps)
    assert {question.kind for step in lab.steps for question in step.quiz} == {"one", "text"}
    assert any(check.watch for step in lab.steps for check in step.checks)
    shown = "".join(step.html for step in lab.steps)
    for mark in ("data-run", "data-type", "data-file", "data-callout"):
        assert mark in shown


@needs_root
@pytest.mark.root
def test_a_new_lab_passes_its_test(tmp_path: Path) -> None:
    assert brihaspati("new", "tea", "--in", str(tmp_path)) == 0
    done = run_in(tmp_path / "data", "lab", "test", str(tmp_path / "tea"))
    assert done.returncode == 0, done.stdout
    assert "3 checks" not in done.stdout
    assert "2 checks" in done.stdout


@pytest.mark.parametrize("name", ["Tea", "tea--time", "../tea", "9tea", "t" * 33, ""])
def test_a_name_that_cannot_be_one_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert brihaspati("new", name, "--in", str(tmp_path)) == 2
    assert "is no name for a lab" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_not_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tea").mkdir()
    assert brihaspati("new", "tea", "--in", str(tmp_path)) == 2
    assert "is there already" in capsys.readouterr().err
    assert list((tmp_path / "tea").iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert brihaspati("new", "tea", "--in", str(tmp_path / "file")) == 2
    assert "cannot be written" in capsys.readouterr().err


# --- validate ------------------------------------------------------------------------------------
def test_good_labs_are_counted_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert brihaspati("validate", str(LABS / "hello"), str(LABS / "web")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [str(LABS / "hello"), str(LABS / "web")]
    assert "1 machine, 7 steps, 11 checks" in lines[0]


def test_every_fault_of_every_folder_is_said_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = shutil.copytree(LABS / "hello", tmp_path / "hello")
    text = (bad / "lab.yaml").read_text().replace("motif: shell", "motif: planet")
    (bad / "lab.yaml").write_text(text.replace("right: true", "rihgt: true", 1))
    assert brihaspati("validate", str(bad), str(LABS / "web"), str(tmp_path)) == 2
    out = capsys.readouterr().out
    assert f"{bad}/lab.yaml:12: `motif` is planet, which it cannot be. Write one of shell" in out
    assert "Did you mean `right`?" in out
    assert f"{LABS}/web: 1 machine" in out
    assert f"{tmp_path}/lab.yaml:1: The folder has no lab.yaml." in out


def test_programs_get_the_faults_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert brihaspati("validate", "--json", str(tmp_path / "nowhere")) == 2
    (found,) = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    (fault,) = found["faults"]
    assert (fault["file"], fault["line"]) == (f"{tmp_path}/nowhere/lab.yaml", 1)
    assert fault["fix"].startswith("Write one")


def test_a_folder_that_is_not_there_is_not_tested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert brihaspati("test", str(tmp_path / "hollo")) == 2
    said = capsys.readouterr()
    assert "hollo is no folder; name folders that hold a lab.yaml" in said.err
    assert said.out == ""


def test_a_command_without_a_folder_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert brihaspati("validate") == 2
    assert "FOLDER" in capsys.readouterr().err


# --- preview -------------------------------------------------------------------------------------
class Preview:
    """A preview in a process of its own, and what it says, line by line."""

    def __init__(self, folder: Path, temporary: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "brihaspati", "lab", "preview", str(folder)],
            env={**os.environ, "TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def until(self, wanted: str) -> str:
        """The next line with these words in it."""
        while wanted not in (line := self.lines.get(timeout=LINE_SECONDS_MAX)):
            pass
        return line

    def end(self, number: int) -> int:
        """Tell it to end; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(LINE_SECONDS_MAX)


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[Preview]:
    shutil.copytree(LABS / "hello", tmp_path / "hello")
    (tmp_path / "tmp").mkdir()
    made = Preview(tmp_path / "hello", tmp_path / "tmp")
    yield made
    made.process.kill()
    made.process.wait()


def lab_of(address: str, code: str, name: str) -> dict[str, str]:
    """The one lab of the class page that a student of this name sees who joins."""
    body = json.dumps({"code": code, "name": name}).encode()
    head = {"Content-Type": "application/json"}
    joining = urllib.request.Request(f"{address}/v1/join", body, head)
    with urllib.request.urlopen(joining) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    asking = urllib.request.Request(f"{address}/v1/classes/demo", headers={"Cookie": cookie})
    with urllib.request.urlopen(asking) as answer:
        (lab,) = json.loads(answer.read())["labs"]
    found: dict[str, str] = lab
    return found


@needs_root
@pytest.mark.root
def test_a_preview_follows_what_is_written_and_leaves_nothing(
    preview: Preview, tmp_path: Path
) -> None:
    yaml = tmp_path / "hello/lab.yaml"
    good = yaml.read_text()
    address, _, code = preview.until("/join/").rpartition(":  ")[2].partition("/join/")
    assert lab_of(address, code, "Asha")["title"] == "Find your way in the shell"

    yaml.write_text(good.replace("title: Find your way in the shell", "title: The observatory"))
    preview.until("changed: lab.yaml")
    preview.until("Published.")
    assert lab_of(address, code, "Ravi")["title"] == "The observatory"

    yaml.write_text(good.replace("title: Find", "titel: Find"))
    assert f"{yaml}:3: `titel` is not known. Did you mean `title`?" in preview.until("titel")
    preview.until("The version before this stays")
    assert lab_of(address, code, "Meera")["title"] == "The observatory"

    (tmp_path / "hello/notes.txt").write_text("not part of the lab\n")
    yaml.write_text(good.replace("title: Find your way in the shell", "title: The observatory"))
    preview.until("The lab is the same as before.")

    assert preview.end(signal.SIGINT) == 0
    preview.until("its labs are deleted")
    assert list((tmp_path / "tmp").iterdir()) == []


@needs_root
@pytest.mark.root
def test_a_preview_told_to_end_by_the_system_clears_up_too(
    preview: Preview, tmp_path: Path
) -> None:
    preview.until("/join/")
    assert list((tmp_path / "tmp").iterdir()) != []
    assert preview.end(signal.SIGTERM) == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_folder_with_faults_is_not_previewed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert brihaspati("preview", str(tmp_path)) == 2
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "no lab.yaml" in capsys.readouterr().out


def test_new_gone_and_written_files_are_changes(tmp_path: Path) -> None:
    for name in ("kept", "written", "gone"):
        (tmp_path / name).write_text(name)
    before = lab_preview.stamps(tmp_path)
    (tmp_path / "gone").unlink()
    (tmp_path / "written").write_text("other words")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/new").write_text("")
    after = lab_preview.stamps(tmp_path)
    assert lab_preview.changed(before, after) == ["folder/new", "gone", "written"]
    assert lab_preview.changed(after, after) == []
