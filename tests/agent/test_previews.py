"""Ports of a lab in the browser, through the agent, to a real application."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from agent import stage
from brihaspati_agent import preview_headers


@dataclass
class Visit:
    """An application in a lab, and a browser that looks at it through the agent."""

    agent: stage.Stage
    session: aiohttp.ClientSession
    port: int
    seen: list[web.Request]

    @property
    def host(self) -> str:
        return f"p{self.port}--abc234-main.localhost:{self.agent.port}"

    def ticket(self, **changes: Any) -> str:
        given = {"may": ["preview"], "port": self.port, "machine": "main", **changes}
        return self.agent.signer.ticket(**given)

    def request(
        self, path: str, *, method: str = "GET", cookie: str | None = None, **given: Any
    ) -> Any:
        headers = {"Host": given.pop("host", self.host), **given.pop("headers", {})}
        if cookie:
            headers["Cookie"] = cookie
        url = f"http://127.0.0.1:{self.agent.port}{path}"
        return self.session.request(method, url, headers=headers, allow_redirects=False, **given)

    async def cookie(self, **changes: Any) -> str:
        """The gate's cookie, as a browser would send it."""
        async with self.request(f"/_brihaspati/open?ticket={self.ticket(**changes)}") as answer:
            assert answer.status == 302, await answer.text()
            cookie: str = answer.headers.getall("Set-Cookie")[0].partition(";")[0]
            return cookie


Answer = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]


async def _hello(request: web.Request) -> web.StreamResponse:
    return web.Response(text=f"app {request.method} {request.raw_path}")


