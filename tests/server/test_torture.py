"""A class under a server that is killed again and again: a short run of `make torture`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bench.torture import witness
from bench.torture.host import Host

from brihaspati.domain import scrubs
from namespaces import rigs

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_nothing_is_left_of_a_class_whose_server_is_killed_again_and_again() -> None:
    command = [sys.executable, "-m", "bench.torture", "--seconds", "15", "--students", "10"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=420, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 promises broken, 0 left behind" in done.stdout
    counted = dict(_counts(done.stdout))
    assert min(counted[deed] for deed in ("kills", "plays", "stops", "machines made")) > 0


def _counts(text: str) -> list[tuple[str, int]]:
    return [(what, int(count)) for count, what in re.findall(r"^ *(\d+) (.+)$", text, re.MULTILINE)]


def test_two_sandboxes_of_a_student_and_a_lab_are_noticed() -> None:
    slots = {"one": ("asha", "hello"), "two": ("asha", "hello"), "three": ("asha", "web")}
    assert not witness.doubled({"bh-t-one-a1-lab", "bh-t-one-a2-lab", "bh-t-three-a1-lab"}, slots)
    assert witness.doubled({"bh-t-one-a1-lab", "bh-t-two-a1-lab"}, slots) == {("asha", "hello")}


def test_a_machine_without_a_proof_of_its_end_is_noticed() -> None:
    end = scrubs.End("bh-t-one-a1-lab", None, None, 1, "")
    proof = scrubs.Entry(1, "one", "demo", "hello", "asha", 0, end, 0, scrubs.FIRST)
    assert witness.unproven({"bh-t-one-a1-lab"}, [proof]) == []
    assert witness.unproven({"bh-t-two-a1-lab"}, [proof]) == ["no proof of bh-t-two-a1-lab"]


def test_a_forgotten_file_and_a_forgotten_process_are_noticed(tmp_path: Path) -> None:
    host = Host(tmp_path, "t")
    assert (list(host.left().files), host.processes()) == ([], [])
    (tmp_path / "disks").mkdir()
    (tmp_path / "disks" / "a.img").touch()
    assert set(host.left().files) == {"disks/a.img"}
    with subprocess.Popen(["tail", "-f", tmp_path / "disks" / "a.img"]) as one:
        try:
            rigs.until(lambda: host.processes() == [one.pid])
        finally:
            one.kill()
