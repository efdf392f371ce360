"""Clients: made late, once, and what passes is told from what does not."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from botocore import exceptions

import loopback
from brihaspati import ports
from brihaspati.adapters import amazon, emf, memory, ses
from emulators import amazon_stand, faults, servers


def test_a_service_that_throttles_is_busy_and_another_refusal_is_itself(address: str) -> None:
    services = amazon.Services(servers.REGION, address, servers.KEYS)
    ask = services.of("sqs")
    with pytest.raises(exceptions.ClientError, match="NonExistentQueue"):
        ask("send_message", QueueUrl=f"{address}/0/nowhere", MessageBody="x")
    throttled = faults.Answer("ThrottlingException")
    with (
        faults.met(services.client("sqs"), lambda *_: throttled),
        pytest.raises(ports.Busy, match="sqs: ThrottlingException"),
    ):
        ask("list_queues")


def test_a_service_that_cannot_be_reached_is_busy() -> None:
    services = amazon.Services(
        servers.REGION, f"http://127.0.0.1:{loopback.free_port()}", ("a", "b")
    )
    with pytest.raises(ports.Busy, match="sqs"):
        services.of("sqs")("list_queues")


def test_a_sender_nobody_verified_is_told_what_to_do() -> None:
    def ask(operation: str, **_: object) -> dict[str, object]:
        error = {"Error": {"Code": "MessageRejected", "Message": "Email address is not verified"}}
        raise exceptions.ClientError(error, operation)

    with pytest.raises(ses.CannotSend, match=r"not verified \(verify the sender's domain"):
        ses.Letters(ask, "us@example.org").send("a@example.org", "s", "t")


def test_metrics_are_lines_as_cloudwatch_reads_them() -> None:
    said: list[str] = []
    clock = memory.ManualClock()
    lines: ports.Metrics = emf.Lines("prod", clock, said.append)
    lines.count("plays")
    lines.took("ready_after", 1234)
    first, second = map(json.loads, said)
    assert first["plays"] == 1
    assert second["ready_after"] == 1234
    assert second["env"] == "prod"
    assert second["_aws"] == {
        "Timestamp": clock.now(),
        "CloudWatchMetrics": [
            {
                "Namespace": "Brihaspati",
                "Dimensions": [["env"]],
                "Metrics": [{"Name": "ready_after", "Unit": "Milliseconds"}],
            }
        ],
    }
    assert all("\n" not in line for line in said)


def test_the_cloud_mode_loads_little_and_connects_to_nothing() -> None:
    script = """
import socket, sys
def never(*_): raise AssertionError("it connects")
socket.socket.connect = never
from brihaspati import settings
from brihaspati.wiring import cloud
named = {"BRIHASPATI_TABLE": "bh-test", "AWS_REGION": "eu-central-1"}
cloud.cloud(settings.read(environment={**named, "BRIHASPATI_PROVIDER": "linode"}))
unwanted = "sqlite3 docker aiohttp cryptography httpx boto3 yaml rich click uvloop markdown_it"
print([name for name in unwanted.split() if name in sys.modules])
"""
    run = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert (run.stdout, run.stderr) == ("[]\n", "")


def test_clients_are_made_once(address: str) -> None:
    services = amazon_stand.services_at(address)
    assert services.client("sqs") is services.client("sqs")
