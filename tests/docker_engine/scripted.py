"""An engine that answers as a test tells it to, over a real socket; and remembers every request."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_VERSION = "/v1.41"


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body; a list body is sent as JSON lines, as streams are."""

    status: int
    body: Any = None


class HangUp:
    """The engine took the request, and the line went dead."""


Reply = Answer | HangUp


@dataclass
class Script:
    """What is answered to "METHOD /path" (without version and query); 200 and {} otherwise."""

    replies: dict[str, Reply | Callable[[], Reply]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: dict[str, Any] = field(default_factory=dict)

    def count(self, what: str) -> int:
        return sum(one == what for one in self.asked)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    script: Script


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        path = self.path.split("?", maxsplit=1)[0].removeprefix(_VERSION)
        what = f"{self.command} {path}"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.script.asked.append(what)
        self.server.script.bodies[what] = json.loads(body) if body else None
        reply = self.server.script.replies.get(what, Answer(200, {}))
        reply = reply() if callable(reply) else reply
        if isinstance(reply, HangUp):
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        if path == "/images/create":
            self._stream(reply.body)
            return
        text = json.dumps(reply.body).encode()
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _stream(self, lines: list[Any]) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in lines:
            text = json.dumps(line).encode() + b"\r\n"
            self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - names of the base class

    def log_message(self, *_: object) -> None:
        return

    def address_string(self) -> str:
        return "unix"


@contextmanager
def engine(folder: Path) -> Iterator[tuple[str, Script]]:
    """A running engine: its address, and its script to fill in."""
    script = Script({"GET /version": Answer(200, {"ApiVersion": "1.41", "Version": "20.10"})})
    path = folder / "engine.sock"
    with _Server(str(path), _Handler) as server:
        server.script = script
        worker = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        worker.start()
        try:
            yield f"unix://{path}", script
        finally:
            server.shutdown()
            worker.join()
