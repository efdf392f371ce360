"""Each contract on imports is alive: one offending line in a copy of the sources breaks it."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from tidy import tracked

# Contract, file to write in the copy, the offending line.
OFFENCES = [
    ("rooms", "brihaspati/domain/offender.py", "from brihaspati import ports"),
    ("rooms", "brihaspati/adapters/offender.py", "from brihaspati import engine"),
    ("rooms", "brihaspati/engine/offender.py", "from brihaspati import adapters"),
    ("rooms", "brihaspati/engine/offender.py", "from brihaspati import entrypoints"),
    ("rooms", "brihaspati/entrypoints/offender.py", "from brihaspati import wiring"),
    ("rooms", "brihaspati/attic.py", '"""A room nobody listed."""'),
    ("pure-domain", "brihaspati/domain/offender.py", "import time"),
    ("pure-domain", "brihaspati/domain/offender.py", "from os import environ"),
    ("one-settings-reader", "brihaspati/engine/offender.py", "from brihaspati import settings"),
    ("one-settings-reader", "brihaspati/adapters/offender.py", "from brihaspati import settings"),
    (
        "independent-adapters",
        "brihaspati/adapters/offender.py",
        "from brihaspati.adapters import zz",
    ),
    (
        "independent-clouds",
        "brihaspati/adapters/rented/digitalocean/offender.py",
        "from brihaspati.adapters.rented import linode",
    ),
    ("agent-alone", "brihaspati_agent/offender.py", "from brihaspati import ports"),
    ("cloudsim-alone", "brihaspati_cloudsim/offender.py", "from brihaspati import ports"),
    ("cloudsim-alone", "brihaspati_cloudsim/offender.py", "import brihaspati_agent"),
    (
        "clouds-are-clouds",
        "brihaspati/adapters/offender.py",
        "from brihaspati_cloudsim import world",
    ),
]


@pytest.fixture
def house(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the sources and of the contracts that may be broken."""
    nothing_built = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(tracked.ROOT / "src", tmp_path / "src", ignore=nothing_built)
    shutil.copy(tracked.ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _lint(house: pathlib.Path, contract: str | None = None) -> subprocess.CompletedProcess[str]:
    only = ["--contract", contract] if contract else []
    program = pathlib.Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache", *only],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house / "src"), "COLUMNS": "200"},
        text=True,
        capture_output=True,
        check=False,
    )


def test_every_contract_is_kept_and_has_an_offence_here(house: pathlib.Path) -> None:
    result = _lint(house)
    assert result.returncode == 0, result.stdout
    assert f"Contracts: {len({name for name, _, _ in OFFENCES})} kept, 0 broken" in result.stdout


@pytest.mark.parametrize(("contract", "path", "line"), OFFENCES)
def test_an_offending_import_breaks_its_contract(
    house: pathlib.Path, contract: str, path: str, line: str
) -> None:
    (house / "src/brihaspati/adapters/zz.py").write_text("")
    assert _lint(house, contract).returncode == 0
    (house / "src" / path).write_text(f"{line}\n")
    result = _lint(house, contract)
    assert result.returncode == 1
    assert "0 kept, 1 broken" in result.stdout, result.stdout
