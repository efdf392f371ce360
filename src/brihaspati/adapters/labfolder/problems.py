"""What is wrong with a lab folder, in words its author can act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault: where (`line` counts from 1), what it is, and what to do about it."""

    file: str
    line: int
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} {self.fix}"


class LabProblems(Exception):  # noqa: N818 - the plural is the point: all of them at once
    """The folder is not a lab yet. `problems` has every fault found, sorted by file and line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Report:
    """Collects the problems of one folder. Paths are shown as the reader was given them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []

    def add(self, file: str, line: int, message: str, fix: str) -> None:
        """Note a fault in `file` (relative to the folder)."""
        problem = Problem(str(self.folder / file), line, message, fix)
        if problem not in self.problems:
            self.problems.append(problem)

    def raise_if_any(self) -> None:
        """Raise LabProblems when anything was noted."""
        if self.problems:
            raise LabProblems(self.problems)
