"""WebKitGTK, the nearest to Safari on Debian, by WebDriver over HTTP."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import loopback

# On a busy machine all of it is slow: the driver, the browser it starts, and what pages wait for.
START_SECONDS_MAX = 60
WAIT_SECONDS_MAX = 40
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # as the standard names it
TOOLS = ("WebKitWebDriver", "Xvfb", "dbus-run-session")


def missing() -> str | None:
    """What keeps WebKitGTK from running here; None when nothing does."""
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        return f"{', '.join(absent)} not installed: apt-get install webkit2gtk-driver xvfb dbus-x11"
    return None if _browser() else "WebKitGTK's MiniBrowser is not where Debian has it"


def _browser() -> Path | None:
    return next(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"), None)


class WebKit:
    """One browser window."""

    def __init__(self, driver: str) -> None:
        self._driver = driver
        options = {"binary": str(_browser()), "args": ["--automation"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        answer = self._send("POST", "/session", {"capabilities": wanted})
        self._session = f"/session/{answer['sessionId']}"
        self.version = answer["capabilities"]["browserVersion"]

    def close(self) -> None:
        """End the browser."""
        self._send("DELETE", self._session)

    def go(self, address: str) -> None:
        """Open an address."""
        self._post("/url", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function's body returns in the page."""
        return self._post("/execute/sync", {"script": script, "args": list(arguments)})

    def click(self, selector: str) -> None:
        """Press what the selector finds, once it is there."""
        self._post(f"/element/{self._find(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Type into what the selector finds, once it is there."""
        self._post(f"/element/{self._find(selector)}/value", {"text": text})

    def until(self, script: str, *arguments: Any) -> Any:
        """What the script returns, once that is true. Raises TimeoutError with what it was."""
        return self._patiently(lambda: self.run(script, *arguments), script)

    def _find(self, selector: str) -> str:
        def find() -> str | None:
            try:
                found = self._post("/element", {"using": "css selector", "value": selector})
            except urllib.error.HTTPError:
                return None
            return str(found[ELEMENT])

        return str(self._patiently(find, selector))

    def _patiently(self, look: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + WAIT_SECONDS_MAX
        while not (found := look()):
            if time.monotonic() > end:
                text = self.run("return document.body.innerText.slice(0, 2000)")
                raise TimeoutError(f"{what}: {found!r}; the page says: {text}")
        return found

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._send("POST", self._session + path, body)

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self._driver}{path}", data, method=method)
        with urllib.request.urlopen(asked, timeout=WAIT_SECONDS_MAX) as answer:
            return json.load(answer)["value"]


@contextmanager
def webkit() -> Iterator[WebKit]:
    """A browser on a screen that nobody sees. It begins where `missing` is None."""
    with _screen() as display:
        port = loopback.free_port()
        command = ["dbus-run-session", "--", "WebKitWebDriver", f"--port={port}"]
        given = {**os.environ, "DISPLAY": display, "WEBKIT_DISABLE_COMPOSITING_MODE": "1"}
        quiet = subprocess.DEVNULL
        driver = subprocess.Popen(command, env=given, stdout=quiet, stderr=quiet)
        try:
            _listens(port)
            browser = WebKit(f"http://127.0.0.1:{port}")
            yield browser
            browser.close()
        finally:
            driver.terminate()
            driver.wait()


@contextmanager
def _screen() -> Iterator[str]:
    reading, writing = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(writing),
        "-screen",
        "0",
        "1280x900x24",
        "-nolisten",
        "tcp",
    ]
    screen = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            yield f":{said.readline().strip()}"
    finally:
        screen.terminate()
        screen.wait()


def _listens(port: int) -> None:
    end = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
        else:
            return
