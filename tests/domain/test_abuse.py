"""When a rented machine is suspect."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from brihaspati.domain.abuse import BUSY_CPU, Limits, Signs, suspicion
from brihaspati_agent import vitals

CALM = Signs(0, 0, 0, 3_600_000)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"busy_seconds": 1_200}, "nobody types"),
        ({"busy_seconds": 1_199}, None),
        ({"busy_seconds": 9_000, "quiet_ms": 60_000}, None),
        ({"sent_bytes_per_minute": 600_000_000}, "600 MB"),
        ({"sent_bytes_per_minute": 599_000_000}, None),
        ({"connections_per_minute": 600}, "600 connections"),
        ({"connections_per_minute": 599}, None),
    ],
)
def test_a_machine_is_suspect_from_its_limits_on(change: dict[str, int], said: str | None) -> None:
    found = suspicion(replace(CALM, **change), Limits())
    assert said in found if said and found else found is said


def test_a_limit_of_0_suspects_nobody() -> None:
    wild = Signs(1e9, 10**12, 10**9, 10**12)
    assert suspicion(wild, Limits(0, 0, 0)) is None
    assert suspicion(wild, Limits()) is not None


def test_agent_and_control_plane_mean_the_same_by_busy() -> None:
    assert vitals.BUSY_CPU == BUSY_CPU


def test_a_pulse_says_for_how_long_the_machine_is_busy_and_what_leaves_it_a_minute() -> None:
    counts = iter(
        [
            vitals.Counts(100, 0, 0, 0, 0),
            vitals.Counts(130, 95, 100, 1_000, 5),
            vitals.Counts(160, 195, 200, 1_000, 5),
            vitals.Counts(190, 195, 300, 1_500, 35),
            vitals.Counts(191, 195, 301, 1_500, 65),
        ]
    )
    pulse = vitals.Pulse(lambda: next(counts))
    first, second, third = pulse.read(), pulse.read(), pulse.read()
    assert (first["cpu"], first["busy_seconds"]) == (0.95, 30)
    assert (first["sent_bytes_per_minute"], first["connections_per_minute"]) == (2_000, 10)
    assert (second["busy_seconds"], second["sent_bytes_per_minute"]) == (60, 0)
    assert (third["busy_seconds"], third["connections_per_minute"]) == (0, 60)
    assert pulse.read()["connections_per_minute"] == 60, "a burst in one second is no rate"


def test_what_stays_on_the_machine_is_no_connection_that_leaves_it() -> None:
    before = vitals.counted()
    with socket.create_server(("127.0.0.1", 0)) as there:
        for _ in range(200):
            with socket.create_connection(there.getsockname()), there.accept()[0]:
                pass
    after = vitals.counted()
    assert abs(after.connections - before.connections) < 100
    assert after.at >= before.at
    assert after.ticks >= before.ticks


def test_connections_to_others_are_counted() -> None:
    told = "Tcp: RtoMin ActiveOpens PassiveOpens InSegs\nTcp: 200 {} {} 9\nUdp: a\nUdp: 1\n"
    found = [vitals._opened(told.format(*counts)) for counts in ((40, 10), (90, 15))]
    assert found[1] - found[0] == 45


@pytest.mark.parametrize(("hardware", "sent"), [({"eth0", "eth1"}, 12), (set(), 312)])
def test_bytes_count_that_leave_by_hardware_where_there_is_any(
    tmp_path: Path, hardware: set[str], sent: int
) -> None:
    table = "Inter-| x\n face |x\n"
    devices = {"lo": 5000, "eth0": 7, "eth1": 5, "docker0": 100, "veth1": 200}
    for name, count in devices.items():
        table += f"  {name}: 1 2 3 4 5 6 7 8 {count} 10\n"
        (tmp_path / name).mkdir()
    for name in hardware:
        (tmp_path / name / "device").mkdir()
    assert vitals._sent(table, tmp_path) == sent
