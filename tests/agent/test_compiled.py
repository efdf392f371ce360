"""An archive that another version of Python made is compiled for this one, apart and whole."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from brihaspati.adapters import agentarchive
from brihaspati_agent import compiled

# What whoever stays had to compile has its docstring.
LOAD = """
import sys
sys.path.insert(0, sys.argv[1])
import brihaspati_agent.divided, brihaspati_agent.rented
ours = [m for n, m in sys.modules.items() if n.startswith(("brihaspati_agent", "websockets"))]
print(*(m.__name__ for m in ours if m.__doc__ is not None))
print(brihaspati_agent.rented.__file__)
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """As of a version that is not ours."""
    path = tmp_path / "agent.pyz"
    path.write_bytes(agentarchive.build(compiled=False).data)
    return path


def test_what_every_agent_loads_is_compiled_and_without_docstrings(archive: Path) -> None:
    compiled.keep(archive)
    made = compiled.beside(archive)
    words = [sys.executable, "-IS", "-c", LOAD, str(made)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert said[0] == ""
    assert said[1].startswith(f"{made}/brihaspati_agent/rented.py")


def test_it_is_made_once(archive: Path) -> None:
    compiled.keep(archive)
    before = compiled.beside(archive).stat().st_ino
    compiled.keep(archive)
    assert compiled.beside(archive).stat().st_ino == before


@pytest.mark.parametrize("harm", ["cut short", "of another archive", "unsealed"])
def test_one_that_is_not_whole_or_of_another_archive_is_made_anew(archive: Path, harm: str) -> None:
    compiled.keep(archive)
    made = compiled.beside(archive)
    whole = made.read_bytes()
    if harm == "cut short":
        made.write_bytes(whole[: len(whole) // 2])
    elif harm == "of another archive":
        with zipfile.ZipFile(archive, "a") as more:
            more.writestr("brihaspati_agent/new.py", "")
    else:
        made.with_name(f"{made.name}.sha256").unlink()
    compiled.keep(archive)
    with zipfile.ZipFile(made) as found:
        assert found.testzip() is None
        assert ("brihaspati_agent/new.pyc" in found.namelist()) == (harm == "of another archive")


def test_none_is_made_where_the_archive_is_compiled_for_this_version(archive: Path) -> None:
    compiled.keep(archive)
    archive.write_bytes(agentarchive.build().data)
    compiled.keep(archive)
    assert not compiled.beside(archive).exists()


def test_where_it_cannot_be_kept_there_is_none(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk; here, a folder where the file should be."""
    made = compiled.beside(archive)
    made.with_name(f"{made.name}.new").mkdir()
    compiled.keep(archive)
    assert not made.exists()
    assert "not compiled" in capsys.readouterr().err
