"""A server of its own process over an empty data folder: what benches and torture run against."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brihaspati.entrypoints.cli.shop import CannotRun, Shop

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60


class FreshServer:
    """A running server; `address` and the demo class's `code`."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, shop: Shop) -> None:
        self.process = process
        self.folder = folder
        self._shop = shop
        said = json.loads((folder / "server.json").read_text())
        self.address: str = said["address"]
        self.code: str = said["code"]

    def warm(self, lab: str) -> int:
        """How many pooled sandboxes of a lab are ready."""
        with self._shop.engine() as engine:
            running = engine.reading.running()
        return sum(
            r.sandbox.slot.user is None and r.sandbox.slot.lab == lab and r.sandbox.phase == "ready"
            for r in running
        )

    def usage(self) -> dict[str, float]:
        """Peak memory and CPU seconds of the server and the processes it started and kept."""
        ours = [self.process.pid, *_children(self.process.pid), *self._keepers()]
        peak_kb = sum(_peak_kb(pid) for pid in set(ours))
        cpu = sum(_cpu_seconds(pid) for pid in set(ours))
        return {"peak_mb": round(peak_kb / 1024, 1), "cpu_seconds": round(cpu, 2)}

    def _keepers(self) -> list[int]:
        """The process that holds the labs lives beside the server: its command names our folder."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"keeper" in command and str(self.folder).encode() in command:
                found.append(int(entry.name))
        return found


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def _peak_kb(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    line = next((x for x in status.splitlines() if x.startswith("VmHWM")), "VmHWM: 0")
    return int(line.split()[1])


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def fresh_server(shop: Shop, **settings: object) -> Iterator[FreshServer]:
    """A server with an empty data folder; `settings` are BRIHASPATI_ names in lower case."""
    folder = Path(tempfile.mkdtemp(prefix="bh-"))
    given = {f"BRIHASPATI_{name.upper()}": str(value) for name, value in settings.items()}
    given |= {"BRIHASPATI_DATA": str(folder), "BRIHASPATI_LISTEN": "127.0.0.1:0"}
    given.setdefault("BRIHASPATI_KEEP_SECONDS", "0")
    command = [sys.executable, "-m", "brihaspati", "up"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **given}, stdout=log, stderr=log)
    try:
        _wait_ready(process, folder)
        yield FreshServer(process, folder, shop.elsewhere(folder))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_ready(process: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + START_SECONDS_MAX
    while not (folder / "server.json").exists():
        if process.poll() is not None or time.monotonic() > end:
            words = (folder / "server.log").read_text(errors="replace").strip()[-500:]
            raise CannotRun(f"the server did not start: {words or 'it said nothing'}")
        time.sleep(0.02)
