"""Ports of loopback that nobody else takes between being found free and being listened at."""

from __future__ import annotations

import itertools
import os
import re
import socket
from pathlib import Path

FIRST = 20_000
WORKERS_MAX = 16
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_count = itertools.count()


def _last() -> int:
    """Up to here the kernel gives no port by itself, to whoever asks for any or connects."""
    try:
        return int(_RANGE.read_text().split()[0])
    except OSError:
        return 32_768


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody has, and which no other worker of these tests is told of."""
    worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0) % WORKERS_MAX
    share = (_last() - FIRST) // WORKERS_MAX
    for _ in range(share):
        # Somebody else's tests on this machine begin elsewhere.
        port = FIRST + worker * share + (os.getpid() * 37 + next(_count)) % share
        with socket.socket() as probe:
            # As a server has it, whose closed connections keep it from nothing.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(f"{host} has no port from {FIRST} on")
