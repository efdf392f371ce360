"""The clouds' own clients find a cloud in the stand-in, and leave behind what they leave there.

The counts are why the product has a client of its own: a create that was sent twice is paid twice.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from brihaspati_cloudsim import agenda, server
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.world import World

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-clouds/bin/python"
PYDO = {
    "500 after": [2, "ok"],
    "502 after": [1, "raises"],
    "503 after": [2, "ok"],
    "504 after": [2, "ok"],
    "503 after, Retry-After": [2, "ok"],
    "dropped after": [1, "raises"],
    "hangs, then dropped": [1, "raises"],
    "429, Retry-After": [1, "ok"],
}
LINODE_WITHOUT_A_LABEL = {
    "500 after": [1, "raises"],
    "502 after": [2, "ok"],
    "503 after": [1, "raises"],
    "504 after": [1, "raises"],
    "503 after, Retry-After": [2, "ok"],
    "dropped after": [2, "ok"],
    "hangs, then dropped": [2, "ok"],
    "429, Retry-After": [1, "ok"],
}
LINODE_WITH_A_LABEL = {
    "500 after": [1, "raises"],
    "502 after": [1, "unique"],
    "503 after": [1, "raises"],
    "504 after": [1, "raises"],
    "503 after, Retry-After": [1, "unique"],
    "dropped after": [1, "unique"],
    "hangs, then dropped": [1, "unique"],
    "429, Retry-After": [1, "ok"],
}


@pytest.fixture
def root() -> Iterator[str]:
    if not PYTHON.exists():
        pytest.skip("the clouds' own clients are not installed: scripts/cloud-sdks")
    world = World(agenda.real_clock(), lags=Lags.none())
    world.add_usual_tokens()
    for account in world.accounts.values():
        for token in account.tokens.values():
            # Their limits are proved elsewhere; here they would only take time.
            for window in ("create", "minute"):
                if hasattr(token.rates, window):
                    getattr(token.rates, window).limit = 1_000
    with server.serving(world) as address:
        yield address.root


def _program(name: str, root: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PYTHON, "-m", f"cloud_sdks.{name}", root],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _seen(program: subprocess.Popen[str]) -> dict[str, Any]:
    out, complaints = program.communicate(timeout=100)
    assert program.returncode == 0, complaints
    seen: dict[str, Any] = json.loads(out.splitlines()[-1])
    return seen


def _part(seen: dict[str, Any], part: str) -> dict[str, Any]:
    prefix = f"{part}: "
    return {name.removeprefix(prefix): seen[name] for name in seen if name.startswith(prefix)}


def test_pydo_and_linode_api4_do_here_what_they_do_there(
    root: str, record_property: Callable[[str, object], None]
) -> None:
    programs = [_program("asks_pydo", root), _program("asks_linode", root)]
    droplets, linodes = map(_seen, programs)
    assert {name: droplets[name] for name in PYDO} == PYDO
    assert droplets["create"] is True
    assert droplets["list"] == [1, "first"]
    assert droplets["get"] == "s-1vcpu-1gb"
    assert droplets["action"] == "snapshot"
    assert droplets["firewall"] == ["sdk"]
    assert droplets["images"] == "s"
    assert droplets["missing"] == "not_found"
    assert _part(linodes, "without a label") == LINODE_WITHOUT_A_LABEL
    assert _part(linodes, "with a label") == LINODE_WITH_A_LABEL
    assert linodes["create"] == "first"
    assert linodes["list"] == ["first"]
    assert linodes["get"] == "g6-standard-1"
    assert linodes["disks"] == ["ext4", "swap"]
    assert linodes["firewall"] == [True]
    assert (linodes["shutdown"], linodes["delete"]) == (True, True)
    record_property(
        "proved",
        "pydo and linode_api4: made, listed, read and deleted machines and firewalls, and sent a"
        f" create twice in {sum(_twice(seen) for seen in (droplets, linodes))} of 24 faults",
    )


def _twice(seen: dict[str, Any]) -> int:
    """In how many faults a client left two machines."""
    return sum(isinstance(found, list) and found[:1] == [2] for found in seen.values())