@contextlib.asynccontextmanager
async def visiting(answer: Answer = _hello, *, secure: bool = False) -> AsyncIterator[Visit]:
    """An application that answers so, behind an agent."""
    seen: list[web.Request] = []

    async def keep(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return await answer(request)

    application = web.Application(client_max_size=0)
    application.router.add_route("*", "/{tail:.*}", keep)
    runner = web.AppRunner(
        application, access_log=None, auto_decompress=False, shutdown_timeout=0.1
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with (
        stage.staged(secure=secure) as agent,
        aiohttp.ClientSession(
            auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        ) as session,
    ):
        yield Visit(agent, session, port, seen)
    await runner.cleanup()


# --- the gate ----------------------------------------------------------------------------------
def test_a_ticket_is_traded_for_a_cookie_that_opens_this_host_only() -> None:
    async def scenario() -> None:
        async with visiting() as visit:
            url = f"/_brihaspati/open?ticket={visit.ticket()}&to=/page%3Fq=1"
            async with visit.request(url) as answer:
                assert answer.status == 302
                assert answer.headers["Location"] == "/page?q=1"
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert answer.headers["Cache-Control"] == "no-store"
                cookies = answer.headers.getall("Set-Cookie")
            assert not visit.seen, "the application does not see the ticket"
            plain, framed = cookies
            for cookie in cookies:
                assert "HttpOnly" in cookie
                assert "Path=/" in cookie
                assert "Domain" not in cookie
            assert plain.startswith("bh_preview=")
            assert "SameSite=Lax" in plain
            assert "SameSite=None" in framed
            assert "Partitioned" in framed
            for cookie in cookies:
                async with visit.request("/page", cookie=cookie.partition(";")[0]) as answer:
                    assert await answer.text() == "app GET /page"
                other = visit.host.replace("main", "box")
                async with visit.request(
                    "/", cookie=cookie.partition(";")[0], host=other
                ) as answer:
                    assert answer.status == 401

    stage.play(scenario)


def test_in_a_frame_the_applications_cookies_are_made_to_be_kept() -> None:
    async def setting(_: web.Request) -> web.StreamResponse:
        answer = web.Response()
        answer.headers.add("Set-Cookie", "a=1; Path=/; SameSite=Lax; HttpOnly; Domain=localhost")
        answer.headers.add("Set-Cookie", "secured=; secure; samesite=strict")
        return answer

    async def scenario() -> None:
        async with visiting(setting) as visit:
            framed = (await visit.cookie()).replace("bh_preview=", "bh_preview_framed=")
            async with visit.request("/", cookie=framed) as answer:
                assert answer.headers.getall("Set-Cookie") == [
                    "a=1; Path=/; HttpOnly; Secure; SameSite=None; Partitioned",
                    "secured=; Secure; SameSite=None; Partitioned",
                ]
            both = f"{framed}; {await visit.cookie()}"
            async with visit.request("/", cookie=both) as answer:
                assert answer.headers["Set-Cookie"] == "a=1; Path=/; SameSite=Lax; HttpOnly"
            assert "Cookie" not in visit.seen[0].headers

    stage.play(scenario)


def test_over_https_the_cookie_is_bound_to_its_host_by_name() -> None:
    async def scenario() -> None:
        async with visiting(secure=True) as visit:
            async with visit.request(f"/_brihaspati/open?ticket={visit.ticket()}") as answer:
                (cookie,) = answer.headers.getall("Set-Cookie")
            assert cookie.startswith("__Host-bh_preview=")
            assert cookie.endswith("; Secure; SameSite=Lax")

    stage.play(scenario)


def test_nothing_is_answered_without_the_cookie() -> None:
    async def scenario() -> None:
        async with visiting() as visit:
            good = await visit.cookie()
            forged = good[:-4] + "AAAA"
            for cookie in (None, "bh_preview=", "bh_preview=x.y", "bh_preview=é", forged):
                async with visit.request("/secret", cookie=cookie) as answer:
                    assert answer.status == 401
                    assert "from the lab page" in await answer.text()
                    assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
            assert not visit.seen

    stage.play(scenario)


@pytest.mark.parametrize(
    "changes",
    [
        {"port": 1},
        {"sandbox": "zzz234"},
        {"machine": "box", "machines": {"main": "a", "box": "b"}},
        {"machine": None},
        {"may": ["terminal"]},
        {"expires_at": 0},
        {"machine": "nowhere"},
    ],
)
def test_a_ticket_for_something_else_opens_nothing(changes: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with visiting() as visit:
            ticket = visit.ticket(**changes)
            async with visit.request(f"/_brihaspati/open?ticket={ticket}") as answer:
                assert answer.status == 401
                assert "Set-Cookie" not in answer.headers

    stage.play(scenario)


def test_a_ticket_opens_a_preview_once() -> None:
    async def scenario() -> None:
        async with visiting() as visit:
            path = f"/_brihaspati/open?ticket={visit.ticket()}"
            async with visit.request(path) as answer:
                assert answer.status == 302
            async with visit.request(path) as answer:
                assert answer.status == 401
                assert "used before" in await answer.text()

    stage.play(scenario)


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a%0d%0aX:y", "/%09/e"]
)
def test_the_way_in_leads_nowhere_else(to: str) -> None:
    async def scenario() -> None:
        async with visiting() as visit:
            path = f"/_brihaspati/open?ticket={visit.ticket()}&to={to}"
            async with visit.request(path) as answer:
                assert answer.status == 302
                assert answer.headers["Location"] == "/"

    stage.play(scenario)


def test_the_cookie_ends_with_the_sandbox() -> None:
    async def scenario() -> None:
        async with visiting() as visit:
            cookie = await visit.cookie()
            await visit.agent.hub.end("abc234", "stopped")
            async with visit.request("/", cookie=cookie) as answer:
                assert answer.status == 410
                assert "lab has ended" in await answer.text()
            assert not visit.seen

    stage.play(scenario)


def test_the_cookie_does_not_last_for_ever() -> None:
    async def scenario() -> None:
        async with visiting() as visit:
            cookie = await visit.cookie()
            visit.agent.clock.at += 25 * 3600 * 1000
            async with visit.request("/", cookie=cookie) as answer:
                assert answer.status == 401

    stage.play(scenario)


def test_a_gone_machine_is_said() -> None:
    async def scenario() -> None:
        async with visiting() as visit:
            cookie = await visit.cookie(machines={"main": "gone"})
            async with visit.request("/", cookie=cookie) as answer:
                assert answer.status == 410

    stage.play(scenario)


def test_a_port_nobody_listens_on_is_said_and_tried_again_by_the_page() -> None:
    async def scenario() -> None:
        async with visiting() as visit:
            with socket.create_server(("127.0.0.1", 0)) as unused:
                visit.port = unused.getsockname()[1]
            cookie = await visit.cookie()
            async with visit.request("/", cookie=cookie) as answer:
                text = await answer.text()
                assert answer.status == 503
            assert f"Nothing is listening on port {visit.port} yet" in text
            assert re.search(r'http-equiv="refresh" content="\d"', text)

    stage.play(scenario)


# --- what passes -------------------------------------------------------------------------------
def test_the_application_believes_it_is_at_home_and_never_sees_our_cookies() -> None:
    async def scenario() -> None:
        async with visiting() as visit:
            ours = "bh_session=s; __Host-bh_session=t; __Host-bh_preview=u; bh_x"
            cookie = f"theirs=1; {await visit.cookie()}; {ours}; also=2=3"
            headers = {
                "Origin": f"http://{visit.host}",
                "Referer": f"http://{visit.host}/page",
                "X-Own": "kept",
                "Connection": "close, X-Hop",
                "X-Hop": "dropped",
                "X-Forwarded-For": "6.6.6.6",
                "Accept-Language": "de",
            }
            async with visit.request("/a%2Fb?q=%20x", cookie=cookie, headers=headers) as answer:
                assert await answer.text() == "app GET /a%2Fb?q=%20x"
            (request,) = visit.seen
            assert request.headers.getall("Cookie") == ["theirs=1; also=2=3"]
            home = f"http://localhost:{visit.port}"
            assert request.headers["Host"] == home[7:]
            assert request.headers["Origin"] == home
            assert request.headers["Referer"] == f"{home}/page"
            assert request.headers["X-Own"] == "kept"
            assert request.headers["X-Forwarded-Host"] == visit.host
            assert "X-Hop" not in request.headers
            assert "X-Forwarded-For" not in request.headers

    stage.play(scenario)


def test_a_foreign_origin_stays_foreign() -> None:
    async def scenario() -> None:
        async with visiting() as visit:
            headers = {"Origin": "http://evil.example"}
            cookie = await visit.cookie()
            async with visit.request("/", cookie=cookie, headers=headers) as answer:
                assert answer.status == 200
            assert visit.seen[0].headers["Origin"] == "http://evil.example"

    stage.play(scenario)


def test_the_applications_answer_is_guarded_and_otherwise_its_own() -> None:
    async def answering(_: web.Request) -> web.StreamResponse:
        answer = web.Response(body=b"\x1f\x8bpacked", status=418, reason="Teapot")
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["X-Frame-Options"] = "DENY"
        answer.headers.add("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
        answer.headers.add("Set-Cookie", "a=1; Domain=localhost; Path=/x")
        answer.headers.add("Set-Cookie", "b=2; HttpOnly; domain = .example")
        answer.headers.add("Set-Cookie", "bh_session=stolen; Path=/")
        answer.headers.add("Set-Cookie", "__Host-bh_preview=stolen; Path=/; Secure")
        answer.headers["X-Own"] = "kept"
        return answer

    async def scenario() -> None:
        async with (
            visiting(answering) as visit,
            visit.request("/", cookie=await visit.cookie()) as answer,
        ):
            assert (answer.status, answer.reason) == (418, "Teapot")
            assert await answer.read() == b"\x1f\x8bpacked"
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["X-Own"] == "kept"
            assert "X-Frame-Options" not in answer.headers
            assert answer.headers["Origin-Agent-Cluster"] == "?1"
            assert answer.headers.getall("Content-Security-Policy") == [
                "default-src 'self'",
                f"frame-ancestors 'self' {stage.PORTAL}",
            ]
            assert answer.headers.getall("Set-Cookie") == ["a=1; Path=/x", "b=2; HttpOnly"]

    stage.play(scenario)


def test_redirects_to_the_application_itself_stay_in_the_preview() -> None:
    assert preview_headers.location("http://127.0.0.1:80/x?y#z", 80) == "/x?y#z"
    assert preview_headers.location("http://localhost:8080", 8080) == "/"
    assert preview_headers.location("http://localhost:8080?q", 8080) == "/?q"
    assert preview_headers.location("http://localhost/x", 80) == "/x"
    assert preview_headers.location("http://127.0.0.1:8080//evil.example", 8080) == "/evil.example"
    for other in (
        "/relative",
        "http://127.0.0.1:9090/x",
        "http://127.0.0.1:80800/x",
        "http://127.0.0.1:8080.evil.example/",
        "https://example.org/",
    ):
        assert preview_headers.location(other, 8080) == other


@pytest.mark.parametrize(
    ("policy", "rest"),
    [
        ("frame-ancestors 'none'", ""),
        ("default-src 'self'; Frame-Ancestors a b; img-src *", "default-src 'self'; img-src *"),
        ("script-src x, frame-ancestors y", "script-src x"),
        ("", ""),
        (" ; ;", ""),
    ],
)
def test_only_the_framing_part_of_a_policy_is_taken_out(policy: str, rest: str) -> None:
    assert preview_headers.without_frame_ancestors(policy) == rest


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_passes(method: str) -> None:
    async def scenario() -> None:
        async with (
            visiting() as visit,
            visit.request("/m", method=method, cookie=await visit.cookie()) as answer,
        ):
            assert answer.status == 200
            assert visit.seen[0].method == method
            expected = "" if method == "HEAD" else f"app {method} /m"
            assert await answer.text() == expected

    stage.play(scenario)


@pytest.mark.parametrize("chunked", [True, False])
def test_a_large_upload_passes_without_being_held(chunked: bool) -> None:  # noqa: FBT001
    async def digest(request: web.Request) -> web.StreamResponse:
        summed = hashlib.sha256()
        async for piece in request.content.iter_any():
            summed.update(piece)
        kind = request.headers.get("Transfer-Encoding", request.headers.get("Content-Length"))
        return web.Response(text=f"{kind} {summed.hexdigest()}")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(256):
            yield b"0123456789abcdef" * 8192

    async def scenario() -> None:
        whole = b"0123456789abcdef" * 8192 * 256
        async with visiting(digest) as visit:
            data = pieces() if chunked else whole
            cookie = await visit.cookie()
            async with visit.request("/", method="POST", cookie=cookie, data=data) as answer:
                kind, summed = (await answer.text()).split()
            assert summed == hashlib.sha256(whole).hexdigest()
            assert kind == ("chunked" if chunked else str(len(whole)))

    stage.play(scenario)


def test_a_packed_upload_stays_packed() -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        body = b"".join([piece async for piece in request.content.iter_any()])
        return web.Response(body=body + request.headers["Content-Encoding"].encode())

    async def scenario() -> None:
        async with visiting(echo) as visit:
            cookie, headers = await visit.cookie(), {"Content-Encoding": "gzip"}
            async with visit.request(
                "/", method="POST", cookie=cookie, headers=headers, data=b"\x1f\x8bnot really"
            ) as answer:
                assert await answer.read() == b"\x1f\x8bnot reallygzip"

    stage.play(scenario)


def test_an_answer_is_passed_on_as_it_comes() -> None:
    go_on = asyncio.Event()

    async def slowly(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.content_type = "text/event-stream"
        await answer.prepare(request)
        await answer.write(b"data: 1\n\n")
        await go_on.wait()
        await answer.write(b"data: 2\n\n")
        return answer

    async def scenario() -> None:
        async with (
            visiting(slowly) as visit,
            visit.request("/", cookie=await visit.cookie()) as answer,
        ):
            assert await answer.content.readany() == b"data: 1\n\n"
            go_on.set()
            assert await answer.content.readany() == b"data: 2\n\n"
            assert await answer.content.readany() == b""

    stage.play(scenario)


def test_half_an_answer_does_not_look_whole() -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.content_length = 1000
        await answer.prepare(request)
        await answer.write(b"x" * 10)
        assert request.transport is not None
        request.transport.abort()
        return answer

    async def scenario() -> None:
        async with visiting(broken) as visit:
            with pytest.raises(aiohttp.ClientError):
                async with visit.request("/", cookie=await visit.cookie()) as answer:
                    await answer.read()

    stage.play(scenario)


def test_a_browser_that_leaves_is_noticed_by_the_application() -> None:
    left = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b"tick\n")
                await asyncio.sleep(0.01)
        except ConnectionError:
            left.set()
            raise

    async def scenario() -> None:
        async with visiting(endless) as visit:
            async with visit.request("/", cookie=await visit.cookie()) as answer:
                await answer.content.readany()
                answer.close()
            await asyncio.wait_for(left.wait(), 5)

    stage.play(scenario)


# --- websockets --------------------------------------------------------------------------------
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
        async with visiting(_echo) as visit:
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
        async with visiting(listening) as visit:
            headers = {"Host": visit.host, "Cookie": await visit.cookie()}
            url = f"http://127.0.0.1:{visit.agent.port}/"
            client = await visit.session.ws_connect(url, headers=headers)
            await client.close(code=4001)
            await asyncio.wait_for(done.wait(), 5)
            assert codes == [4001]

    stage.play(scenario)


def test_a_websocket_needs_the_cookie_too() -> None:
    async def scenario() -> None:
        async with visiting(_echo) as visit:
            url = f"http://127.0.0.1:{visit.agent.port}/agent/terminal"
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await visit.session.ws_connect(url, headers={"Host": visit.host})
            assert refused.value.status == 401

    stage.play(scenario)


def test_a_websocket_the_application_refuses_is_refused() -> None:
    async def scenario() -> None:
        async with visiting() as visit:
            headers = {"Host": visit.host, "Cookie": await visit.cookie()}
            url = f"http://127.0.0.1:{visit.agent.port}/"
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await visit.session.ws_connect(url, headers=headers)
            assert refused.value.status == 502

    stage.play(scenario)


def test_a_page_of_the_application_under_agent_is_the_applications() -> None:
    async def scenario() -> None:
        async with (
            visiting() as visit,
            visit.request("/agent/terminal", cookie=await visit.cookie()) as answer,
        ):
            assert await answer.text() == "app GET /agent/terminal"

    stage.play(scenario)


@pytest.mark.parametrize(
    ("host", "matches"),
    [
        ("p8080--abc234-main.localhost:8000", True),
        ("P8080--ABC234.localhost", True),
        ("p8080--abc-a-b.localhost", True),
        ("p8080--abc.localhost.evil.example", False),
        ("p8080--abc.evil-localhost", False),
        ("xp8080--abc.localhost", False),
        ("p--abc.localhost", False),
        ("p123456--abc.localhost", False),
        ("p8080--.localhost", False),
        ("p8080--abc_.localhost", False),
        ("localhost:8000", False),
        ("", False),
    ],
)
def test_which_hosts_are_previews(host: str, matches: bool) -> None:  # noqa: FBT001
    async def scenario() -> None:
        async with stage.staged() as agent:
            assert agent.previews.matches(host) is matches

    stage.play(scenario)
