"""What passes between a browser and an application in a lab, and how it is changed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from agent import stage, visits
from brihaspati_agent import preview_headers


def test_the_application_believes_it_is_at_home_and_never_sees_our_cookies() -> None:
    async def scenario() -> None:
        async with visits.visiting() as visit:
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
        async with visits.visiting() as visit:
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
        answer.headers["Clear-Site-Data"] = '"cookies"'
        answer.headers.add("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
        answer.headers.add("Set-Cookie", "a=1; Domain=localhost; Path=/x")
        answer.headers.add("Set-Cookie", "b=2; HttpOnly; domain = .example")
        answer.headers.add("Set-Cookie", "bh_session=stolen; Path=/")
        answer.headers.add("Set-Cookie", "__Host-bh_preview=stolen; Path=/; Secure")
        answer.headers["X-Own"] = "kept"
        return answer

    async def scenario() -> None:
        async with (
            visits.visiting(answering) as visit,
            visit.request("/", cookie=await visit.cookie()) as answer,
        ):
            assert (answer.status, answer.reason) == (418, "Teapot")
            assert await answer.read() == b"\x1f\x8bpacked"
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["X-Own"] == "kept"
            assert "X-Frame-Options" not in answer.headers
            assert "Clear-Site-Data" not in answer.headers
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
            visits.visiting() as visit,
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
        async with visits.visiting(digest) as visit:
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
        async with visits.visiting(echo) as visit:
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
            visits.visiting(slowly) as visit,
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
        async with visits.visiting(broken) as visit:
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
        async with visits.visiting(endless) as visit:
            async with visit.request("/", cookie=await visit.cookie()) as answer:
                await answer.content.readany()
                answer.close()
            await asyncio.wait_for(left.wait(), stage.PATIENCE_SECONDS)

    stage.play(scenario)
