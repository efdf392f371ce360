"""Starting and killing `program.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from sqlite import program

_SOURCES = str(Path(__file__).parents[2] / "src")


class Running:
    """One other process; `lines` collects what it has told so far."""

    def __init__(self, work: str, path: Path, name: str = "-") -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, program.__file__, work, str(path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": _SOURCES},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def until(self, count: int) -> None:
        """Wait until it has told `count` things in all."""
        assert self.process.stdout is not None
        while len(self.lines) < count:
            line = self.process.stdout.readline()
            assert line, f"the process ended with {self.process.wait()}"
            self.lines.append(line.rstrip("\n"))

    def tell(self) -> None:
        """Let it go on."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """SIGKILL, wherever it is; then read what it still had told. An unfinished line counts
        for nothing: a line is told after the thing has happened."""
        if self.process.returncode is None:
            self.process.kill()
            assert self.process.stdout is not None
            rest = self.process.stdout.read()
            self.lines += [line for line in rest.split("\n")[:-1] if line]
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
