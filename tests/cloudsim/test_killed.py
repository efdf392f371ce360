"""A stand-in that is killed takes its machines with it, and the next one removes their disks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from brihaspati_cloudsim.machines.pool import Pool, missing
from cloudsim_rental import holds

pytestmark = [pytest.mark.root, pytest.mark.slow]
PROGRAM = """
import sys
from brihaspati_cloudsim import running
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.agenda import real_clock
from brihaspati_cloudsim.world import World

world = World(real_clock(), lags=Lags.none(), networks={"digitalocean": "127.44", "linode": "x"})
with running.bodies(world, "light") as pool:
    world.add_stranger("digitalocean", "one")
    world.settle()
    pool.settled()
    print(pool.folder, flush=True)
    sys.stdin.read()
"""


def _until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_stand_in_leaves_no_process_and_the_next_one_no_disk() -> None:
    if why := missing():
        pytest.skip(why)
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": "src"},
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    folder = Path(program.stdout.readline().strip())

    def lives() -> bool:
        return any(holds(path, str(folder)) for path in Path("/proc").glob("[0-9]*/mountinfo"))

    _until(lives)
    program.kill()
    program.wait()
    _until(lambda: not lives())
    assert folder.exists()
    Pool().close()
    assert not folder.exists()
