"""A lab that takes all it can get stays within its limits, and its neighbour goes on working."""

from __future__ import annotations

import statistics
import time

import pytest

from brihaspati.domain import labs
from brihaspati_agent import places
from namespaces import rigs

pytestmark = pytest.mark.root

_ANSWER_SECONDS_MAX = 2.0


def _answers(neighbour: places.Place) -> None:
    """The neighbour answers every time, and as a rule in time: others share this machine."""
    waits = []
    for _ in range(10):
        began = time.monotonic()
        assert rigs.said(neighbour, ["echo", "here"]) == "here\n"
        waits.append(time.monotonic() - began)
    assert statistics.median(waits) < _ANSWER_SECONDS_MAX, waits


def test_a_fork_bomb_stops_at_the_limit_of_processes(rig: rigs.Rig) -> None:
    neighbour = rig.lab()
    label = rig.label(resources=labs.Resources(pids=40))
    bomb = rig.provider.place(label).terminal(
        ["bash", "-c", "f() { f | f & }; f; sleep 1000"], 80, 24
    )
    rigs.until(lambda: rig.provider.usage(label)["pids"] >= 38)
    _answers(neighbour)
    assert rig.provider.usage(label)["pids"] <= 45
    began = time.monotonic()
    rig.provider.delete(label)
    assert time.monotonic() - began < 30
    bomb.close()


def test_a_memory_hog_dies_and_its_lab_lives(rig: rigs.Rig) -> None:
    neighbour = rig.lab()
    label = rig.label(resources=labs.Resources(memory_mb=64, disk_mb=16))
    hog = rig.provider.place(label).run(["python3", "-c", "x = b'x' * (512 << 20)"])
    assert hog.code == -9
    _answers(neighbour)
    assert rigs.said(rig.provider.place(label), ["echo", "alive"]) == "alive\n"
    assert rig.provider.usage(label)["memory_bytes"] < 64 << 20


def test_a_small_disk_fills_up_and_can_be_emptied(rig: rigs.Rig) -> None:
    inside = rig.lab(resources=labs.Resources(disk_mb=32))
    filler = inside.run(["dd", "if=/dev/zero", "of=/tmp/big", "bs=1M", "count=100"])
    assert filler.code == 1
    assert b"No space left" in filler.error
    size = int(rigs.said(inside, ["stat", "-c", "%s", "/tmp/big"]))
    assert 28 << 20 < size <= 32 << 20
    with pytest.raises(places.PlaceError, match="no space left"):
        inside.write("/root/more", b"x" * 100_000)
    rigs.said(inside, ["rm", "/tmp/big"])
    inside.write("/root/more", b"x" * 100_000)


def test_a_large_disk_fills_up_without_taking_the_labs_memory(rig: rigs.Rig) -> None:
    inside = rig.lab(resources=labs.Resources(memory_mb=64, disk_mb=200))
    filler = inside.run(["dd", "if=/dev/zero", "of=/tmp/big", "bs=1M", "count=300"])
    assert filler.code == 1
    assert b"No space left" in filler.error
    size = int(rigs.said(inside, ["stat", "-c", "%s", "/tmp/big"]))
    assert 150 << 20 < size <= 200 << 20


def test_files_without_bytes_run_out_too(rig: rigs.Rig) -> None:
    inside = rig.lab()
    program = "import os\nfor n in range(50000): os.close(os.open(f'/tmp/{n}', os.O_CREAT))"
    filler = inside.run(["python3", "-c", program])
    assert b"No space left" in filler.error


def test_a_busy_lab_gets_its_share_of_the_processor(rig: rigs.Rig) -> None:
    neighbour = rig.lab()
    label = rig.label(resources=labs.Resources(cpus=0.2))
    hogs = [
        rig.provider.place(label).terminal(["sh", "-c", "while :; do :; done"], 80, 24)
        for _ in range(3)
    ]
    rigs.until(lambda: rig.provider.usage(label)["cpu_ms"] >= 100)
    used, began = rig.provider.usage(label)["cpu_ms"], time.monotonic()
    rigs.until(lambda: time.monotonic() - began > 1.0)
    used = rig.provider.usage(label)["cpu_ms"] - used
    share = used / 1000 / (time.monotonic() - began)
    assert 0 < share < 0.35  # others may want all of the processor
    _answers(neighbour)
    for hog in hogs:
        hog.close()


def test_an_idle_lab_with_a_shell_takes_little_memory(rig: rigs.Rig) -> None:
    label = rig.label()
    screen = rigs.Screen(rig.provider.place(label).terminal(None, 80, 24))
    screen.shows("# ")
    assert rig.provider.usage(label)["memory_bytes"] < 3_500_000
    screen.terminal.close()


def test_labs_go_before_the_keeper_when_the_host_runs_out_of_memory(rig: rigs.Rig) -> None:
    """The keeper asks to be spared, and all that it forks would be."""
    files = ["/proc/1/oom_score_adj", "/proc/self/oom_score_adj"]
    assert rigs.said(rig.lab(), ["cat", *files]).split() == ["300", "300"]
