"""True machines under software emulation, with a provider's firmware and metadata service."""

from __future__ import annotations

import asyncio
import datetime as dt
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from brihaspati_cloudsim.account import Bodies
from brihaspati_cloudsim.machines import metadata
from brihaspati_cloudsim.servers import Server
from vm.disks import Disk

# The network inside: metadata, us, and the issuer are where a machine would find them.
NETWORK = "169.254.0.0/16"
METADATA = "169.254.169.254"
HOME = "169.254.0.253"
ISSUER = "169.254.0.251"
MAKERS = {"digitalocean": "DigitalOcean", "linode": "Akamai"}
# Debian 13's kernel faults at this instruction under emulation.
PROCESSOR = "max,-cx16"
# Waiting for routers that never speak costs minutes.
KERNEL_WORDS = "root=/dev/vda rw console=ttyS0 net.ifnames=0 ipv6.disable=1"
# So that what the agent says is in the console that is kept.
KERNEL_WORDS += " systemd.journald.forward_to_console=1"


# By how much its clock is ahead, and nobody there sets it right.
AHEAD_HOURS = {"digitalocean": 0, "linode": 3}


def _words(disk: Disk, server: Server, metadata_port: int) -> list[str]:
    """What leaves the machine arrives from its own address; browsers come to that, too."""
    clock = dt.datetime.now(dt.UTC) + dt.timedelta(hours=AHEAD_HOURS[server.provider])
    own = server.address
    outward = "guestfwd=tcp:{0}:443-cmd:socat - TCP4:{0}:443,,bind={1}"
    network = [
        f"user,id=net,net={NETWORK},host=169.254.0.254,dhcpstart={own}",
        "dns=169.254.0.252,restrict=on",
        f"guestfwd=tcp:{METADATA}:80-cmd:socat - TCP4:127.0.0.1:{metadata_port}",
        *(outward.format(there, own) for there in (HOME, ISSUER)),
        *(f"hostfwd=tcp:{own}:{port}-{own}:{port}" for port in (443, 8443)),
    ]
    firmware = f"type=1,manufacturer={MAKERS[server.provider]},serial={server.id}"
    return [
        "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-machine", "q35",
        "-cpu", PROCESSOR, "-smp", "2", "-m", "768", "-nographic", "-no-reboot",
        "-kernel", str(disk.kernel), "-initrd", str(disk.initrd), "-append", KERNEL_WORDS,
        "-drive", f"file={disk.image},format=raw,if=virtio,snapshot=on",
        "-rtc", f"base={clock:%Y-%m-%dT%H:%M:%S}",
        "-smbios", firmware, "-netdev", ",".join(network),
        "-device", f"virtio-net-pci,netdev=net,mac={metadata.mac(server)}",
        "-device", "virtio-rng-pci",
    ]  # fmt: skip


@dataclass
class Emulator(Bodies):
    """Gives the servers of a stand-in such bodies. `tell` hears what is done."""

    disk: Disk
    folder: Path
    tell: Callable[[str], None]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def boot(self, server: Server) -> None:
        """Switch it on."""

        def on(port: asyncio.Future[int]) -> None:
            threading.Thread(target=self._run, args=(server, port.result()), daemon=True).start()

        told = asyncio.run_coroutine_threadsafe(self._tell_metadata(server), self._loop)
        told.add_done_callback(on)  # type: ignore[arg-type]

    async def _tell_metadata(self, server: Server) -> int:
        """Serve what its metadata service says; on which port."""
        application = metadata.application(server, [])

        async def tell(request: web.Request, _response: web.StreamResponse) -> None:
            self.tell(f"  metadata: {request.method} {request.path}")

        application.on_response_prepare.append(tell)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port: int = runner.addresses[0][1]
        return port

    def _run(self, server: Server, metadata_port: int) -> None:
        console = self.folder / server.key / "console.log"
        console.parent.mkdir(parents=True, exist_ok=True)
        with console.open("wb") as log:
            words = _words(self.disk, server, metadata_port)
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.running[server.key] = process
        size = len(server.user_data or "")
        self.tell(f"{server.name} at {server.address} is on, with {size} bytes of user data")
        process.wait()
        if self.running.pop(server.key, None) is not None:
            self.tell(f"{server.name} went off by itself: see {console}")

    def halt(self, server: Server) -> None:
        """Switch it off."""
        process = self.running.pop(server.key, None)
        if process is not None:
            process.kill()
            process.wait()
            self.tell(f"{server.name} is off")

    def cut(self, server: Server) -> None:
        """Not needed here."""

    def destroy(self, server: Server) -> None:
        """Its disk was a snapshot, which went with it."""
        self.halt(server)

    def snapshot(self, server: Server, image: str) -> None:
        """Not needed here."""

    def close(self) -> None:
        """Nothing of any of them goes on."""
        for process in self.running.values():
            process.kill()
            process.wait()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
