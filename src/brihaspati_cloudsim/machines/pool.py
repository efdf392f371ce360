"""All machines of a stand-in: what `account.Bodies` asks, done in a loop of its own."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from brihaspati_cloudsim.machines.machine import Machine, Reach, Setting
from brihaspati_cloudsim.servers import Server

log = logging.getLogger(__name__)
PREFIX = "cloud-sim-"


class CannotRunMachines(Exception):  # noqa: N818 - said to a person
    """Why this host runs no machines, and what to do."""


def missing() -> str | None:
    """What this host lacks to run machines; None for nothing."""
    if os.geteuid() != 0:
        return "machines need root, for namespaces and addresses of their own"
    for program, package in (("nft", "nftables"), ("ip", "iproute2"), ("unshare", "util-linux")):
        if shutil.which(program) is None:
            return f"{program} is missing: apt-get install {package}"
    return None


class Pool:
    """Runs servers. Calls return at once; `close` ends all and leaves nothing.

    What the account knows of a server is asked of `reach`, whenever it matters.
    """

    def __init__(self, setting: Setting | None = None, reach: Reach | None = None) -> None:
        if why := missing():
            raise CannotRunMachines(why)
        self.setting = setting or Setting()
        _sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.machines: dict[str, Machine] = {}
        self.reach = reach or Reach()
        self._turns: dict[str, asyncio.Lock] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="machines", daemon=True)
        self._thread.start()

    # --- what an account asks --------------------------------------------------------------------
    def boot(self, server: Server) -> None:
        """Run it, with its user data."""
        self._do(server, self._boot(server))

    def halt(self, server: Server) -> None:
        """Its processes end; its disk stays."""
        self._do(server, self._halt(server))

    def destroy(self, server: Server) -> None:
        """Nothing is left of it."""
        self._do(server, self._destroy(server))

    def cut(self, server: Server) -> None:
        """It loses its network for good."""
        self._loop.call_soon_threadsafe(self._cut, server)

    def snapshot(self, server: Server, image: str) -> None:
        """Keep its disk as an image."""
        self._do(server, self._snapshot(server, image))

    def close(self) -> None:
        """End every machine; nothing is left on this host."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self.folder)

    def settled(self) -> None:
        """Wait until everything asked until now is done."""
        asyncio.run_coroutine_threadsafe(self._quiet(), self._loop).result(60)

    # --- in the loop -----------------------------------------------------------------------------
    def _do(self, server: Server, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(self._in_turn(server, work), self._loop)

    async def _in_turn(self, server: Server, work: Coroutine[Any, Any, None]) -> None:
        async with self._turns.setdefault(server.key, asyncio.Lock()):
            try:
                await work
            except Exception:
                log.exception("machine %s", server.name)

    async def _quiet(self) -> None:
        for turn in [*self._turns.values()]:
            async with turn:
                pass

    def _disk(self, server: Server) -> Path:
        return self.folder / server.key

    async def _boot(self, server: Server) -> None:
        disk, image = self._disk(server), self._image(server.image)
        fresh_of_image = not disk.exists() and image.exists()
        if fresh_of_image:
            await asyncio.to_thread(_copy, image, disk)
        disk.mkdir(exist_ok=True)
        machine = Machine(
            server=server,
            disk=disk,
            setting=self.setting,
            reach=self.reach,
        )
        self.machines[server.key] = machine
        await machine.start(again=fresh_of_image)

    async def _halt(self, server: Server) -> None:
        machine = self.machines.pop(server.key, None)
        if machine is not None:
            await machine.stop()

    async def _destroy(self, server: Server) -> None:
        await self._halt(server)
        if self._disk(server).exists():
            await asyncio.to_thread(shutil.rmtree, self._disk(server))

    def _cut(self, server: Server) -> None:
        machine = self.machines.get(server.key)
        if machine is not None:
            machine.cut()

    def _image(self, name: str) -> Path:
        return self.folder / ("image-" + name.replace("/", "-"))

    async def _snapshot(self, server: Server, image: str) -> None:
        if self._disk(server).exists():
            await asyncio.to_thread(_copy, self._disk(server), self._image(image))

    async def _close(self) -> None:
        await self._quiet()
        for machine in [*self.machines.values()]:
            await machine.stop()
        self.machines.clear()


def _sweep() -> None:
    """Remove what stand-ins left whose process is gone; their machines ended with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        number = folder.name.removeprefix(PREFIX).split("-")[0]
        if number.isdigit() and not Path("/proc", number).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _copy(found: Path, to: Path) -> None:
    # With owners, modes and the marks by which an overlay remembers what was deleted.
    subprocess.run(["cp", "-a", str(found), str(to)], check=True)
