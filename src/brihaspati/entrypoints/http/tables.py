"""The board as a table for a spreadsheet: every lab, every step, everybody."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.labs import Lab
from brihaspati.engine.boards import Board, Row
from brihaspati.entrypoints.http.routes import call

# A spreadsheet would take a cell that begins so for a formula.
FORMULAS = (*"=+-@\t\r", *"\uff1d\uff0b\uff0d\uff20")  # the last four are wide ones
STATES = {".": "", "o": "seen", "x": "failing", "p": "passed", "s": "solved"}
# Without it some spreadsheets take UTF-8 for something else.
MARK = "\ufeff"


def table(board: Board, room: Classroom) -> str:
    """The board as CSV, with a header."""
    labs = [call().engine.classes.lab(name, version) for name, version in room.labs]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(list(map(_cell, _header(labs))))
    writer.writerows(list(map(_cell, _line(row, labs))) for row in board.students)
    return MARK + text.getvalue()


def _header(labs: list[Lab]) -> Iterator[str]:
    yield from ("name", "email", "joined_at", "needs", "cost")
    for lab in labs:
        yield from (f"{lab.name}: lab", f"{lab.name}: passed of {len(lab.steps)}")
        for number, step in enumerate(lab.steps, 1):
            yield f"{lab.name}: {number} {step.title}"


def _line(row: Row, labs: list[Lab]) -> Iterator[str]:
    seat = row.person.seat
    yield row.person.name
    yield row.person.email or ""
    yield _moment(seat.joined_at) if seat is not None else ""
    yield row.need.kind if row.need is not None else ""
    yield _money(sum(lab.micros for lab in row.labs.values()))
    for lab in labs:
        own = row.labs.get(lab.name)
        marks = own.marks if own is not None else ""
        yield (own.phase or "") if own is not None else ""
        yield str(sum(mark in "ps" for mark in marks)) if own is not None else ""
        yield from (STATES[mark] for mark in marks.ljust(len(lab.steps), "."))


def _moment(at: int) -> str:
    """As spreadsheets read it, in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _money(micros: int) -> str:
    return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULAS) else text
