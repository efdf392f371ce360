"""Disks for true machines: Debian with a kernel and its own cloud-init, made once and kept."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PACKAGES = (
    "ca-certificates", "cloud-init", "dbus", "ifupdown", "initramfs-tools", "iproute2",
    "isc-dhcp-client", "linux-image-cloud-amd64", "nftables", "openssl", "python3", "sudo",
    "systemd-sysv", "udev",
)  # fmt: skip
FOLDER = Path("var/vm")
MIRROR = "http://deb.debian.org/debian"
DISK_MEGABYTES = 2_000
# No waiting for what a VM with one card never gets, and no keys that take minutes to make here.
CONFIG = """ssh_genkeytypes: [ed25519]
datasource_list: [{source}]
datasource:
  Akamai: {{allow_ipv6: false}}
"""


@dataclass(frozen=True, slots=True)
class Disk:
    """What a machine boots from."""

    image: Path
    kernel: Path
    initrd: Path


def disk(folder: Path, suite: str, source: str, tell: Callable[[str], None]) -> Disk:
    """The disk of a Debian suite whose cloud-init asks one source; made on first use.

    Raises:
        subprocess.CalledProcessError: a tool fails; its words are on the terminal.
    """
    digest = hashlib.sha256(repr((PACKAGES, CONFIG, DISK_MEGABYTES)).encode()).hexdigest()[:8]
    home = folder / f"{suite}-{digest}"
    made = Disk(home / "disk.img", home / "vmlinuz", home / "initrd.img")
    if made.image.exists():
        return made
    for before in folder.glob(f"{suite}*"):
        shutil.rmtree(before)
    root = home / "root"
    root.mkdir(parents=True)
    tell(f"packages of Debian {suite}")
    subprocess.run(
        [
            "mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(PACKAGES)}",
            "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*", suite, str(root), MIRROR,
        ],
        check=True,
    )  # fmt: skip
    config = root / "etc/cloud/cloud.cfg.d/99-vm.cfg"
    config.write_text(CONFIG.format(source=source))
    (root / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
    for name in ("vmlinuz", "initrd.img"):
        found = max((root / "boot").glob(f"{name}-*"))
        shutil.copy(found, home / name)
        found.unlink()
    tell("a disk of it")
    image = home / "disk.part"
    words = ["mke2fs", "-q", "-t", "ext4", "-d", str(root), str(image), f"{DISK_MEGABYTES}M"]
    subprocess.run(words, check=True)
    shutil.rmtree(root)
    image.rename(made.image)
    return made
