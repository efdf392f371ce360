"""Browsers of the rehearsal: what they ask goes over HTTP to the deployed API, and nowhere else."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from websockets.sync.client import connect
from websockets.typing import Origin

from rehearsal.account import Failed
from rehearsal.stage import ORIGIN

ASK_SECONDS_MAX = 40


@dataclass
class Browser:
    """A person's browser, with their session once there is one."""

    portal: str
    name: str = ""
    cookie: str = ""

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """A request: the status, and the JSON of the answer."""
        headers = {"Content-Type": "application/json", "Origin": ORIGIN, "Cookie": self.cookie}
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self.portal}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=ASK_SECONDS_MAX) as answer:
                if cookie := answer.headers.get("Set-Cookie"):
                    self.cookie = cookie.partition(";")[0]
                return answer.status, _json(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _json(error.read())

    def did(self, method: str, path: str, body: Any = None) -> Any:
        """What a request that succeeds answers. Raises Failed."""
        status, said = self.ask(method, path, body)
        if status >= 300:
            raise Failed(f"{self.name}: {method} {path} answered {status}: {said}")
        return said

    def join(self, code: str) -> str:
        """Join a class; its id."""
        joined = self.did("POST", "/v1/join", {"code": code, "name": self.name})
        class_id: str = joined["class_id"]
        return class_id


@dataclass
class Seat:
    """A student's place at one lab of the class."""

    who: Browser
    class_id: str = ""
    lab: str = "hello"

    @property
    def path(self) -> str:
        """Where their sandbox is."""
        return f"/v1/classes/{self.class_id}/labs/{self.lab}/sandbox"

    def play(self) -> None:
        """Press Play."""
        self.who.did("PUT", self.path)

    def stop(self) -> None:
        """Press Stop."""
        self.who.did("DELETE", self.path)

    def typed(self, line: str, awaited: bytes) -> str:
        """Type a line into the terminal until this comes back; the address. Raises Failed."""
        ticket = self.who.did("POST", f"{self.path}/ticket", {"for": "terminal"})
        url: str = ticket["url"]
        first = {"ticket": ticket["ticket"], "terminal": "main", "columns": 80, "rows": 24}
        seen = b""
        with connect(url, origin=Origin(ORIGIN), proxy=None) as wire:
            wire.send(json.dumps(first))
            wire.recv(10)
            wire.send(b"\x00" + line.encode() + b"\n")
            try:
                while awaited not in seen:
                    said = wire.recv(10)
                    seen += said[1:] if isinstance(said, bytes) else b""
            except TimeoutError:
                raise Failed(f"the terminal never said {awaited!r}: {seen!r}") from None
        return url

    def sandbox(self) -> dict[str, Any]:
        """How it is now."""
        said: dict[str, Any] = self.who.did("GET", self.path)["sandbox"]
        return said

    def until(self, phase: str, seconds_max: float) -> dict[str, Any]:
        """The sandbox once it is in this phase. Raises Failed."""

        def seen() -> dict[str, Any] | None:
            found = self.sandbox()
            if found["phase"] in ("failed", "gone") and found["phase"] != phase:
                raise Failed(f"{self.who.name}: the lab is {found['phase']}: {found}")
            return found if found["phase"] == phase else None

        found: dict[str, Any] = until(seen, f"{self.who.name}'s lab is {phase}", seconds_max)
        return found


def until(seen: Callable[[], Any], what: str, seconds_max: float) -> Any:
    """What is seen once it is true. Raises Failed."""
    ends = time.monotonic() + seconds_max
    while not (found := seen()):
        if time.monotonic() > ends:
            raise Failed(f"not after {seconds_max:.0f} s: {what}")
        time.sleep(0.3)
    return found


def _json(content: bytes) -> Any:
    try:
        return json.loads(content or b"null")
    except ValueError:
        return content.decode(errors="replace")[:500]
