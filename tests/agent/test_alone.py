"""The agent of a machine of its own: terminals and previews on one HTTPS port, pure Python."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

import pebble
from agent import stage
from brihaspati_agent import alone, certificates

HOST = "l-abc234.lab.test"


@dataclass
class Machine:
    """The agent under test, and a client that trusts it and finds every name there."""

    port: int
    signer: stage.Signer
    client: aiohttp.ClientSession

    def at(self, path: str, host: str = HOST, scheme: str = "https") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


class _Here(aiohttp.abc.AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:  # noqa: ARG002
        return [
            {
                "hostname": host,
                "host": "127.0.0.1",
                "port": port,
                "family": 2,
                "proto": 0,
                "flags": 0,
            }
        ]

    async def close(self) -> None:
        """Nothing to close."""


@contextlib.asynccontextmanager
async def machine(folder: Path) -> AsyncIterator[Machine]:
    clock = stage.Clock()
    signer = stage.Signer(clock)
    chain, key = pebble.certificate_for(folder, f"DNS:{HOST}", f"DNS:*.{HOST}")
    tls = certificates.Tls()
    tls.serve(chain.read_bytes(), key.read_bytes())
    house = alone.House(signer.public, stage.ENV, (stage.PORTAL,), HOST, clock, clock() - 1)
    served = alone.Alone(house, stage.anywhere)
    port = await served.open("127.0.0.1", 0, tls.context)
    trust = ssl.create_default_context(cafile=str(chain))
    connector = aiohttp.TCPConnector(ssl=trust, resolver=_Here())
    try:
        async with aiohttp.ClientSession(connector=connector) as client:
            yield Machine(port, signer, client)
    finally:
        await served.close()


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """On asyncio's own loop, which is what an archive has."""
    asyncio.run(asyncio.wait_for(scenario(), 30))


def first(ticket: str) -> str:
    said = {"ticket": ticket, "terminal": "main", "columns": 80, "rows": 24}
    return json.dumps({**said, "since": None, "epoch": None})


async def output_until(line: aiohttp.ClientWebSocketResponse, wanted: bytes) -> bytes:
    """What the program printed, until it printed this."""
    found = b""
    while wanted not in found:
        message = await line.receive(timeout=10)
        assert message.type == aiohttp.WSMsgType.BINARY, message
        if message.data[:1] in (b"\x00", b"\x04"):
            found += message.data[1:]
    return found


def test_a_terminal_opens_over_https_and_echoes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with machine(tmp_path) as there:
            headers = {"Origin": stage.PORTAL}
            async with there.client.ws_connect(
                there.at("/agent/terminal", scheme="wss"), headers=headers
            ) as line:
                await line.send_str(first(there.signer.ticket()))
                hello = json.loads((await line.receive(timeout=10)).data)
                assert hello["type"] == "hello"
                await line.send_bytes(b"\x00expr 6 '*' 7\n")
                await output_until(line, b"42")
                await line.send_bytes(b"\x03here")
                while (message := await line.receive(timeout=10)).data[:1] != b"\x03":
                    pass
                assert message.data == b"\x03here"

    play(scenario)


def test_much_output_and_long_input_pass_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with machine(tmp_path) as there:
            ticket = there.signer.ticket(may=["control"])
            async with there.client.ws_connect(there.at("/agent/control", scheme="wss")) as line:
                await line.send_json({"ticket": ticket})
                await line.receive(timeout=10)
                script = "cat; head -c 200000 /dev/zero | tr '\\0' x"
                request = {"id": 1, "op": "run", "argv": ["sh", "-c", script], "stdin": "aGk="}
                await line.send_json(request)
                answer = json.loads((await line.receive(timeout=10)).data)
                assert (answer["code"], len(answer["output"])) == (0, 266672)

    play(scenario)


@pytest.mark.parametrize(("origin", "code"), [("https://evil.example", 4403), (stage.PORTAL, 4401)])
def test_another_page_and_a_forged_ticket_are_refused(
    tmp_path: Path, origin: str, code: int
) -> None:
    async def scenario() -> None:
        async with (
            machine(tmp_path) as there,
            there.client.ws_connect(
                there.at("/agent/terminal", scheme="wss"), headers={"Origin": origin}
            ) as line,
        ):
            with contextlib.suppress(ConnectionError):
                await line.send_str(first(there.signer.ticket()[:-8] + "AAAAAAAA"))
            message = await line.receive(timeout=10)
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, code)

    play(scenario)


def test_nothing_is_served_to_whoever_just_looks(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with machine(tmp_path) as there:
            for path in ("/", "/agent/terminal", "/agent/nothing", "/robots.txt"):
                async with there.client.get(there.at(path)) as answer:
                    assert answer.status in (400, 404, 426), path

    play(scenario)


def test_a_preview_is_an_origin_of_its_own_and_its_cookie_stays_from_the_application(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        seen: list[str] = []

        async def application(request: web.BaseRequest) -> web.Response:
            seen.append(request.headers.get("Cookie", ""))
            return web.Response(text="the lab's page")

        server = web.Server(application)
        runner = web.ServerRunner(server)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with machine(tmp_path) as there:
            host = f"p{port}--abc234.{HOST}"
            ticket = there.signer.ticket(may=["preview"], port=port, machine="main")
            async with there.client.get(there.at("/", host)) as answer:
                assert answer.status == 401
            opened = there.at(f"/_brihaspati/open?ticket={ticket}&to=/", host)
            async with there.client.get(opened) as answer:
                assert (answer.status, await answer.text()) == (200, "the lab's page")
            assert seen == [""]
            names = {cookie.key: cookie for cookie in there.client.cookie_jar}
            assert names["__Host-bh_preview"]["secure"]
        await runner.cleanup()

    play(scenario)
