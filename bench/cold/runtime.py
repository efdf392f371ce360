"""A small Runtime API: hands out events one by one, and notes the processor's time at each.

Which is Lambda's side of https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. Answers go
out in one write and at once: two would wait 40 ms for each other (delayed acknowledgement).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SECONDS_MAX = 60
BASE = "/2018-06-01/runtime"


@dataclass(slots=True)
class Start:
    """One process from its start: until it asked for work, and what its first answers took.

    `cpu_ms` and `wall_ms`: at the first question, then after each answer. `answers` as they came.
    """

    cpu_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    restored: bool = False
    fault: str = ""


class Runtime:
    """Serves one process at a time, on a port of loopback."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.runtime = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._left: list[Mapping[str, Any]] = []
        self._pid = 0
        self._began = 0.0
        self._ended = threading.Event()
        self.start = Start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def live(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        events: Sequence[Mapping[str, Any]],
    ) -> Start:
        """Start a process, have it answer the events, end it."""
        self.start, self._left, self._ended = Start(), list(events), threading.Event()
        self._began = time.perf_counter()
        process = subprocess.Popen(
            command,
            env={**environment, "AWS_LAMBDA_RUNTIME_API": self.address},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._pid = process.pid
        try:
            until = time.monotonic() + SECONDS_MAX
            while not self._ended.wait(0.2) and time.monotonic() < until:
                if process.poll() is not None:
                    self.start.fault = f"it ended with status {process.returncode}"
                    break
            if not self._ended.is_set():
                self.start.fault = self.start.fault or "it never asked for more work"
        finally:
            process.kill()
            said, _ = process.communicate()
        if self.start.fault:
            self.start.fault += f": {said[-2000:]}"
        return self.start

    # --- what the process asks -------------------------------------------------------------------
    def next(self) -> Mapping[str, Any] | None:
        """The next event; None at the end."""
        if not self.start.cpu_ms:
            self._note()
        if not self._left:
            self._ended.set()
            return None
        return self._left.pop(0)

    def answered(self, body: bytes) -> None:
        """A response to the last event."""
        self._note()
        self.start.answers.append(json.loads(body or b"null"))

    def failed(self, body: bytes) -> None:
        """The process, or the handler, cannot go on."""
        self.start.fault = body.decode(errors="replace")
        self._ended.set()

    def _note(self) -> None:
        self.start.wall_ms.append((time.perf_counter() - self._began) * 1000)
        threads = Path(f"/proc/{self._pid}/task").glob("*/schedstat")
        self.start.cpu_ms.append(sum(int(t.read_text().split()[0]) for t in threads) / 1e6)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    @property
    def _runtime(self) -> Runtime:
        found: Runtime = self.server.runtime  # type: ignore[attr-defined]
        return found

    def do_GET(self) -> None:
        if self.path == f"{BASE}/restore/next":
            self._runtime.start.restored = True
            self._say(200, b"")
            return
        event = self._runtime.next()
        if event is None:
            threading.Event().wait(SECONDS_MAX)  # it is ended while it waits
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": os.urandom(8).hex(),
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 30) * 1000)),
            "Lambda-Runtime-Trace-Id": "Root=1-0-0;Sampled=0",
            "Content-Type": "application/json",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:1:function:cold",
        }
        self._say(200, json.dumps(event).encode(), headers)

    def do_POST(self) -> None:
        body = self._body()
        if self.path.endswith("/response"):
            self._runtime.answered(body)
        else:
            self._runtime.failed(body)
        self._say(202, b"{}")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _say(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *args: object) -> None:
        """Say nothing."""
