"""A student in a real browser, whose lab is a machine rented from each cloud's stand-in."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browsing import (
    FLAGS,
    HELLO,
    LAB_ENDS,
    SCREEN,
    Faults,
    join,
    opened,
    press_play,
    screen,
    stop,
    tab,
    type_line,
)
from rented.household import Household, household

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.browser]
CHROMIUM = shutil.which("chromium")
READY_MS_MAX = 90_000
Proved = Callable[[str, object], None]
WEB = "Speak HTTP"
# The lab's web page says what cookies came, and what its WebSocket says.
SITE = """
import base64, hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = '<p id=c>cookies: %s</p><p id=w></p><script>new WebSocket(location.origin.replace("http",\
"ws")+"/line").onmessage=e=>document.getElementById("w").textContent=e.data</script>'

class Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade"):
            key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            shown = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            self.send_header("Sec-WebSocket-Accept", shown)
            self.end_headers()
            said = b"the line works"
            self.wfile.write(bytes([0x81, len(said)]) + said)
            self.rfile.read(1)
            return
        page = (PAGE % self.headers.get("Cookie")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Set-Cookie", "own=biscuit")
        self.end_headers()
        self.wfile.write(page)

ThreadingHTTPServer(("", 8080), Site).serve_forever()
"""


def needed() -> None:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    if shutil.which("certutil") is None:
        pytest.skip("certutil is not installed (apt install libnss3-tools)")
    if not Path("web/dist/index.html").exists():
        pytest.skip("the web app is not built: run make web")


@contextmanager
def chromium(home: Path, authority: Path | None, names: str = "") -> Iterator[Browser]:
    """Chromium of a user who has told it to trust this authority, and nothing else of the test."""
    database = home / ".pki/nssdb"
    database.mkdir(parents=True)
    certutil = ["certutil", "-d", f"sql:{database}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True, capture_output=True)
    if authority is not None:
        add = ["-A", "-n", "issuer", "-t", "C,,", "-i", str(authority)]
        subprocess.run([*certutil, *add], check=True, capture_output=True)
    environment = {**os.environ, "HOME": str(home)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[*FLAGS, f"--host-resolver-rules={names}"],
            env={**environment},
        )
        yield browser
        browser.close()


@pytest.mark.parametrize(("cloud", "lab"), [("digitalocean", WEB), ("linode", HELLO)])
def test_a_browser_reaches_a_terminal_and_a_web_page_on_a_rented_machine_over_https(
    cloud: str, lab: str, tmp_path: Path, record_property: Proved
) -> None:
    needed()

    def proved(what: str) -> None:
        record_property("proved", f"{cloud}: {what}")

    faults = Faults()
    with (
        household(tmp_path, cloud) as house,
        chromium(tmp_path / "home", house.issuer.roots) as browser,
        opened(browser, faults) as context,
    ):
        lines: set[str] = set()
        page = context.new_page()
        page.on("websocket", lambda line: lines.add(line.url))
        join(context, house, "Asha", page)
        proved(f"Chromium joined at {house.address} with the code of the class")
        began = time.monotonic()
        press_play(page, lab)
        expect(screen(page)).to_contain_text("#", timeout=READY_MS_MAX)
        proved(f"{time.monotonic() - began:.1f} s from Play to a prompt in the browser")
        machine = _machine(house, cloud)
        assert f"wss://{machine}/agent/terminal" in lines
        proved(f"the terminal came from wss://{machine}, its certificate verified by Chromium")
        _work(page)
        proved("what was typed was done as root there, and was there after a reload")
        if lab == WEB:
            proved(look(house, page, f"{machine}:8443"))
        assert faults.beyond("favicon") == []
        stop(page)
        # Of a machine this young no list is believed yet.
        ended = page.get_by_role("heading", name="Lab ended, nothing left behind")
        expect(ended).to_be_visible()
        assert house.world.running() == []
        proved("Stop: the page says nothing is left, and the cloud has no machine")
    assert faults.beyond(LAB_ENDS) == []


def _machine(house: Household, cloud: str) -> str:
    """The address of the only machine, which is that cloud's."""
    (server,) = house.world.running()
    assert server.provider == cloud
    return server.address


def _work(page: Page) -> None:
    type_line(page, "kept=yes; echo $((6*7)) $(id -un)")
    expect(page.locator(SCREEN)).to_contain_text("42 root")
    page.reload()
    expect(page.locator(SCREEN)).to_contain_text("42 root")
    type_line(page, "echo still-$kept")
    expect(page.locator(SCREEN)).to_contain_text("still-yes")


def look(house: Household, page: Page, where: str) -> str:
    """The lab's web page in its tab, whose application sees its own cookie and none of ours."""
    (server,) = house.world.running()
    # What is not a session of its own yet ends with the script, so wait until it answers.
    begin = (
        f"cat >/root/site.py <<'END'\n{SITE}END\nsetsid python3 /root/site.py >/dev/null 2>&1 &\n"
    )
    wait = "until curl -s -o /dev/null localhost:8080; do sleep 0.2; done"
    ended = house.engine.world.agents.run(server.name, begin + wait, seconds_max=30)
    assert (ended.code, ended.timed_out) == (0, False)
    tab(page, "My site")
    site = page.frame_locator("iframe")
    # The agent loads what only previews need, and asks again until the program listens.
    expect(site.locator("#w")).to_have_text("the line works")
    page.get_by_role("button", name="Reload").click()
    expect(site.locator("#c")).to_have_text("cookies: own=biscuit")
    (url,) = [frame.url for frame in page.frames if frame.url.endswith(f"{where}/")]
    stranger = page.context.browser.new_context()  # type: ignore[union-attr]
    refused = stranger.new_page().goto(url)
    assert refused is not None
    assert refused.status == 401
    stranger.close()
    return f"a web page of the lab and its WebSocket, in a frame, from {url}"


def test_a_browser_that_cannot_reach_the_machine_is_brought_there_by_the_portal(
    tmp_path: Path, record_property: Proved
) -> None:
    needed()
    faults = Faults()
    with household(tmp_path) as house:
        portal = house.address.removeprefix("http://").partition(":")[0]
        with (
            chromium(tmp_path / "home", None, f"MAP *.localhost {portal}") as browser,
            opened(browser, faults) as context,
        ):
            lines: list[str] = []
            page = context.new_page()
            page.on("websocket", lambda line: lines.append(line.url))
            join(context, house, "Asha", page)
            press_play(page, WEB)
            expect(screen(page)).to_contain_text("#", timeout=READY_MS_MAX)
            machine = _machine(house, "digitalocean")
            tried = [line for line in lines if line.startswith(f"wss://{machine}/")]
            assert len(tried) == 2, lines
            assert lines[-1] == f"{house.address.replace('http', 'ws')}/relay/terminal"
            look(house, page, "localhost:443")
    # It does not know who issued the machine's certificate.
    assert faults.beyond("favicon", "ERR_CERT_AUTHORITY_INVALID", "401 (Unauthorized)") == []
    record_property("proved", "a browser whom two lines failed: terminal, page, WebSocket by relay")
