"""How requests over real HTTP become the events that the API answers."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, StreamReader, base_protocol, web

from brihaspati.entrypoints.http.addresses import Addresses
from brihaspati.entrypoints.http.gate import BODY_BYTES_MAX
from brihaspati.entrypoints.server import web as ours
from brihaspati.entrypoints.server.waiting import Bell


def event_of(sent: bytes) -> dict[str, Any]:
    """The event of a request with these bytes after its first line."""
    events: list[dict[str, Any]] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        events.append(ours.event_of(request, b"", proxied=False))
        return web.Response()

    async def send() -> None:
        runner = web.ServerRunner(web.Server(answer))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection(*runner.addresses[0])
        try:
            writer.write(sent)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        finally:
            writer.close()
            await runner.cleanup()

    asyncio.run(send())
    return events[0]


def whole(*pieces: bytes) -> bytes:
    """A body that comes in pieces, each after the one before was taken."""

    async def read() -> bytes:
        loop = asyncio.get_running_loop()
        line, other = socket.socketpair()
        protocol = base_protocol.BaseProtocol(loop)
        transport, _ = await loop.create_connection(lambda: protocol, sock=line)
        content = StreamReader(protocol, BODY_BYTES_MAX, loop=loop)
        reading = asyncio.ensure_future(ours.whole(content))
        for piece in pieces:
            content.feed_data(piece)
            for _ in range(3):
                await asyncio.sleep(0)
        content.feed_eof()
        try:
            return await reading
        finally:
            transport.close()
            other.close()

    return asyncio.run(read())


def test_a_body_may_come_in_pieces() -> None:
    assert whole(b"") == b""
    assert whole(b'{"code":', b'"MARI', b'GOLD"}') == b'{"code":"MARIGOLD"}'


@pytest.mark.parametrize("pieces", [1, 2, 80])
def test_no_more_of_a_body_is_kept_than_tells_that_it_is_too_large(pieces: int) -> None:
    assert len(whole(*[b"a" * (2 * BODY_BYTES_MAX // pieces)] * pieces)) == BODY_BYTES_MAX + 1


def test_nothing_that_is_checked_hides_behind_another_of_its_name() -> None:
    event = event_of(
        b"POST /v1/x?student=me&other=1&student=you HTTP/1.1\r\nHost: localhost\r\n"
        b"Origin: http://evil.example\r\nOrigin: http://localhost\r\nContent-Length: 0\r\n\r\n"
    )
    assert event["headers"]["origin"] == "http://evil.example,http://localhost"
    assert event["queryStringParameters"] == {"student": "me,you", "other": "1"}


def test_a_comma_in_a_cookie_does_not_begin_another() -> None:
    event = event_of(
        b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\n"
        b"Cookie: a=1,bh_session=forged; b=2;;\r\nCookie: c=3\r\n\r\n"
    )
    assert event["cookies"] == ["a=1,bh_session=forged", "b=2", "c=3"]
    assert "cookie" not in event["headers"]


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("class.example.org", True),
        ("Class.Example.org:8443", True),
        ("127.0.0.1:8000", True),
        ("evil.example", False),
        ("class.example.org.evil.example", False),
        ("class.example.org:80; script-src *", False),
        ("class.example.org:", False),
        ("", False),
    ],
)
def test_only_requests_to_one_of_our_own_names_are_answered(host: str, *, known: bool) -> None:
    """A page elsewhere whose name leads to our address is not let in (DNS rebinding)."""
    origins = {"https://class.example.org", "http://127.0.0.1:8000"}
    assert Addresses(frozenset(origins), "lab.example.org").knows(host) is known


@pytest.mark.parametrize("path", ["/", "/v1/health", "/join/MARIGOLD"])
def test_a_request_to_a_name_that_is_not_ours_is_told_so(path: str) -> None:
    async def answer() -> tuple[int, str]:
        addresses = Addresses(frozenset({"http://localhost:8000"}), "localhost")
        site = ours.Site(lambda _: {}, Path("/nowhere"), addresses, Bell(), {})
        headers = {"Host": "evil.example"}
        runner = web.ServerRunner(web.Server(site.answer))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            address = "http://{}:{}".format(*runner.addresses[0])
            async with ClientSession(address) as http, http.get(path, headers=headers) as answer:
                return answer.status, answer.content_type
        finally:
            await runner.cleanup()
            site.close()

    assert asyncio.run(answer()) == (421, "application/problem+json")


@pytest.mark.parametrize(("secure", "source"), [(True, "203.0.113.7"), (False, "127.0.0.1")])
def test_behind_its_proxy_a_server_knows_machines_by_the_address_that_the_proxy_saw(
    *, secure: bool, source: str
) -> None:
    """A machine's boot token works from its own address only, and TLS is the proxy's."""

    async def seen() -> object:
        events: list[dict[str, Any]] = []

        def api(event: dict[str, Any]) -> dict[str, Any]:
            events.append(event)
            return {"statusCode": 200, "headers": {}, "body": ""}

        addresses = Addresses(frozenset({"http://127.0.0.1"}), "localhost", secure=secure)
        site = ours.Site(api, Path("/nowhere"), addresses, Bell(), {})
        runner = web.ServerRunner(web.Server(site.answer))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            address = "http://{}:{}".format(*runner.addresses[0])
            headers = {"X-Forwarded-For": "192.0.2.1, 203.0.113.7"}
            async with (
                ClientSession(address) as http,
                http.post("/v1/machines/bootstrap", headers=headers) as answer,
            ):
                assert answer.status == 200
            return events[0]["requestContext"]["http"]["sourceIp"]
        finally:
            await runner.cleanup()
            site.close()

    assert asyncio.run(seen()) == source
