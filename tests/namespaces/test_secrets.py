"""What a student wrote is on no disk once the lab is gone."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from brihaspati.adapters.namespaces import builder, kernel, orders, upper
from brihaspati.domain import labs
from namespaces import rigs

pytestmark = pytest.mark.root
_LARGE = labs.Resources(disk_mb=128)
_WORDS = ("secret-content-7319", "secret-name-7319", "secret-target-7319")
_WRITE = f"""
cd /root
for n in $(seq 2000); do echo {_WORDS[0]}; done > {_WORDS[1]}
ln -s /{_WORDS[2]} link
sync
"""


def _loop_of(folder: Path) -> Path:
    """The loop device over the one disk of a folder's labs, whose file has no name any more."""
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        if str(folder) in backing.read_text():
            return Path("/dev") / backing.parts[3]
    raise AssertionError("no lab has a disk")


def _written(device: Path) -> list[str]:
    """Which words are on the disk, in plain."""
    data = device.read_bytes()
    return [word for word in _WORDS if word.encode() in data]


def test_nothing_a_student_writes_reaches_the_disk_in_plain(rig: rigs.Rig) -> None:
    wanted = rigs.order(resources=_LARGE)
    rig.made.append(wanted.label)
    made = rig.provider.create(wanted)
    assert made.disk == upper.ENCRYPTED
    assert rig.provider.find(wanted.label) == made
    inside = rig.provider.place(wanted.label)
    rigs.said(inside, ["sh", "-ec", _WRITE])
    assert _WORDS[0] in rigs.said(inside, ["cat", f"/root/{_WORDS[1]}"])
    device = _loop_of(rig.folder)
    os.sync()
    assert _written(device) == []


def _no_fscrypt(_: Path) -> None:
    raise OSError(errno.EOPNOTSUPP, "not supported")


def test_the_search_finds_what_a_kernel_without_fscrypt_leaves(rig: rigs.Rig) -> None:
    folder = rig.folder.parent / "plain"
    (folder / "image").mkdir(parents=True)
    for name in ("mnt", "disks"):
        (folder / name).mkdir()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = _write_unsealed(folder)
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _write_unsealed(folder: Path) -> int:
    kernel.unshare(kernel.NEWNS)
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    order = orders.LabOrder(
        label="plain", hostname="plain", user="root", root=str(folder / "image"), usr=None,
        memory_mb=256, cpus=1, pids=16, disk_mb=128, created_at=0,
    )  # fmt: skip
    root, kept = upper.mount(order, folder, 1 << 20, builder.shifted_userns(1 << 20), _no_fscrypt)
    (Path(root) / _WORDS[1]).write_text(_WORDS[0] * 2000)
    os.sync()
    found = _written(_loop_of(folder))
    return 0 if (kept, found) == (upper.FREED, [_WORDS[0], _WORDS[1]]) else 2


def test_a_small_disk_is_in_memory_that_is_never_swapped(rig: rigs.Rig) -> None:
    made = rig.provider.create(rigs.order())
    rig.made.append(made.label)
    inside = Path("/proc/swaps")
    assert made.disk in (upper.IN_MEMORY, upper.IN_MEMORY_OF_NO_SWAP)
    assert made.disk == upper.IN_MEMORY or len(inside.read_text().splitlines()) == 1
