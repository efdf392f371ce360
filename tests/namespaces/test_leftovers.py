"""What the bench counts as left over is there while a lab lives, and gone when it is."""

from __future__ import annotations

import pytest
from bench import leftovers

from brihaspati.domain import labs
from namespaces import rigs

pytestmark = pytest.mark.root


def test_a_living_lab_is_seen_and_an_ended_one_is_not(shared: rigs.Rig) -> None:
    shared.lab()
    shared.end()
    before = leftovers.snapshot(shared.folder)
    inside = shared.lab(resources=labs.Resources(disk_mb=128))
    terminal = inside.terminal(None, 80, 24)
    rigs.said(inside, ["true"])
    seen = leftovers.snapshot(shared.folder) - before
    assert seen.processes
    assert seen.cgroups
    assert seen.mounts
    assert f"cgroups: {next(iter(seen.cgroups))}" in str(seen)
    terminal.close()
    shared.end()
    rigs.until(lambda: not len(leftovers.snapshot(shared.folder) - before))


def test_a_file_left_in_the_data_folder_is_seen(shared: rigs.Rig) -> None:
    before = leftovers.snapshot(shared.folder)
    stray = shared.folder / "disks" / "stray.img"
    stray.touch()
    try:
        assert (leftovers.snapshot(shared.folder) - before).files == {"disks/stray.img"}
    finally:
        stray.unlink()
