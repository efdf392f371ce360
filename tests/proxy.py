"""A proxy that ends TLS in front of a server, as an operator has one: it says whom it saw."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding")


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 90
    to: str

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every method is passed on alike: `do_GET`, `do_POST` and so on."""
        if name.startswith("do_"):
            return self._pass_on
        raise AttributeError(name)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def _pass_on(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        said, seen = self.headers.get("x-forwarded-for"), self.client_address[0]
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        headers["X-Forwarded-For"] = f"{said}, {seen}" if said else seen
        there = http.client.HTTPConnection(self.to, timeout=self.timeout)
        with contextlib.closing(there):
            there.request(self.command, self.path, self.rfile.read(size), headers)
            answer = there.getresponse()
            body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    tls: ssl.SSLContext

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The handshake is in its own thread: who does not speak holds up nobody."""
        with contextlib.suppress(OSError):
            request.settimeout(_Handler.timeout)
            line = self.tls.wrap_socket(request, server_side=True)
            super().process_request_thread(line, client_address)


@contextlib.contextmanager
def proxying(address: tuple[str, int], to: str, certificate: tuple[Path, Path]) -> Iterator[None]:
    """Serve https at an address with this chain and key, for the server at `to`, `host:port`."""
    served = _Server(address, type("Proxy", (_Handler,), {"to": to}))
    served.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.tls.load_cert_chain(*certificate)
    thread = threading.Thread(target=served.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        served.shutdown()
        served.server_close()
        thread.join()
