"""What a rented machine's agent has in memory, which is the lab's otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import sys
from asyncio import sslproto
from pathlib import Path

import pytest

from agent import machines
from brihaspati.adapters import agentarchive
from brihaspati_agent import control_plane, lean, own_terminal

NOT_NEEDED = (
    "aiohttp",
    "argparse",
    "email.mime",
    "importlib.metadata",
    "urllib.request",
    "websockets.sync",
    "zipfile",
)
# What an order needs is loaded by the process that obeys it, and gone with it.
NOT_OF_THE_ROOT_PART = (
    "base64", "collections", "contextlib", "ctypes", "enum", "functools", "hashlib", "json",
    "pathlib", "re", "signal", "socket", "ssl", "subprocess", "threading", "typing",
)  # fmt: skip
ROOT_PART = """
import sys
sys.path.insert(0, sys.argv[1])
import brihaspati_agent.divided
print(*(name for name in sys.argv[2:] if name in sys.modules))
"""
LOOK = """
import sys
sys.path.insert(0, sys.argv[1])
import brihaspati_agent.divided, brihaspati_agent.rented
print(*(name for name in sys.argv[2:] if name in sys.modules))
print(brihaspati_agent.rented.Rented.run.__doc__)
"""


def test_what_only_others_need_is_not_loaded_nor_are_docstrings(tmp_path: Path) -> None:
    archive = tmp_path / "agent.pyz"
    archive.write_bytes(agentarchive.build().data)
    command = [sys.executable, "-IS", "-c", LOOK, str(archive), *NOT_NEEDED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "\nNone\n"


def test_the_part_that_is_root_loads_next_to_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "agent.pyz"
    archive.write_bytes(agentarchive.build().data)
    command = [sys.executable, "-IS", "-c", ROOT_PART, str(archive), *NOT_OF_THE_ROOT_PART]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_connections_of_tls_have_less_to_read_into() -> None:
    usual = sslproto.SSLProtocol.max_size
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        lean.read_less()
        with contextlib.closing(asyncio.new_event_loop()) as loop:
            done = loop.create_future()
            line = sslproto.SSLProtocol(loop, asyncio.Protocol(), context, done, server_side=True)
            assert isinstance(line, asyncio.BufferedProtocol)
            assert len(line.get_buffer(1)) <= 32 * 1024
    finally:
        sslproto.SSLProtocol.max_size = usual


def test_authorities_are_looked_up_when_one_is_needed_and_all_at_once_nowhere() -> None:
    if not control_plane.hashed_authorities():
        pytest.skip("this system's authorities are in one file only")
    assert control_plane.trusting(None).cert_store_stats()["x509"] == 0


def test_an_agent_hears_its_own_terminal_over_https_and_says_why_it_does_not(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with machines.machine(tmp_path) as there:
            trust = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
            address = ("127.0.0.1", there.port)
            check = ["/bin/sh", "-c", 'read -r line; echo "got $line"']
            ticket = there.signer.ticket(terminals={"check": ["main", check]})
            await asyncio.to_thread(own_terminal.echo, address, machines.HOST, trust, ticket)
            with pytest.raises(OSError, match="ticket"):
                await asyncio.to_thread(own_terminal.echo, address, machines.HOST, trust, ticket)
            with pytest.raises(ssl.SSLError):
                await asyncio.to_thread(own_terminal.echo, address, "other.test", trust, ticket)

    machines.play(scenario)
