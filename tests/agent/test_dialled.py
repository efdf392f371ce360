"""A program's line to an agent: what it says and hears, and how it ends, with and without TLS."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from agent import machines
from brihaspati_agent import dialled

SECONDS = 20


def _call(port: int, trust: Path | None, path: str = "/agent/control") -> dialled.Call:
    tls = None if trust is None else ssl.create_default_context(cafile=str(trust))
    return dialled.Call(("127.0.0.1", port), machines.HOST, path, tls)


def _beside(answer: Callable[[ServerConnection], object], act: Callable[[int], object]) -> None:
    """Do something in a thread while a server answers as told; it gets the server's port."""

    async def scenario() -> None:
        async with serve(answer, "127.0.0.1", 0) as server:  # type: ignore[arg-type]
            await asyncio.to_thread(act, server.sockets[0].getsockname()[1])

    machines.play(scenario)


def _threads() -> set[threading.Thread]:
    """Those that run, but for workers of event loops: the server, here too, has some."""
    return {each for each in threading.enumerate() if not each.name.startswith("asyncio_")}


def test_a_line_over_tls_has_no_thread_beside_its_own_for_openssl_would_lose_bytes(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with machines.machine(tmp_path) as there:
            call = _call(there.port, tmp_path / "ca.pem")
            ticket = there.signer.ticket(may=["control"])

            def ask() -> str | bytes:
                before = _threads()  # some of another test may end meanwhile
                with dialled.dial(call, SECONDS) as line:
                    line.send(json.dumps({"ticket": ticket}))
                    assert _threads() <= before
                    return line.recv(SECONDS)

            assert "machines" in json.loads(await asyncio.to_thread(ask))

    machines.play(scenario)


def test_who_is_not_wanted_hears_why(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with machines.machine(tmp_path, tls=False) as there:

            def elsewhere() -> None:
                with dialled.dial(_call(there.port, None, "/agent/nowhere"), SECONDS):
                    pass

            def without_ticket() -> None:
                with dialled.dial(_call(there.port, None), SECONDS) as line:
                    line.send("{}")
                    line.recv(SECONDS)

            with pytest.raises(OSError, match="HTTP 404"):
                await asyncio.to_thread(elsewhere)
            with pytest.raises(OSError, match=r"the line ended: 44\d\d .*ticket"):
                await asyncio.to_thread(without_ticket)

    machines.play(scenario)


def test_messages_come_whole_in_order_of_their_kind_and_pings_are_answered() -> None:
    async def answer(there: ServerConnection) -> None:
        await there.send("at once")
        await there.send(["a t", "ext in ", "pieces"])
        await (await there.ping())
        await there.send(b"\x00bytes")
        assert await there.recv() == b"heard"
        await there.send("so it was")

    def talk(port: int) -> None:
        with dialled.dial(_call(port, None), SECONDS) as line:
            heard = [line.recv(SECONDS) for _ in range(3)]
            assert heard == ["at once", "a text in pieces", b"\x00bytes"]
            line.send(b"heard")
            assert line.recv(SECONDS) == "so it was"
            with pytest.raises(OSError, match="the line ended: 1000"):
                line.recv(SECONDS)
            with pytest.raises(OSError, match="the line ended: 1000"):
                line.send("too late")

    _beside(answer, talk)


def test_who_says_nothing_is_waited_for_no_longer_than_told() -> None:
    async def answer(there: ServerConnection) -> None:
        await there.wait_closed()

    def wait(port: int) -> None:
        with (
            dialled.dial(_call(port, None), SECONDS) as line,
            pytest.raises(TimeoutError),
        ):
            line.recv(0.05)

    _beside(answer, wait)
