"""The command line as a test runs it: a process of its own over a data folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]


def run_in(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """One command over a data folder; `more` are settings, in lower case without BRIHASPATI_."""
    given = {f"BRIHASPATI_{name.upper()}": text for name, text in more.items()}
    return subprocess.run(
        [sys.executable, "-m", "brihaspati", *arguments],
        env={**os.environ, "BRIHASPATI_DATA": str(folder), **given},
        capture_output=True,
        text=True,
        timeout=180,  # for what hangs; a busy machine starts Python slowly
        check=False,
    )
