"""When a rented machine is suspect."""

from __future__ import annotations

import socket
from dataclasses import replace

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


def test_the_kernel_counts_connections_that_are_opened() -> None:
    before = vitals.counted()
    with socket.create_server(("127.0.0.1", 0)) as there:
        socket.create_connection(there.getsockname()).close()
    after = vitals.counted()
    assert after.connections > before.connections
    assert after.at >= before.at
    assert after.ticks >= before.ticks
