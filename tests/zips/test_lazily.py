"""Packages that import all they have are made to import what is asked for, and lose no name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from packing import lazily

ROUTERS = """
from pathlib import Path
from heavy.appsync import AppSync as Sync, Event
from heavy.marker import marker
from heavy.plain import Router, VERSION
from json import dumps
__version__ = VERSION
HERE = Path(__file__).parent
"""
USE = """
import sys, heavy
assert heavy.__version__ == "1" and heavy.HERE.name == "heavy" and heavy.dumps(1) == "1"
assert "heavy.appsync" not in sys.modules
assert heavy.Sync is heavy.Sync and heavy.Event.__name__ == "Event"
from heavy import marker, Router
assert callable(marker)
from heavy import other
assert other.__name__ == "heavy.other"
try:
    heavy.absent
except AttributeError as error:
    assert "'heavy' has no attribute 'absent'" in str(error)
else:
    raise AssertionError
"""


def test_names_of_a_lazy_package_are_found_where_they_were(tmp_path: Path) -> None:
    package = tmp_path / "heavy"
    package.mkdir()
    (package / "__init__.py").write_text(lazily.lazy(ROUTERS, "heavy"))
    (package / "appsync.py").write_text("class AppSync: pass\nclass Event: pass\n")
    (package / "marker.py").write_text("def marker(): pass\n")
    (package / "plain.py").write_text("class Router: pass\nVERSION = '1'\n")
    (package / "other.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", USE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
