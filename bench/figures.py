"""What a bench finds: figures with a unit, a target and, where there is one, something beside it.

A bench is a module with a function that yields figures. `python -m bench.NAME [--json] [--quick]`
runs one, `python -m bench` all of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

Finding = Callable[[bool], Iterator["Figure"]]
WIDTH = 180
COLUMNS = ("bench", "figure", "value", "unit", "target", "beside", "met")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `target` is the most it may be, or the least with `at_least`.

    `beside` says in words what was measured in the same run, or elsewhere before, and `ratio` is
    the value over that.
    """

    bench: str
    figure: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    beside: str = ""
    ratio: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target

    def to_json(self) -> str:
        """One line."""
        return json.dumps({**asdict(self), "met": self.met})


def from_json(line: str) -> Figure | None:
    """The figure `to_json` wrote; None for any other line."""
    try:
        said = json.loads(line)
        said.pop("met")
        return Figure(**said)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def middle(values: Sequence[float]) -> float:
    """The median; 0 of nothing."""
    return quantile(values, 0.5)


def quantile(values: Sequence[float], share: float) -> float:
    """The value that a share (0 to 1) of them does not exceed; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def table(found: Iterable[Figure]) -> Table:
    """All figures for people, benches apart."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in COLUMNS:
        drawn.add_column(column, justify="right" if column in ("value", "target") else "left")
    before = ""
    for one in found:
        if before and one.bench != before:
            drawn.add_section()
        drawn.add_row("" if one.bench == before else one.bench, *_cells(one))
        before = one.bench
    return drawn


def shown(found: Iterable[Figure]) -> None:
    """Print the table, as wide as it must be where no terminal says how wide it may be."""
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=WIDTH)
    console.print(table(found))


def _cells(one: Figure) -> tuple[str, ...]:
    target = "" if one.target is None else f"{'>=' if one.at_least else '<='} {one.target:g}"
    times = f"{one.ratio:.3g} x " if one.ratio is not None else ""
    met = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[one.met]
    return one.figure, f"{one.value:g}", one.unit, target, times + one.beside, met


def main(name: str, find: Finding) -> None:
    """The command line of one bench."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{name}")
    parser.add_argument("--json", action="store_true", help="one JSON object per figure")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, a rough answer")
    arguments = parser.parse_args()
    found = []
    for one in find(arguments.quick):
        found.append(one)
        if arguments.json:
            sys.stdout.write(one.to_json() + "\n")
            sys.stdout.flush()
    if not arguments.json:
        shown(found)
