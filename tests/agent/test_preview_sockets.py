"""WebSockets of an application in a lab, and pages of it that look like the agent's."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from agent import stage, visits


async def _echo(request: web.Request) -> web.StreamResponse:
    socket_ = web.WebSocketResponse(protocols=["other", "lab.v1"])
    await socket_.prepare(request)
    await socket_.send_str(f"{request.headers['Origin']} {request.headers.get('Cookie')}")
    async for message in socket_:
        if message.type is aiohttp.WSMsgType.TEXT and message.data == "close":
            await socket_.close(code=4321, message=b"as asked")
        elif message.type is aiohttp.WSMsgType.TEXT:
            await socket_.send_str("echo " + message.data)
        else:
            await socket_.send_bytes(message.data[::-1])
    return socket_


def test_a_websocket_passes_both_ways_with_its_protocol_and_close_code() -> None:
    async def scenario() -> None:
        async with visits.visiting(_echo) as visit:
            headers = {
                "Host": visit.host,
                "Origin": f"http://{visit.host}",
                "Cookie": f"{await visit.cookie()}; mine=1",
            }
            url = f"http://127.0.0.1:{visit.agent.port}/ws?x=1"
            async with visit.session.ws_connect(
                url, headers=headers, protocols=["lab.v1", "unknown"]
            ) as client:
                assert client.protocol == "lab.v1"
                assert await client.receive_str() == f"http://localhost:{visit.port} mine=1"
                await client.send_str("hé")
                assert await client.receive_str() == "echo hé"
                large = bytes(range(256)) * 8192
                await client.send_bytes(large)
                assert await client.receive_bytes() == large[::-1]
                await client.send_str("close")
                message = await client.receive()
                assert message.type is aiohttp.WSMsgType.CLOSE
                assert (message.data, message.extra) == (4321, "as asked")

    stage.play(scenario)


def test_a_websocket_that_closes_here_closes_there() -> None:
    codes: list[int | None] = []
    done = asyncio.Event()

    async def listening(request: web.Request) -> web.StreamResponse:
        socket_ = web.WebSocketResponse()
        await socket_.prepare(request)
        async for _ in socket_:
            pass
        codes.append(socket_.close_code)
        done.set()
        return socket_

    async def scenario() -> None:
        async with visits.visiting(listening) as visit:
            headers = {"Host": visit.host, "Cookie": await visit.cookie()}
            url = f"http://127.0.0.1:{visit.agent.port}/"
            client = await visit.session.ws_connect(url, headers=headers)
            await client.close(code=4001)
            await asyncio.wait_for(done.wait(), stage.PATIENCE_SECONDS)
            assert codes == [4001]

    stage.play(scenario)


def test_a_websocket_needs_the_cookie_too() -> None:
    async def scenario() -> None:
        async with visits.visiting(_echo) as visit:
            url = f"http://127.0.0.1:{visit.agent.port}/agent/terminal"
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await visit.session.ws_connect(url, headers={"Host": visit.host})
            assert refused.value.status == 401

    stage.play(scenario)


def test_a_websocket_the_application_refuses_is_refused() -> None:
    async def scenario() -> None:
        async with visits.visiting() as visit:
            headers = {"Host": visit.host, "Cookie": await visit.cookie()}
            url = f"http://127.0.0.1:{visit.agent.port}/"
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await visit.session.ws_connect(url, headers=headers)
            assert refused.value.status == 502

    stage.play(scenario)


def test_a_page_of_the_application_under_agent_is_the_applications() -> None:
    async def scenario() -> None:
        async with (
            visits.visiting() as visit,
            visit.request("/agent/terminal", cookie=await visit.cookie()) as answer,
        ):
            assert await answer.text() == "app GET /agent/terminal"

    stage.play(scenario)
