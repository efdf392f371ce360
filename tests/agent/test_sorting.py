"""Who is let in at a machine's ports, and for how long who says nothing may stay."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from agent import machines
from brihaspati_agent import sorting

REQUEST = b"GET / HTTP/1.1\r\nHost: ours\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Call = Callable[[], "asyncio.Future[Streams]"]


class Greeter(asyncio.Protocol):
    """Says hello, and stays."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")


@contextlib.asynccontextmanager
async def port(crowd: sorting.Crowd, seconds: float = 30) -> AsyncIterator[Call]:
    """Serves whoever says the host `ours`; how to come there."""
    ways = sorting.Ways(Greeter, lambda head: b"Host: ours" in head)
    server = await sorting.listen(
        "127.0.0.1", 0, None, lambda: sorting.Sorter(ways, crowd, seconds)
    )
    address = server.sockets[0].getsockname()

    def call() -> asyncio.Future[Streams]:
        return asyncio.ensure_future(asyncio.open_connection(*address))

    async with server:
        yield call


async def said(streams: Streams) -> bytes:
    """What comes until the line ends, or is cut."""
    try:
        return await asyncio.wait_for(streams[0].read(), 20)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("begun", [b"", REQUEST[:-2]])
def test_who_does_not_finish_a_request_is_let_go(begun: bytes) -> None:
    async def scenario() -> None:
        async with port(sorting.Crowd(), seconds=0.01) as call:
            line = await call()
            line[1].write(begun)
            assert await said(line) == b""
            line[1].close()

    machines.play(scenario)


def test_when_too_many_wait_the_first_of_them_makes_room() -> None:
    async def scenario() -> None:
        async with port(sorting.Crowd(waiting_max=2)) as call:
            silent = [await call() for _ in range(4)]
            assert await said(silent[0]) == b""
            assert await said(silent[1]) == b""
            for line in silent[2:]:
                line[1].write(REQUEST)
                assert await line[0].readexactly(5) == b"hello"
            for _, writer in silent:
                writer.close()

    machines.play(scenario)


def test_when_too_many_are_served_others_are_told_until_somebody_goes() -> None:
    async def scenario() -> None:
        async with port(sorting.Crowd(open_max=1)) as call:
            first, second = await call(), await call()
            first[1].write(REQUEST)
            assert await first[0].readexactly(5) == b"hello"
            second[1].write(REQUEST)
            assert (await said(second)).startswith(b"HTTP/1.1 503 ")
            first[1].write_eof()
            assert await said(first) == b""
            third = await call()
            third[1].write(REQUEST)
            assert await third[0].readexactly(5) == b"hello"
            for _, writer in (first, second, third):
                writer.close()

    machines.play(scenario)
