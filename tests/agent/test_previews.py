"""The gate of a preview: tickets, cookies, hosts."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest
from aiohttp import web

from agent import stage, visits


def test_a_ticket_is_traded_for_a_cookie_that_opens_this_host_only() -> None:
    async def scenario() -> None:
        async with visits.visiting() as visit:
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


def test_who_works_in_a_web_page_is_not_idle_and_what_a_page_asks_by_itself_is_nobody() -> None:
    async def scenario() -> None:
        async with visits.visiting() as visit:
            cookie = await visit.cookie()
            page = {"Sec-Fetch-Mode": "cors"}
            async with visit.request("/news", cookie=cookie, headers=page) as answer:
                assert answer.status == 200
            assert visit.agent.hub.heartbeat("abc234").last_input_at is None
            opened = {"Sec-Fetch-Mode": "navigate"}
            asked = [("GET", opened), ("POST", page)]
            for method, headers in asked:
                visit.agent.clock.at += 1_000
                async with visit.request(
                    "/", method=method, cookie=cookie, headers=headers
                ) as answer:
                    assert answer.status == 200
                assert visit.agent.hub.heartbeat("abc234").last_input_at == visit.agent.clock.at

    stage.play(scenario)


def test_in_a_frame_the_applications_cookies_are_made_to_be_kept() -> None:
    async def setting(_: web.Request) -> web.StreamResponse:
        answer = web.Response()
        answer.headers.add("Set-Cookie", "a=1; Path=/; SameSite=Lax; HttpOnly; Domain=localhost")
        answer.headers.add("Set-Cookie", "secured=; secure; samesite=strict")
        return answer

    async def scenario() -> None:
        async with visits.visiting(setting) as visit:
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
        async with visits.visiting(secure=True) as visit:
            async with visit.request(f"/_brihaspati/open?ticket={visit.ticket()}") as answer:
                (cookie,) = answer.headers.getall("Set-Cookie")
            assert cookie.startswith("__Host-bh_preview=")
            assert cookie.endswith("; Secure; SameSite=Lax")

    stage.play(scenario)


def test_nothing_is_answered_without_the_cookie() -> None:
    async def scenario() -> None:
        async with visits.visiting() as visit:
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
        async with visits.visiting() as visit:
            ticket = visit.ticket(**changes)
            async with visit.request(f"/_brihaspati/open?ticket={ticket}") as answer:
                assert answer.status == 401
                assert "Set-Cookie" not in answer.headers

    stage.play(scenario)


def test_a_ticket_opens_a_preview_once() -> None:
    async def scenario() -> None:
        async with visits.visiting() as visit:
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
        async with visits.visiting() as visit:
            path = f"/_brihaspati/open?ticket={visit.ticket()}&to={to}"
            async with visit.request(path) as answer:
                assert answer.status == 302
                assert answer.headers["Location"] == "/"

    stage.play(scenario)


def test_the_cookie_ends_with_the_sandbox() -> None:
    async def scenario() -> None:
        async with visits.visiting() as visit:
            cookie = await visit.cookie()
            await visit.agent.hub.end("abc234", "stopped")
            async with visit.request("/", cookie=cookie) as answer:
                assert answer.status == 410
                assert "lab has ended" in await answer.text()
            assert not visit.seen

    stage.play(scenario)


def test_the_cookie_does_not_last_for_ever() -> None:
    async def scenario() -> None:
        async with visits.visiting() as visit:
            cookie = await visit.cookie()
            visit.agent.clock.at += 25 * 3600 * 1000
            async with visit.request("/", cookie=cookie) as answer:
                assert answer.status == 401

    stage.play(scenario)


def test_a_gone_machine_is_said() -> None:
    async def scenario() -> None:
        async with visits.visiting() as visit:
            cookie = await visit.cookie(machines={"main": "gone"})
            async with visit.request("/", cookie=cookie) as answer:
                assert answer.status == 410

    stage.play(scenario)


def test_a_port_nobody_listens_on_is_said_and_tried_again_by_the_page() -> None:
    async def scenario() -> None:
        async with visits.visiting() as visit:
            with socket.create_server(("127.0.0.1", 0)) as unused:
                visit.port = unused.getsockname()[1]
            cookie = await visit.cookie()
            opened = {"Sec-Fetch-Mode": "navigate", "Accept-Language": "fr, en-GB;q=0.8, de;q=0.5"}
            async with visit.request("/", cookie=cookie, headers=opened) as answer:
                text = await answer.text()
                assert answer.status == 503
            assert visit.agent.hub.heartbeat("abc234").last_input_at is None
            assert f"Nothing is listening on port {visit.port} yet" in text
            assert re.search(r'<noscript><meta http-equiv="refresh" content="\d"></noscript>', text)
            assert "requestAnimationFrame(() => location.reload())" in text
            assert "script-src" not in answer.headers.get("Content-Security-Policy", "")
            german = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.8"}
            async with visit.request("/", cookie=cookie, headers=german) as answer:
                text = await answer.text()
            assert '<html lang="de">' in text
            assert f"Auf Port {visit.port} antwortet noch nichts" in text

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
