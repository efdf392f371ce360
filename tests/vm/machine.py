"""One true machine under software emulation, with a provider's firmware and metadata service."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brihaspati_cloudsim.machines import metadata
from brihaspati_cloudsim.servers import Server
from vm.disks import Disk

METADATA = "169.254.169.254"
HOME = "169.254.0.253"
MAKERS = {"digitalocean": "DigitalOcean", "linode": "Akamai"}
# Debian 13's kernel faults at this instruction under emulation.
PROCESSOR = "max,-cx16"
# Waiting for routers that never speak costs minutes.
KERNEL_WORDS = "root=/dev/vda rw console=ttyS0 net.ifnames=0 ipv6.disable=1"


def _words(disk: Disk, server: Server, metadata_port: int, home_port: int) -> list[str]:
    forward = "guestfwd=tcp:{}:80-cmd:socat - TCP4:127.0.0.1:{}"
    network = [
        "user,id=net,net=169.254.0.0/16,host=169.254.0.254,dhcpstart=169.254.0.15",
        "dns=169.254.0.252,restrict=on",
        forward.format(METADATA, metadata_port),
        forward.format(HOME, home_port),
    ]
    firmware = f"type=1,manufacturer={MAKERS[server.provider]},serial={server.id}"
    return [
        "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-machine", "q35",
        "-cpu", PROCESSOR, "-smp", "2", "-m", "768", "-nographic", "-no-reboot",
        "-kernel", str(disk.kernel), "-initrd", str(disk.initrd), "-append", KERNEL_WORDS,
        "-drive", f"file={disk.image},format=raw,if=virtio,snapshot=on",
        "-smbios", firmware, "-netdev", ",".join(network),
        "-device", f"virtio-net-pci,netdev=net,mac={metadata.mac(server)}",
        "-device", "virtio-rng-pci",
    ]  # fmt: skip


@contextmanager
def running(
    disk: Disk, server: Server, ports: tuple[int, int], console: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run it until the block ends. `ports`: of its metadata service, and of whom it calls home."""
    with console.open("wb") as log:
        words = _words(disk, server, *ports)
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
