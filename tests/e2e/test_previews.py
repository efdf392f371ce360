"""A lab's own web pages beside its terminals, and two machines that reach each other."""

from __future__ import annotations

import base64

from playwright.sync_api import BrowserContext, expect

from brihaspati.entrypoints.cli.fresh import FreshServer
from browsing import Faults, join, play, press_run, screen, tab, turn_to, type_line

WEB = "Speak HTTP"
ATTACK = "Break in, then fix it"
# The lab's app answers with the headers that reached it.
ECHO = b"""
from http.server import BaseHTTPRequestHandler, HTTPServer

class Echo(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Set-Cookie", "own=biscuit; SameSite=None; Secure; Partitioned")
        self.end_headers()
        self.wfile.write(str(self.headers).encode())

HTTPServer(("", 8080), Echo).serve_forever()
"""


def test_the_guide_s_commands_make_a_site_that_a_waiting_tab_shows_when_it_is_turned_to(
    server: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = join(ipad, server, "Latika")
    play(page, WEB)
    tab(page, "My site")
    site = page.frame_locator("iframe")
    expect(site.get_by_role("heading")).to_contain_text("Nothing is listening")
    tab(page, "main")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    turn_to(page, "A site of your own")
    press_run(page, 0)
    press_run(page, 1)
    type_line(page, "sleep 1; cat ~/site/style.css | tail -n 1; echo do''ne")
    expect(screen(page)).to_contain_text("done")
    press_run(page, 2)
    expect(screen(page)).to_contain_text("Serving HTTP on")
    assert [url for url in asked if "p8080--" in url] == [], "it asked while nobody looked"
    tab(page, "My site")
    expect(site.get_by_role("heading")).to_have_text("Hello from my own server")
    expect(site.get_by_role("heading")).to_have_css("color", "rgb(180, 83, 9)")
    assert faults.beyond("favicon", "503") == []


def test_the_app_in_a_lab_never_sees_the_session_and_strangers_never_see_the_app(
    server: FreshServer, ipad: BrowserContext, other_ipad: BrowserContext, faults: Faults
) -> None:
    page = join(ipad, server, "Meena")
    play(page, WEB)
    type_line(page, f"echo {base64.b64encode(ECHO).decode()} | base64 -d > echo.py")
    type_line(page, "python3 echo.py 2>/dev/null & sleep 1; echo serv''ing")
    expect(screen(page)).to_contain_text("serving")
    tab(page, "My site")
    said = page.frame_locator("iframe").locator("body")
    expect(said).to_contain_text("Host: p8080--")
    page.get_by_role("button", name="Reload").click()
    expect(said).to_contain_text("own=biscuit")
    assert any(cookie["name"] == "bh_session" for cookie in ipad.cookies())
    assert "bh_" not in said.inner_text()
    (frame,) = [frame for frame in page.frames if "p8080--" in frame.url]
    stranger = other_ipad.new_page()
    refused = stranger.goto(frame.url)
    assert refused is not None
    assert refused.status == 401
    expect(stranger.get_by_role("heading")).to_have_text("Open this preview from the lab page")
    assert faults.beyond("Failed to load resource") == []


def test_an_attacker_reaches_the_shop_and_sees_it_in_a_tab(
    server: FreshServer, ipad: BrowserContext, faults: Faults
) -> None:
    page = join(ipad, server, "Nandini")
    play(page, ATTACK)
    type_line(page, "curl -s --retry 9 --retry-connrefused http://shop:8080/robots.txt")
    expect(screen(page)).to_contain_text("Disallow")
    tab(page, "^shop")
    type_line(page, "echo on-$(hostname)")
    expect(screen(page)).to_contain_text("on-shop")
    tab(page, "The shop")
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("Marigold Tea House")
    assert faults == []
