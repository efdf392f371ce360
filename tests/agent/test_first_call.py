"""From where a machine's agent spends its boot token."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from brihaspati_agent.control_plane import ControlPlane, Times, Unreachable


class _Plane(http.server.BaseHTTPRequestHandler):
    """Says yes, and remembers whom it saw."""

    seen: list[str]

    def do_POST(self) -> None:
        self.seen.append(self.client_address[0])
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response_only(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
        """Say nothing."""


class _Both(http.server.ThreadingHTTPServer):
    """Answers by IPv6 and by IPv4."""

    address_family = socket.AF_INET6


@contextlib.contextmanager
def _plane() -> Iterator[tuple[int, list[str]]]:
    seen: list[str] = []
    try:
        server = _Both(("::", 0), type("Plane", (_Plane,), {"seen": seen}))
        socket.create_connection(("::1", server.server_port), 5).close()
    except OSError:
        pytest.skip("this host has no IPv6")
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port, seen
        server.shutdown()
        thread.join()


def test_a_boot_token_is_spent_by_ipv4_for_that_is_the_address_the_control_plane_knows() -> None:
    with _plane() as (port, seen):
        by_ipv6 = ControlPlane(f"http://[::1]:{port}", "bh-test-a", bytes(32), Times())
        with pytest.raises(Unreachable):
            by_ipv6.begin("token", {})
        assert seen == []
        by_ipv6.tell("/v1/machines/beat", {})
        ControlPlane(f"http://127.0.0.1:{port}", "bh-test-a", bytes(32), Times()).begin("token", {})
    assert seen == ["::1", "::ffff:127.0.0.1"]
