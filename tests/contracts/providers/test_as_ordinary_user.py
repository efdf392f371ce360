"""Root cannot hold bubblewrap to its contract, so root runs the suite as somebody else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati.adapters.bubblewrap import provider
from brihaspati.domain import labs

# Nobody's: no account, no files, no processes of anyone else.
_USER = 54321
_TESTS = Path(__file__).parents[2]


def _run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    packages = sysconfig.get_path("purelib")
    paths = [str(_TESTS.parent / "src"), str(_TESTS), packages]
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        cwd=_TESTS.parent,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(folder),
            "TMPDIR": str(folder),
        },
        user=_USER,
        group=_USER,
        extra_groups=[],
    )


def _python(folder: Path) -> str:
    """A Python that this user may run, with our packages."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin")):
        try:
            if python and _run([python, "-c", "import docker, pytest"], folder).returncode == 0:
                return python
        except PermissionError:
            continue
    pytest.skip("no Python here that an ordinary user may run with our packages")


@pytest.mark.root
def test_bubblewrap_keeps_the_contract_as_an_ordinary_user() -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: the suite itself covers bubblewrap")
    if shutil.which("bwrap") is None:
        pytest.skip("needs bwrap on this host")
    folder = Path(f"/tmp/brihaspati-as-{_USER}-{os.getpid()}")
    folder.mkdir(mode=0o700)
    os.chown(folder, _USER, _USER)
    try:
        words = [_python(folder), "-m", "pytest", str(Path(__file__).parent), "-k", "bubblewrap]"]
        words += ["-rs", "-p", "no:cacheprovider", f"--basetemp={folder}/tests"]
        done = _run(words, folder)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        assert "namespaces" not in done.stdout
        assert _passed(done.stdout) >= 40, done.stdout[-3000:]
    finally:
        shutil.rmtree(folder)


def _passed(said: str) -> int:
    """How many dots the quiet report has."""
    return sum(line.split(" [")[0].count(".") for line in said.splitlines() if "%]" in line)


@pytest.mark.root
def test_bubblewrap_refuses_to_work_for_root(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    refusing = provider.Bubblewrap(tmp_path, "contract")
    order = ports.MachineOrder("bh-contract-s-a1-main", "s", labs.MachineSpec("main"))
    assert "root" in (refusing.unavailable() or "")
    with pytest.raises(ports.CreateRefused, match="no wall") as refused:
        refusing.create(order)
    assert refused.value.kind == "host"
