"""What a tunnel does with whoever asks for none."""

from __future__ import annotations

import asyncio

from agent import stage
from brihaspati_agent import hub, places, tickets, tunnel


def _nowhere(label: str) -> places.Place:
    raise places.NoSuchMachine(label)


def test_whoever_begins_a_request_and_says_no_more_is_let_go() -> None:
    async def scenario() -> None:
        clock = stage.Clock()
        gate = tickets.Gate(stage.Signer(clock).public, stage.ENV, clock, clock())
        tunnels = tunnel.Tunnels(hub.Hub(_nowhere, clock), gate, head_seconds=0.01)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(tunnels.protocol, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(tunnel.PATH + b"HTTP/1.1\r\nHost: x\r\nX")
            assert await asyncio.wait_for(reader.read(), 20) == b""
            writer.close()

    stage.play(scenario)
