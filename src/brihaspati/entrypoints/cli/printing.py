"""How commands speak: a table for people, JSON for programs, one line for a fault."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def say(value: Any, *, as_json: bool, text: Callable[[Console], None]) -> None:
    """Print a value as one JSON document, or as `text` prints it for people."""
    if as_json:
        click.echo(json.dumps(value, ensure_ascii=False))
    else:
        text(Console(highlight=False))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A plain table."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column)
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    return drawn


@contextmanager
def progress() -> Iterator[Callable[[str, float | None], None]]:
    """A line that says what takes so long, on standard error, only where somebody sees it."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not _seen()) as shown:
        task = shown.add_task("starting", total=None)

        def report(what: str, share: float | None) -> None:
            total = None if share is None else 1.0
            shown.update(task, description=what, completed=share or 0, total=total)

        yield report


def _seen() -> bool:
    return sys.stderr.isatty()


def ago(moment: int | None, now: int) -> str:
    """How long ago, in the largest unit that says something."""
    if moment is None:
        return "-"
    seconds = max(0, (now - moment) // 1000)
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
