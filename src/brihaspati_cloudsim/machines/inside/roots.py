"""Builds a machine's root: the host's programs under it, nothing else of the host in it."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

# What programs of the host need of /etc to run. No secrets: no shadow, no keys, no hosts' names.
FROM_ETC = (
    "alternatives", "bash.bashrc", "ca-certificates", "debian_version", "default", "ld.so.cache",
    "ld.so.conf", "ld.so.conf.d", "login.defs", "mime.types", "nsswitch.conf", "os-release",
    "pam.conf", "pam.d", "profile", "protocols", "python3", "python3.11", "python3.13", "security",
    "services", "skel", "ssl/certs", "terminfo", "adduser.conf",
)  # fmt: skip
LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
FOLDERS = (
    "dev", "etc/cloud", "etc/sudoers.d", "etc/systemd/system", "home", "mnt", "opt", "proc", "root",
    "run", "srv", "sys", "tmp", "usr", "var/cache", "var/lib/cloud", "var/log", "var/tmp",
)  # fmt: skip
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
ACCOUNTS = """root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
GROUP = """root:x:0:
daemon:x:1:
adm:x:4:
tty:x:5:
sudo:x:27:
www-data:x:33:
shadow:x:42:
staff:x:50:
users:x:100:
nogroup:x:65534:
"""
SHADOW = "root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n"
# modules, raw I/O, boot, clock, device nodes: nothing a rented server would share with others.
CAPABILITIES_DROPPED = (16, 17, 22, 25, 27)
PR_CAPBSET_DROP = 24
MNT_DETACH = 2


def furnish(disk: Path, etc: str, files: Mapping[str, str]) -> bool:
    """Lay out a new disk, with what is in `etc`; False when it was there already (a reboot).

    `files` are written in any case: a disk that came as an image has those of another server.
    """
    fresh = not (disk / "root").exists()
    if fresh:
        _lay_out(disk, etc)
    for path, text in files.items():
        to = disk / "root" / path.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text)
    return fresh


def _lay_out(disk: Path, etc: str) -> None:
    root = disk / "root"
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("upper", "work"):
        (disk / name).mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "var/tmp").chmod(0o1777)
    (root / "root").chmod(0o700)
    for name in LINKS:
        if Path("/", name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    for name in FROM_ETC:
        _copy(Path("/etc", name), root / "etc" / name)
    if etc:
        shutil.copytree(etc, root / "etc", symlinks=True, dirs_exist_ok=True)
    for name, text, mode in (
        ("passwd", ACCOUNTS, 0o644),
        ("group", GROUP, 0o644),
        ("shadow", SHADOW, 0o640),
        ("gshadow", "", 0o640),
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n", 0o644),
        ("sudoers", "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n", 0o440),
    ):
        (root / "etc" / name).write_text(text)
        (root / "etc" / name).chmod(mode)


def _copy(found: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if found.is_dir():
        shutil.copytree(found, to, symlinks=True, ignore_dangling_symlinks=True)
    elif found.exists():
        shutil.copy(found, to)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def enter(disk: Path, layers: list[str], identity: dict[str, str]) -> None:
    """Make the disk's root this process's root. `identity`: what the firmware says of the maker."""
    root = disk / "root"
    lower = ":".join([*layers, "/usr"])
    _mount("--bind", str(root), str(root))
    options = f"lowerdir={lower},upperdir={disk}/upper,workdir={disk}/work"
    _mount("-t", "overlay", "overlay", "-o", options, str(root / "usr"))
    _mount("-t", "proc", "proc", str(root / "proc"))
    for name, more in (("run", ",noexec,nosuid,nodev"), ("dev", "")):  # as systemd has it
        _mount("-t", "tmpfs", "-o", f"mode=755{more}", "tmpfs", str(root / name))
    _sys(root, identity)
    for name in DEVICES:
        (root / "dev" / name).touch()
        _mount("--bind", f"/dev/{name}", str(root / "dev" / name))
    for name in ("pts", "shm"):
        (root / "dev" / name).mkdir()
    _mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620", "devpts", f"{root}/dev/pts")
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(root / "dev/shm"))
    for link, target in (
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdout", "/proc/self/fd/1"),
    ):
        (root / "dev" / link).symlink_to(target)
    os.chdir(root)
    old = root / "mnt"
    subprocess.run(["pivot_root", ".", str(old)], check=True)
    os.chroot(".")
    os.chdir("/")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(b"/mnt", MNT_DETACH) != 0:
        raise OSError(ctypes.get_errno(), "cannot let go of the host's root")
    for capability in CAPABILITIES_DROPPED:
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def _sys(root: Path, identity: dict[str, str]) -> None:
    """The kernel's view of devices, with the firmware a rented server would have."""
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(root / "sys"))
    hidden = root / "run/sys"
    for folder in (hidden, root / "sys/class/dmi/id", root / "sys/class/net", root / "sys/devices"):
        folder.mkdir(parents=True)
    _mount("-t", "sysfs", "-o", "ro", "sysfs", str(hidden))
    _mount("--bind", str(hidden / "class/net"), str(root / "sys/class/net"))
    _mount("--bind", str(hidden / "devices"), str(root / "sys/devices"))
    subprocess.run(["umount", "-l", str(hidden)], check=True)
    for name, text in identity.items():
        (root / "sys/class/dmi/id" / name).write_text(text + "\n")
