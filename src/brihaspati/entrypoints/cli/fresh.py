"""A server of its own process over an empty data folder: what benches and torture run against."""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from brihaspati.entrypoints.cli.shop import CannotRun, Shop

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60


class FreshServer:
    """A server and its data folder; `address`, `pid` and the demo class's `code` when it runs."""

    def __init__(self, shop: Shop, folder: Path, settings: Mapping[str, object]) -> None:
        self.folder = folder
        self.address = ""
        self.code = ""
        self.pid = 0
        self._shop = shop.elsewhere(folder)
        self._settings = dict(settings)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **settings: object) -> None:
        """Start, or start again with some settings changed. Raises CannotRun."""
        self._settings |= settings
        given = {f"BRIHASPATI_{name.upper()}": str(v) for name, v in self._settings.items()}
        given["BRIHASPATI_DATA"] = str(self.folder)
        given.setdefault("BRIHASPATI_LISTEN", "127.0.0.1:0")
        given.setdefault("BRIHASPATI_KEEP_SECONDS", "0")
        command = [sys.executable, "-m", "brihaspati", "up"]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**os.environ, **given}, stdout=log, stderr=log
            )
        said = _wait_ready(self._process, self.folder)
        self.address, self.code = str(said["address"]), str(said["code"])
        self.pid = self._process.pid

    def start_again(self) -> None:
        """As `start`, at the address it had, so that open pages find it again."""
        self.start(listen=self.address.partition("//")[2])

    def seen_at(self, address: str) -> FreshServer:
        """The same server behind another address, to look at and not to start."""
        other = copy.copy(self)
        other.address = address
        return other

    def stop(self) -> None:
        """End in order; kill what does not."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End as in a power cut; labs go on until their keeper misses the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def warm(self, lab: str) -> int:
        """How many pooled sandboxes of a lab are ready."""
        with self._shop.engine() as engine:
            running = engine.reading.running()
        return sum(
            r.sandbox.slot.user is None and r.sandbox.slot.lab == lab and r.sandbox.phase == "ready"
            for r in running
        )

    def peak_mb(self) -> float:
        """Peak memory of the server and the keeper, in MB."""
        return sum(_peak_kb(pid) for pid in self._ours()) / 1024

    def cpu_seconds(self) -> float:
        """Spent so far by the server, the keeper, and what ended of all their labs."""
        return sum(_cpu_seconds(pid) for pid in self._ours())

    def _ours(self) -> set[int]:
        return {self.pid, *self.keepers()}

    def keepers(self) -> list[int]:
        """The process that holds the labs lives beside the server: its command names our folder.

        Its children have the same command until they become somebody's shell.
        """
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"keeper" in command and os.fsencode(self.folder) in command:
                found.append(int(entry.name))
        return [pid for pid in found if _parent(pid) not in found]


def _peak_kb(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    line = next((x for x in status.splitlines() if x.startswith("VmHWM")), "VmHWM: 0")
    return int(line.split()[1])


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command, from the state on; none for no process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu_seconds(pid: int) -> float:
    """Of a process and of the children it has waited for."""
    return sum(map(int, _stat(pid)[11:15])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def fresh_server(shop: Shop, **settings: object) -> Iterator[FreshServer]:
    """A server with an empty data folder; `settings` are BRIHASPATI_ names in lower case."""
    folder = Path(tempfile.mkdtemp(prefix="bh-"))
    server = FreshServer(shop, folder, settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_ready(process: subprocess.Popen[bytes], folder: Path) -> dict[str, object]:
    """What the server says of itself once it serves; a killed one's word is not taken for it."""
    end = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            said: dict[str, object] = json.loads((folder / "server.json").read_text())
        except FileNotFoundError:
            said = {}
        if said.get("pid") == process.pid:
            return said
        if process.poll() is not None or time.monotonic() > end:
            words = (folder / "server.log").read_text(errors="replace").strip()[-500:]
            raise CannotRun(f"the server did not start: {words or 'it said nothing'}")
        time.sleep(0.02)
