"""Modules are found in one file as they would be in folders."""

from __future__ import annotations

import importlib.util
import py_compile
import subprocess
import sys
from pathlib import Path

from packing import onefile

USE = """
import sys
sys.path.insert(0, sys.argv[1])
import brihaspati_modules
brihaspati_modules.install()
import kept, kept.inside, json, traceback
assert kept.NAME == "kept" and kept.__path__ == [sys.argv[1] + "/kept"], kept.__path__
assert kept.__file__ == sys.argv[1] + "/kept/__init__.pyc" and kept.__spec__.has_location
assert kept.inside.__package__ == "kept" and kept.inside.__file__ == sys.argv[1] + "/kept/inside.py"
from importlib import resources
assert resources.files("kept").joinpath("data.txt").read_text() == "data"
import kept.beside
assert kept.beside.NAME == "kept.beside"
try:
    import kept.absent
except ModuleNotFoundError as error:
    assert error.name == "kept.absent"
else:
    raise AssertionError
try:
    kept.inside.fails()
except ValueError:
    assert 'raise ValueError("here")' in traceback.format_exc(), traceback.format_exc()
"""
SOURCES = {
    "kept/__init__.py": "NAME = __name__\n",
    "kept/inside.py": 'def fails():\n    raise ValueError("here")\n',
}


def _folder(folder: Path) -> Path:
    """One file of two modules, the source of one, and a module and data that are in files."""
    compiled = {}
    for name, text in SOURCES.items():
        source = folder / name
        source.parent.mkdir(exist_ok=True)
        source.write_text(text)
        made = py_compile.compile(str(source), cfile=str(folder / "made"), doraise=True)
        assert made is not None
        compiled[name] = Path(made).read_bytes()
    (folder / "kept/__init__.py").unlink()
    compiled["kept/__init__.pyc"] = compiled.pop("kept/__init__.py")
    (folder / "kept/beside.py").write_text("NAME = __name__\n")
    (folder / "kept/data.txt").write_text("data")
    (folder / onefile.NAME).write_bytes(onefile.SOURCE.read_bytes())
    (folder / onefile.FILE).write_bytes(onefile.write(compiled))
    return folder


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", "-B", "-c", USE, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_modules_of_one_file_are_as_those_of_folders(tmp_path: Path) -> None:
    done = _run(_folder(tmp_path))
    assert done.returncode == 0, done.stderr


def test_what_another_python_compiled_is_refused_in_words(tmp_path: Path) -> None:
    path = _folder(tmp_path) / onefile.FILE
    path.write_bytes(b"\x00\x00\r\n" + path.read_bytes()[4:])
    assert "ImportError: the zip is packed for another Python than 3" in _run(tmp_path).stderr


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    magic, modules = onefile.read((_folder(tmp_path) / onefile.FILE).read_bytes())
    assert magic == importlib.util.MAGIC_NUMBER
    assert {name: package for name, (_, _, package, _) in modules.items()} == {
        "kept": True,
        "kept.inside": False,
    }
