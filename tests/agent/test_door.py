"""One port for everything: what the first bytes of a connection decide."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import os
import resource
import socket
import textwrap
import time
from collections.abc import Callable

import picows
import pytest
from picows import api

from agent import stage
from brihaspati_agent import door, sockets

UPGRADE = (
    b"GET /agent/terminal HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.mark.parametrize(
    ("head", "agent"),
    [
        (b"", None),
        (b"G", None),
        (b"GET /agent", None),
        (b"GET /agent/", None),
        (b"GET /agent/terminal HTTP/1.1\r\nHo", None),
        (b"GET /agent/terminal HTTP/1.1\r\nHost: p80", None),
        (UPGRADE, True),
        (UPGRADE.replace(b"Host: x\r\n", b""), True),
        (UPGRADE.replace(b"Host: x", b"hOST:p8080--abc-main.localhost:80"), False),
        (UPGRADE.replace(b"Host: x", b"Host: P8080--abc.localhost"), False),
        (b"GET /agent/" + b"x" * 9000, False),
        (b"GET /agents", False),
        (b"POST /agent/", False),
        (b"\x16\x03\x01", False),
        (b"X", False),
    ],
)
def test_whose_a_connection_is(head: bytes, agent: bool | None) -> None:  # noqa: FBT001
    assert door.is_for_agent(head) is agent


PROTOCOL_OF_PICOWS = [
    "None",
    "None",
    "False",
    "ws_listener_factory",
    "_resolve_logger(logger_name, 'server')",
    "disconnect_on_exception",
    "websocket_handshake_timeout",
    "enable_auto_ping",
    "auto_ping_idle_timeout",
    "auto_ping_reply_timeout",
    "auto_ping_strategy",
    "enable_auto_pong",
    "max_frame_size",
    "None",
    "read_buffer_init_size",
]


def _arguments(function: Callable[..., object]) -> list[str]:
    """What a function gives to WSProtocol, as source text."""
    source = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = [node for node in ast.walk(source) if isinstance(node, ast.Call)]
    (made,) = [call for call in calls if ast.unparse(call.func).endswith("WSProtocol")]
    assert not made.keywords
    return [ast.unparse(argument) for argument in made.args]


def test_picows_protocol_is_made_as_picows_makes_it_itself() -> None:
    assert _arguments(api.ws_create_server) == PROTOCOL_OF_PICOWS
    assert len(_arguments(sockets.websocket_protocol)) == len(PROTOCOL_OF_PICOWS)


async def _raw(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def _until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + stage.PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < ends
        await asyncio.sleep(0.005)


def test_http_and_sockets_share_a_port() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            reader, writer = await _raw(agent.port)
            writer.write(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
            assert b"200 OK" in await reader.readuntil(b"portal /x")
            writer.write(b"GET /y HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).endswith(b"portal /y")
            client = await agent.open()
            assert client.hello
            assert agent.door.waiting == 0

    stage.play(scenario)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_first_bytes_may_come_in_pieces(size: int) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            for request, answer in (
                (UPGRADE, b"101 Switching"),
                (b"GET /agentless HTTP/1.0\r\n\r\n", b"portal /agentless"),
            ):
                reader, writer = await _raw(agent.port)
                writer.get_extra_info("socket").setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
                )
                for place in range(0, len(request), size):
                    writer.write(request[place : place + size])
                    await asyncio.sleep(0.001)
                assert answer in await reader.readuntil(answer)
                writer.close()

    stage.play(scenario)


@pytest.mark.parametrize("begin", [b"", b"GET /age", b"GET /agent/terminal HTTP/1.1\r\n"])
def test_a_connection_that_falls_silent_costs_nothing(begin: bytes) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            _, writer = await _raw(agent.port)
            writer.write(begin)
            await _until(lambda: agent.door.waiting == 1)
            assert await stage.busy_seconds(0.3) < 0.05
            writer.close()
            await _until(lambda: agent.door.waiting == 0)

    stage.play(scenario)


@pytest.mark.parametrize("begin", [b"GET /age", b"GET /agent/terminal HTTP/1.1\r\n"])
def test_half_a_request_and_no_more_is_let_go(begin: bytes) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            reader, writer = await _raw(agent.port)
            writer.write(begin)
            writer.write_eof()
            await asyncio.wait_for(reader.read(), stage.PATIENCE_SECONDS)
            assert agent.door.waiting == 0

    stage.play(scenario)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /agent/terminal HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /agent/nothing HTTP/1.1\r\nHost: x\r\n\r\n",
        UPGRADE.replace(b"13", b"12"),
        b"\x00\x01\x02\r\n\r\n",
        b"GET /agent/" + b"x" * 20_000,
    ],
)
def test_what_is_no_proper_request_is_answered_by_an_error(request_: bytes) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            reader, writer = await _raw(agent.port)
            writer.write(request_)
            answer = await asyncio.wait_for(reader.read(), stage.PATIENCE_SECONDS)
            assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer

    stage.play(scenario)


def test_two_hundred_who_knock_at_once_are_all_let_in() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:

            async def knock() -> bytes:
                reader, writer = await _raw(agent.port)
                writer.write(b"GET /x HTTP/1.0\r\n\r\n")
                answer = await reader.read()
                writer.close()
                return answer

            answers = await asyncio.gather(*(knock() for _ in range(200)))
            assert all(answer.endswith(b"portal /x") for answer in answers)

    stage.play(scenario)


def test_running_out_of_descriptors_passes() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            reader, writer = await _raw(agent.port)
            writer.write(b"GET /before HTTP/1.1\r\nHost: h\r\n\r\n")
            await reader.readuntil(b"portal /before")
            waiting = socket.socket()
            waiting.settimeout(0)
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            highest = max(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, limits[1]))
            held = []
            try:
                with contextlib.suppress(OSError):
                    while True:
                        held.append(os.dup(0))
                with contextlib.suppress(BlockingIOError):
                    waiting.connect(("127.0.0.1", agent.port))
                assert await stage.busy_seconds(0.3) < 0.05, "no spinning"
            finally:
                for number in held:
                    os.close(number)
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(waiting, b"GET /after HTTP/1.0\r\n\r\n")
            answer = b""
            while b"portal /after" not in answer:
                piece = await asyncio.wait_for(
                    loop.sock_recv(waiting, 1000), stage.PATIENCE_SECONDS
                )
                assert piece, answer
                answer += piece
            waiting.close()

    stage.play(scenario)


def test_a_taken_port_is_said_clearly() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            with pytest.raises(OSError, match=f"port {agent.port} is taken: another program"):
                agent.door.open("127.0.0.1", agent.port)

    stage.play(scenario)


@pytest.mark.parametrize(
    ("host", "why"),
    [("192.0.2.1", "cannot listen on 192.0.2.1:0"), ("no such host", "not an address of this")],
)
def test_an_address_that_is_not_ours_is_said_clearly(host: str, why: str) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            with pytest.raises(OSError, match=why):
                agent.door.open(host, 0)

    stage.play(scenario)


def test_frames_sent_in_one_go_arrive_unmixed() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.open(agent.signer.running(["/bin/cat"]))
            run = agent.hub._desks["abc234"].slots["main"].run
            assert run is not None
            outlet = run.viewers[0].outlet
            sizes = [9000, 10, 60_000, 1, 20_000]
            for letter, size in zip(b"abcde", sizes, strict=True):
                outlet.frame(b"\x04", bytes([letter]) * size)
            whole = b"".join(bytes([c]) * n for c, n in zip(b"abcde", sizes, strict=True))
            await client.until(lambda: client.repaint.endswith(b"e" * 20_000))
            assert client.repaint.endswith(whole)
            assert isinstance(client.transport, picows.WSTransport)

    stage.play(scenario)
