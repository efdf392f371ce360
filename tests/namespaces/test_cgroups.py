"""Control groups, both versions, on folders that look like them; and forking into a real one."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from brihaspati.adapters.namespaces import cgroups, kernel

_LIMITS = cgroups.Limits(memory_mb=64, cpus=0.5, pids=40)
_HYBRID = """\
30 29 0:26 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw,nsdelegate
33 30 0:30 / {v1}/memory rw shared:14 - cgroup cgroup rw,memory
34 30 0:31 / {v1}/cpu,cpuacct rw shared:15 - cgroup cgroup rw,cpu,cpuacct
35 30 0:32 / {v1}/pids rw shared:16 - cgroup cgroup rw,pids
"""


def _text(path: Path) -> str:
    return path.read_text()


@pytest.fixture
def unified(tmp_path: Path) -> Path:
    """A version 2 hierarchy, as far as files go."""
    for folder in (tmp_path, tmp_path / "brihaspati", tmp_path / "brihaspati/k"):
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
        (folder / "cgroup.subtree_control").write_text("")
    return tmp_path


def test_version_2_hands_the_controllers_down_and_writes_the_limits(unified: Path) -> None:
    groups = cgroups.Version2(unified, "k")
    groups.make("bh-x", _LIMITS)
    made = unified / "brihaspati/k/bh-x"
    assert _text(made / "memory.max") == str(64 << 20)
    assert _text(made / "memory.swap.max") == "0"
    assert _text(made / "cpu.max") == "50000 100000"
    assert _text(made / "pids.max") == "40"
    for above in (unified, unified / "brihaspati", unified / "brihaspati/k"):
        assert set(_text(above / "cgroup.subtree_control").split()) == {"+memory", "+cpu", "+pids"}
    assert groups.labels() == ["bh-x"]


def test_a_hierarchy_that_is_not_ours_to_divide_is_said_to_be_so(unified: Path) -> None:
    switch = unified / "cgroup.subtree_control"
    switch.unlink()
    switch.mkdir()  # reading and writing it fail, as in a container that does not own it
    with pytest.raises((cgroups.HostUnfit, OSError)):
        cgroups.Version2(unified, "k").make("bh-x", _LIMITS)
    assert cgroups.Version2(unified, "k").labels() == []


def test_version_2_reads_usage(unified: Path) -> None:
    lab = unified / "brihaspati/k/bh-x"
    lab.mkdir()
    (lab / "memory.current").write_text("1048576\n")
    (lab / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n")
    (lab / "pids.current").write_text("7\n")
    found = cgroups.Version2(unified, "k").usage("bh-x")
    assert found == cgroups.Usage(memory_bytes=1 << 20, cpu_ms=2500, pids=7)


def test_the_end_of_a_group_is_safe_to_repeat(unified: Path) -> None:
    groups = cgroups.Version2(unified, "k")
    lab = unified / "brihaspati/k/bh-x"
    lab.mkdir()
    assert groups.end("bh-x")
    assert groups.end("bh-x")
    assert not lab.exists()


def test_the_host_with_all_controllers_on_version_2_gets_it(unified: Path) -> None:
    line = f"31 30 0:27 / {unified} rw shared:10 - cgroup2 cgroup2 rw\n"
    assert isinstance(cgroups.find(line, "k"), cgroups.Version2)


def test_a_hybrid_host_gets_version_1(tmp_path: Path) -> None:
    found = cgroups.find(_HYBRID.format(v1=tmp_path), "k")
    assert isinstance(found, cgroups.Version1)


def test_a_host_without_a_controller_is_told_which() -> None:
    lines = [line for line in _HYBRID.format(v1="/nowhere").splitlines() if "pids" not in line]
    with pytest.raises(cgroups.HostUnfit, match="pids"):
        cgroups.find("\n".join(lines), "k")


def _version_2_mount() -> Path | None:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith("cgroup2 "):
            return Path(before.split()[4])
    return None


@pytest.mark.root
def test_a_child_is_born_in_its_version_2_group() -> None:
    """Needs no controller: membership alone is tried, in the host's real hierarchy."""
    mount = _version_2_mount()
    if mount is None:
        pytest.skip("no version 2 hierarchy is mounted")
    folder = mount / f"brihaspati-test-{os.getpid()}"
    folder.mkdir()
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        pid = kernel.fork_into_cgroup(fd)
        if pid == 0:
            signal.pause()
            os._exit(0)
        os.close(fd)
        assert _text(folder / "cgroup.procs").split() == [str(pid)]
        os.kill(pid, signal.SIGKILL)
        assert os.waitpid(pid, 0)[0] == pid
    finally:
        folder.rmdir()


@pytest.mark.root
def test_the_hosts_own_groups_hold_a_child_and_its_limits() -> None:
    """Whatever version this host has: make, fork, count, kill, remove."""
    groups = cgroups.find(Path("/proc/self/mountinfo").read_text(), f"test-{os.getpid()}")
    groups.make("bh-x", _LIMITS)
    ready, tell = os.pipe()
    pid = groups.fork("bh-x")
    if pid == 0:
        groups.arrive("bh-x")
        os.write(tell, b"1")
        signal.pause()
        os._exit(0)
    os.read(ready, 1)
    assert groups.usage("bh-x").pids == 1
    assert groups.labels() == ["bh-x"]
    assert not groups.end("bh-x")  # but it kills
    assert os.waitpid(pid, 0) == (pid, signal.SIGKILL)
    assert groups.end("bh-x")
    groups.close()
    assert groups.labels() == []
    os.close(ready)
    os.close(tell)
