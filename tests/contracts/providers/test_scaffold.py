"""A sandbox that bwrap is still building cannot be entered yet."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from brihaspati.adapters.bubblewrap import visits
from brihaspati_agent import places

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bwrap on this host")


@pytest.fixture
def half_built() -> Iterator[int]:
    """The first process of a sandbox whose building waits for a file that never comes."""
    (wanted, never), (told, tells) = os.pipe(), os.pipe()
    command = [
        "bwrap",
        "--die-with-parent",
        "--unshare-all",
        "--unshare-user",
        "--ro-bind",
        "/usr",
        "/usr",
    ]
    command += ["--proc", "/proc", "--file", str(wanted), "/late", "--info-fd", str(tells)]
    building = subprocess.Popen(
        [*command, "--", "/usr/bin/true"], pass_fds=(wanted, tells), stderr=subprocess.DEVNULL
    )
    os.close(tells)
    os.close(wanted)
    with os.fdopen(told) as answer:
        yield json.load(answer)["child-pid"]
    building.kill()
    building.wait()
    os.close(never)


def test_what_is_written_into_an_unfinished_sandbox_is_refused_not_lost(half_built: int) -> None:
    job = {"op": "write", "pid": half_built, "path": "/inside/file", "mode": 0o600}
    with visits.Visit({**job, "environment": {}}) as visit, pytest.raises(places.NoSuchMachine):
        visit.descriptor()
