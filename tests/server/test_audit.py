"""The scrub record on the command line: taken away, checked, and tampered with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brihaspati import wiring
from brihaspati.domain.scrubs import End
from brihaspati.engine import demo
from commanding import run_in
from lifetimes import in_phase


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder in which three machines of two sandboxes have ended."""
    with wiring.open_shop({"BRIHASPATI_DATA": str(tmp_path)}).engine() as engine:
        demo.ensure(engine.classes, [], "namespaces", pool=0, seats=5)
        for number in range(3):
            end = End(f"label-{number}", f"m{number}", 1000, 2000 + number, "seen gone")
            engine.scrubbing.ended(in_phase("ready"), end)
    return tmp_path


def exported(folder: Path) -> list[str]:
    done = run_in(folder, "audit", "export")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def verified(folder: Path, lines: list[str], *more: str) -> tuple[int, str]:
    file = folder / "record.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines))
    done = run_in(folder, "audit", "verify", str(file), *more)
    return done.returncode, done.stdout + done.stderr


def test_an_exported_record_holds_and_so_does_the_stored_one(folder: Path) -> None:
    lines = exported(folder)
    assert len(lines) == 4
    status, said = verified(folder, lines)
    assert (status, "1 sandboxes, 3 machines: every chain holds" in said) == (0, True)
    stored = run_in(folder, "audit", "verify", "--json")
    assert json.loads(stored.stdout)["seal"] == json.loads(lines[-1])["seal"]


def test_a_changed_cost_is_found(folder: Path) -> None:
    lines = exported(folder)
    lines[1] = lines[1].replace('"m1"', '"m7"')
    assert verified(folder, lines)[0] == 1


def test_what_no_digest_covers_is_no_entry(folder: Path) -> None:
    lines = exported(folder)
    lines[1] = lines[1].replace('"lab":', '"note": "all well", "lab":')
    status, said = verified(folder, lines)
    assert (status, "line 2 of" in said) == (2, True)


def test_a_line_nested_too_deeply_is_no_entry(folder: Path) -> None:
    status, said = verified(folder, ["[" * 200_000])
    assert (status, said.count("\n"), "line 1 of" in said) == (2, 1, True)


def test_a_removed_entry_is_found(folder: Path) -> None:
    lines = exported(folder)
    status, said = verified(folder, [lines[0], *lines[2:]])
    assert (status, "is missing" in said) == (1, True)


def test_a_record_cut_off_at_its_end_is_found(folder: Path) -> None:
    lines = exported(folder)
    status, said = verified(folder, lines[:-1])
    assert (status, "cut off" in said) == (1, True)
    seal = json.loads(lines[-1])["seal"]
    assert verified(folder, lines, "--seal", seal)[0] == 0
    assert verified(folder, lines, "--seal", "0" * 64)[0] == 1


def test_a_file_that_is_no_record_is_refused_by_its_line(folder: Path) -> None:
    status, said = verified(folder, ["{}"])
    assert (status, "line 1 of" in said) == (2, True)
