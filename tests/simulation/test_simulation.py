"""The simulation itself: repeatable, noticing, and able to make what it found small."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from brihaspati import wiring
from brihaspati.entrypoints.cli import main as command_line
from brihaspati.simulation import history, mutants, shrinking
from brihaspati.simulation.simulator import Simulator, chosen
from brihaspati.simulation.vices import VICES

FEW = 6


def test_a_seed_is_the_same_history_again() -> None:
    first, again = (history.live(7, students=FEW) for _ in range(2))
    assert first == again
    assert first.steps > 100


# Seeds that broke a promise once. Their worlds have changed with the code; they keep it still.
@pytest.mark.parametrize(
    ("seed", "students"),
    [(26, 20), (753913189, 20), (910541, 20), (911336, 20), (914129, 20), (914834, 20),
     (21000676, 35)],
)  # fmt: skip
def test_a_world_that_broke_a_promise_once_keeps_it(seed: int, students: int) -> None:
    assert history.live(seed, students=students).broken == ()


def test_another_seed_is_another_history() -> None:
    assert history.live(7, students=FEW).steps != history.live(8, students=FEW).steps


def test_a_process_of_its_own_lives_the_same_history() -> None:
    [elsewhere] = Simulator().histories(7, 1, FEW, "memory", ())
    assert elsewhere == history.live(7, students=FEW)


def test_without_vices_nothing_strikes_and_machines_are_used_and_paid_to_the_end() -> None:
    calm = history.live(3, students=FEW, only=frozenset())
    assert (calm.broken, sum(calm.struck.values()), calm.deaths) == ((), 0, 0)
    assert calm.ready >= FEW


def test_every_vice_strikes_in_some_world() -> None:
    seen: set[str] = set()
    for seed in range(60):
        seen |= set(history.live(seed, students=FEW).struck)
    # Those that are there for the whole of a world strike without being counted one by one.
    whole = {"list lags", "strangers' machines", "deletes fail for an hour", "index stale",
             "clock skew", "sweeper sleeps"}  # fmt: skip
    assert set(VICES) - seen - whole == set()


def test_the_same_promises_hold_on_sqlite() -> None:
    lived = list(Simulator().histories(1, 4, FEW, "sqlite", ()))
    assert [one.broken for one in lived] == [()] * 4


@pytest.mark.parametrize("broken", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_what_a_break_breaks_is_there_and_is_whole_again_afterwards(broken: mutants.Mutant) -> None:
    before = broken.owner.__dict__[broken.attribute]
    with broken():
        assert broken.owner.__dict__[broken.attribute] is not before
    assert broken.owner.__dict__[broken.attribute] is before


@pytest.mark.parametrize("name", ["no sweep", "deletes are trusted", "no fence on attempts"])
def test_a_break_is_noticed(name: str) -> None:
    [broken] = [m for m in mutants.MUTANTS if m.name == name]
    with broken():
        assert any(history.live(seed).broken for seed in range(1, 12))
    assert history.live(1).broken == ()


def test_a_failing_seed_is_made_small_and_says_how_to_live_it_again() -> None:
    [broken] = [m for m in mutants.MUTANTS if m.name == "no sweep"]
    with broken():
        small = shrinking.shrink(7, FEW)
        assert small is not None
        assert small.students < FEW
        assert len(small.vices) < len(VICES) / 3
        assert f"--first 7 --seeds 1 --students {small.students}" in small.command
        assert any("BROKEN" in line for line in small.trace)
        only = frozenset(small.vices)
        assert history.live(7, students=small.students, only=only).broken[0] == small.broken


def test_a_seed_that_keeps_its_promises_is_not_made_small() -> None:
    assert shrinking.shrink(1, FEW) is None


def test_a_world_is_made_small_with_the_vices_it_was_lived_with() -> None:
    [broken] = [m for m in mutants.MUTANTS if m.name == "no sweep"]
    with broken():
        vices = [vice for vice in VICES if vice != "message lost"]
        lines = Simulator().shrunk(7, FEW, "sqlite", vices)
    assert set(re.findall('--vice "(.+?)"', lines[-1])) <= set(vices)
    assert lines[-1].endswith(" --store sqlite")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--cloud", "--mutants"], "--cloud and --mutants"),
        (["--mutants", "--trace"], "--mutants and --trace"),
        (["--mutants", "--store", "sqlite"], "--store"),
        (["--mutants", "--vice", "sold out"], "--vice"),
        (["--cloud", "--vice", "sold out"], "--vice"),
        (["--cloud", "--seeds", "3"], "--seeds"),
        (["--trace", "--json"], "--json"),
        (["--vice", "rain"], "--vice 'rain'"),
        (["--students", "201"], "--students"),
    ],
)
def test_what_would_be_ignored_is_refused_in_one_line_before_anything_is_lived(
    given: list[str], named: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(wiring.open_shop, ["simulate", *given]) == 2
    said = capfd.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert named in said.err


def test_workers_end_and_tidy_up_when_whoever_asked_is_killed(tmp_path: Path) -> None:
    given = ["simulate", "--seeds", "100000", "--students", "200", "--store", "sqlite"]
    asking = subprocess.Popen(
        [sys.executable, "-m", "brihaspati", *given],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
    )
    try:
        _until(lambda: any(tmp_path.glob("brihaspati-*/brihaspati.db")))
    finally:
        asking.kill()
        asking.wait()
    _until(lambda: not _with_folder(tmp_path))
    assert list(tmp_path.glob("brihaspati-*")) == []


def _until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _with_folder(folder: Path) -> list[str]:
    """The processes whose temporary folder this is."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"TMPDIR={folder}\0".encode() in (process / "environ").read_bytes():
                found.append(process.name)
    return found


def test_a_vice_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'rain' is none of"):
        chosen(["rain"])
