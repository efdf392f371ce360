"""The copy-on-write root of a lab, mounted with the host's rights before the lab gives them up.

All of it happens in the mount namespace of the process that builds the lab, at one and the same
folder for every lab, and vanishes with the lab's last process.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path

from brihaspati.adapters.namespaces import cgroups, kernel, orders, sealed

# How the disk of a lab is kept, in words for the scrub record.
IN_MEMORY = "in memory, which is never swapped"
IN_MEMORY_OF_NO_SWAP = "in memory, on a host without swap"
ENCRYPTED = (
    "encrypted, contents and names, with a key that only the kernel had and that went with it"
)
FREED = "a file that was freed, and not overwritten"

Seal = Callable[[Path], None]
TMPFS_MB_MAX = 64
_INODES = 20_000
_DEVICES = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}
_LOOP_CONFIGURE, _LOOP_GET_FREE = 0x4C0A, 0x4C82
_AUTOCLEAR = 4
_TRIES = 64
# Disks are sparse; with less room than this on the host a lab could not even begin.
_ROOM_MB_MIN = 64


def disk_file(folder: Path, label: str) -> Path:
    """The file of a lab's large disk, which has a name only while the disk is made."""
    return folder / "disks" / f"{label}.img"


def _wants_tmpfs(order: orders.LabOrder) -> bool:
    """Small disks live in memory; they count as the lab's, so at most half of what it has."""
    return order.disk_mb <= TMPFS_MB_MAX and 2 * order.disk_mb <= order.memory_mb


def _attach_loop(image: int) -> str:
    """A loop device over the open image that frees itself after the last use."""
    # struct loop_config: fd, block size, then struct loop_info64, in which only flags are set
    config = struct.pack("II", image, 0) + bytes(52) + struct.pack("I", _AUTOCLEAR) + bytes(240)
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        for _ in range(_TRIES):
            name = f"/dev/loop{fcntl.ioctl(control, _LOOP_GET_FREE)}"
            device = os.open(name, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(device, _LOOP_CONFIGURE, config)
            except OSError as problem:
                os.close(device)
                if problem.errno != errno.EBUSY:
                    raise
                continue  # another lab was quicker
            os.dup2(device, image, inheritable=False)  # holds the device until it is mounted
            os.close(device)
            return name
    finally:
        os.close(control)
    raise OSError(errno.EBUSY, "no free loop device")


def _make_ext4(image: Path, size_mb: int) -> None:
    options = "lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0"
    features = "^has_journal,^resize_inode,encrypt"
    arguments = ["mkfs.ext4", "-q", "-F", "-m", "0", "-O", features]
    arguments += ["-E", options, "-N", str(_INODES), str(image), f"{size_mb}M"]
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    try:
        pid = os.posix_spawnp("mkfs.ext4", arguments, {"PATH": path})
    except FileNotFoundError as problem:
        raise cgroups.HostUnfit("mkfs.ext4 is missing: install e2fsprogs") from problem
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise OSError(errno.ENOSPC, f"cannot make a disk of {size_mb} MiB at {image.parent}")


def _mount_disk(order: orders.LabOrder, folder: Path, at: Path) -> None:
    """A file of the host as the lab's disk; it is unlinked at once, so nothing can stay behind."""
    path = disk_file(folder, order.label)
    disks = path.parent
    room = os.statvfs(disks)
    if room.f_bavail * room.f_frsize < min(order.disk_mb, _ROOM_MB_MIN) << 20:
        raise cgroups.HostUnfit(f"the disk under {disks} is full: free some space")
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.ftruncate(fd, order.disk_mb << 20)
        _make_ext4(path, order.disk_mb)
        device = _attach_loop(fd)
        kernel.mount(device, str(at), "ext4", kernel.MS_NODEV, "nobarrier,noauto_da_alloc")
        os.close(fd)
    finally:
        path.unlink(missing_ok=True)


def _mount_tmpfs(order: orders.LabOrder, at: Path) -> str | None:
    """How it is kept; None (and nothing is mounted) where its pages could get to a disk."""
    data = f"size={order.disk_mb}m,nr_inodes={_INODES},mode=711"
    try:
        kernel.mount("tmpfs", str(at), "tmpfs", kernel.MS_NODEV, f"{data},noswap")
    except OSError as problem:
        if problem.errno != errno.EINVAL:  # the option is of Linux 6.4
            raise
        if _has_swap():
            return None
        kernel.mount("tmpfs", str(at), "tmpfs", kernel.MS_NODEV, data)
        return IN_MEMORY_OF_NO_SWAP
    return IN_MEMORY


def _has_swap(table: Path = Path("/proc/swaps")) -> bool:
    try:
        return len(table.read_text().splitlines()) > 1
    except OSError:
        return False


def _mount_layers(order: orders.LabOrder, folder: Path, at: Path, seal: Seal) -> str:
    """Mount what the lab writes to, with the folder `lab` for its layers; how it is kept."""
    kept = _mount_tmpfs(order, at) if _wants_tmpfs(order) else None
    layers = at / "lab"
    if kept is not None:
        layers.mkdir()
        return kept
    _mount_disk(order, folder, at)
    layers.mkdir()
    try:
        seal(layers)
    except OSError:  # no fscrypt in this kernel
        return FREED
    return ENCRYPTED


def _make_devices(folder: str, owner: int) -> None:
    """Real device nodes, which the lab can use but not make."""
    kernel.mount("tmpfs", folder, "tmpfs", kernel.MS_NOSUID, "mode=755,size=64k,nr_inodes=64")
    os.chown(folder, owner, owner)
    for name, minor in {**_DEVICES, "tty": 0}.items():
        major = 5 if name == "tty" else 1
        path = f"{folder}/{name}"
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(major, minor))
        os.chmod(path, 0o666)  # noqa: PTH101, S103 - a null device for everybody
        os.chown(path, owner, owner)


