"""A small good lab folder, and ways to spoil it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from brihaspati.adapters import labfolder

YAML = """\
schema: 1
name: demo
title: A demo
summary: What it is for.
machines:
  - name: box
    setup: setup.sh
steps:
  - file: steps/one.md
    check: one.sh
"""

FILES: dict[str, str] = {
    "lab.yaml": YAML,
    "setup.sh": "#!/bin/bash\necho ready\n",
    "one.sh": "#!/bin/bash\nexit 1\n",
    "steps/one.md": "# First\n\nHello.\n",
}


def make(root: Path, changes: Mapping[str, str | bytes | None] | None = None) -> Path:
    """The folder `demo` below `root`; a change of None leaves a file out."""
    folder = root / "demo"
    for name, content in {**FILES, **(changes or {})}.items():
        if content is None:
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def from_how_to(root: Path) -> Path:
    """The lab that docs/how-to/write-a-lab.md builds, as a folder."""
    page = (Path(__file__).parents[2] / "docs/how-to/write-a-lab.md").read_text()
    blocks = re.findall(
        r"`labs/(greet/[^`]+)`[^\n]*\n+(`{3,4})\w+\n(.*?)^\2\n", page, re.DOTALL | re.MULTILINE
    )
    for name, _, content in blocks:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root / "greet"


def spoil(old: str, new: str) -> dict[str, str]:
    """lab.yaml with one piece replaced."""
    assert YAML.count(old) == 1, old
    return {"lab.yaml": YAML.replace(old, new)}


def problems(folder: Path) -> list[labfolder.Problem]:
    """What is wrong with a folder; files are named from the folder on."""
    with pytest.raises(labfolder.LabProblems) as caught:
        labfolder.read(folder)
    return [
        labfolder.Problem(
            Path(problem.file).relative_to(folder).as_posix(),
            problem.line,
            problem.message,
            problem.fix,
        )
        for problem in caught.value.problems
    ]
