"""Sockets that come from elsewhere, say too much, or are open when the server is told to end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from attending import Student
from brihaspati import wiring
from brihaspati.entrypoints.cli.client import Portal
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server

Socket = aiohttp.ClientWebSocketResponse
# Far below the minute after which it would be killed, and room for a busy machine.
END_SECONDS_MAX = 30


@pytest.fixture(scope="module")
def student(server: FreshServer) -> Student:
    """A student whose lab runs."""
    vani = Student(server, "Vani")
    vani.play()
    return vani


def closed_with(
    student: Student, work: Callable[[Socket], Awaitable[None]], origin: str | None = None
) -> int:
    """The code with which the server closes a terminal's socket after some work."""
    ticket = student.ticket()

    async def visit() -> int:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(ticket["url"], origin=origin) as socket,
        ):
            await socket.send_json({"ticket": ticket["ticket"], "terminal": "main"})
            await work(socket)
            while not socket.closed:
                await socket.receive(30)
            return socket.close_code or 0

    return asyncio.run(visit())


async def nothing(socket: Socket) -> None:
    """Only listen."""


async def too_much_input(socket: Socket) -> None:
    await socket.receive()
    await socket.send_bytes(b"\0" + b"x" * 70_000)


async def an_enormous_frame(socket: Socket) -> None:
    await socket.receive()
    await socket.send_bytes(b"\0" * 3_000_000)


async def a_broken_frame(socket: Socket) -> None:
    await socket.receive()
    await socket.send_bytes(b"\xff?")


async def text_where_bytes_belong(socket: Socket) -> None:
    await socket.receive()
    await socket.send_str("{")


@pytest.mark.parametrize(
    ("work", "origin", "code"),
    [
        (nothing, "http://evil.example", 4403),
        (nothing, "null", 4403),
        (too_much_input, None, 4413),
        (an_enormous_frame, None, 1009),
        (a_broken_frame, None, 4400),
        (text_where_bytes_belong, None, 4400),
    ],
)
def test_a_bad_socket_is_closed_with_its_code_and_the_terminal_goes_on(
    student: Student, work: Callable[[Socket], Awaitable[None]], origin: str | None, code: int
) -> None:
    assert closed_with(student, work, origin) == code
    student.type("echo $((6*7))", "42")


def test_the_portal_s_own_origin_may_come(student: Student, server: FreshServer) -> None:
    async def leave(socket: Socket) -> None:
        assert (await socket.receive_json())["type"] == "hello"
        await socket.close()

    assert closed_with(student, leave, origin=server.address) == 1000


def test_sigterm_with_busy_terminals_ends_the_server_and_its_labs_within_seconds() -> None:
    with fresh_server(wiring.open_shop({}), seats=5, pool=0) as server:
        students = [Student(server, name) for name in ("Asha", "Ravi")]
        for student in students:
            student.play()

        async def busy(portal: Portal) -> float:
            wires = [await portal.open(students[0].path) for _ in range(3)]
            wires[0].type(b"yes\n")
            await wires[0].until(b"y\r\ny\r\n", END_SECONDS_MAX)
            begun = time.monotonic()
            await asyncio.to_thread(server.stop)
            return time.monotonic() - begun

        assert students[0].do(busy) < END_SECONDS_MAX
        assert server.keepers() == []
