"""The page about losing no machine says what the code does: bounds, faults, breaks and scenes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from brihaspati.domain import lifecycle, strays, upkeep
from brihaspati.simulation import mutants, promises, vices
from brihaspati.simulation.cloud import SECOND
from brihaspati.simulation.process import BOUNDS

PAGE = Path("docs/explanation/never-lose.md").read_text()


def _named(heading: str) -> list[str]:
    """What a part of the page has in backquotes, down to the next heading, but commands."""
    _, _, after = PAGE.partition(f"\n### {heading}\n")
    part = re.split(r"^#", after, maxsplit=1, flags=re.MULTILINE)[0]
    return [name for name in re.findall(r"`([^`]+)`", part) if "brihaspati" not in name]


def test_the_page_names_every_fault_once() -> None:
    assert sorted(_named("The faults it tries")) == sorted(vices.VICES)


def test_the_page_names_every_break_once() -> None:
    assert sorted(_named("Deliberate breaks")) == sorted(m.name for m in mutants.MUTANTS)


def test_the_page_leads_to_every_scene() -> None:
    linked = re.findall(r"tests/simulation/stories/([a-z-]+\.txt)\)", PAGE)
    there = [path.name for path in Path("tests/simulation/stories").iterdir()]
    assert sorted(linked) == sorted(there)


@pytest.mark.parametrize(
    ("what", "bound"),
    [
        ("a machine outlives", f"{promises.LATE_SWEEPS_MAX} sweeps:"),
        ("a start that", f"{promises.LATE_SWEEPS_MAX} sweeps:"),
        ("clocks of our processes", f"{promises.SKEW_MS_MAX // SECOND} s "),
        (
            "a look-up that finds nothing",
            f"{lifecycle.LOOKUPS_MAX} times, {BOUNDS.lookup_grace_ms // SECOND} s apart",
        ),
        ("a machine that cannot be verified", f"{lifecycle.DELETE_RETRY_MS_MAX // SECOND} s"),
        ("a machine with our mark", f"{strays.YOUNG_MS // SECOND} s"),
        ("unfinished work", f"{upkeep.RETRY_MS // SECOND} s,"),
        ("the scrub record and", f"{promises.CENT_MICROS // 10_000} cent,"),
    ],
)
def test_the_page_states_the_bounds_of_the_code(what: str, bound: str) -> None:
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| {what}")]
    assert row.split("|")[2].strip().startswith(bound.strip()), row
