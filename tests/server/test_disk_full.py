"""The server's disk fills up while people work."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from attending import Student
from brihaspati import wiring
from brihaspati.entrypoints.cli.client import ClientError
from brihaspati.entrypoints.cli.fresh import FreshServer
from disks import small_disk

DISK_BYTES = 160 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk."""
    with small_disk(tmp_path / "disk", DISK_BYTES) as point:
        yield point


@pytest.fixture
def small(disk: Path) -> Iterator[FreshServer]:
    """A server whose data folder is the small disk."""
    server = FreshServer(wiring.open_shop({}), disk, {"seats": 9, "pool": 0})
    server.start()
    try:
        yield server
    finally:
        server.stop()


def fill(disk: Path) -> Path:
    """Take every last byte; the file that holds them."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def status_of_a_join(server: FreshServer) -> int:
    line = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=20)
    body = json.dumps({"code": server.code, "name": "Tara"})
    line.request("POST", "/v1/join", body, {"Content-Type": "application/json"})
    return line.getresponse().status


def test_a_full_disk_is_said_and_nothing_is_lost(small: FreshServer) -> None:
    asha, ravi = Student(small, "Asha"), Student(small, "Ravi")
    asha.play()
    asha.type("kept=yes; echo arm''ed", "armed")
    ravi.do(lambda portal: portal.send("GET", "/v1/session"))
    filler = fill(small.folder)
    for refused in (ravi.play, asha.stop, lambda: Student(small, "Meera").play()):
        with pytest.raises(ClientError, match="The server's disk is full"):
            refused()
    assert status_of_a_join(small) == 507
    asha.type("echo still-$kept", "still-yes")
    assert asha.phase("ready") == "ready"
    session = ravi.do(lambda portal: portal.send("GET", "/v1/session"))
    assert session["user"]["name"] == "Ravi"
    filler.unlink()
    ravi.play()
    ravi.type("echo $((6*7))", "42")
    asha.type("echo and-again-$kept", "and-again-yes")
    asha.stop()
    assert status_of_a_join(small) == 201