def mount(
    order: orders.LabOrder, folder: Path, owner: int, userns: int, seal: Seal = sealed.seal
) -> tuple[str, str]:
    """Mount the lab's root and return where, and how its disk is kept.

    `owner` is the host id of the lab's root.

    `folder` is the keeper's: `mnt` to mount on, `disks` for large disks. Raises OSError, HostUnfit.
    """
    at = folder / "mnt"
    kept = _mount_layers(order, folder, at, seal)
    for name in ("lower", "root", "lab/upper", "lab/work"):
        (at / name).mkdir()
    os.chown(at / "lab" / "upper", owner, owner)
    os.chown(at / "lab" / "work", owner, owner)
    try:
        kernel.bind_idmapped(order.root, str(at / "lower"), userns)
        if order.usr is not None and not Path(order.usr).is_dir():
            raise cgroups.HostUnfit(f"{order.usr} is missing")
    except OSError as problem:
        if problem.errno in (errno.EINVAL, errno.ENOSYS, errno.EPERM):
            raise cgroups.HostUnfit(
                f"the file system of {order.root} cannot shift owners ({problem.strerror}): "
                "use Linux 5.19 or newer and keep the data folder on ext4, xfs or btrfs"
            ) from problem
        raise
    root = str(at / "root")
    data = f"lowerdir={at}/lower,upperdir={at}/lab/upper,workdir={at}/lab/work"
    kernel.mount("overlay", root, "overlay", kernel.MS_NODEV, data)
    if order.usr is not None:
        safe = kernel.ATTR_RDONLY | kernel.ATTR_NODEV
        kernel.bind_idmapped(order.usr, f"{root}/usr", userns, safe)
    with contextlib.suppress(FileExistsError):
        Path(f"{root}/dev").mkdir()
    _make_devices(f"{root}/dev", owner)
    return root, kept
