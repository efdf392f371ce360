"""From where a machine's agent spends its boot token."""

from __future__ import annotations

import http.server
import socket
import threading

import pytest

from brihaspati_agent.control_plane import ControlPlane, Times


class _Both(http.server.ThreadingHTTPServer):
    """Answers by IPv6 and by IPv4."""

    address_family = socket.AF_INET6


def test_a_boot_token_is_spent_by_ipv4_for_that_is_the_address_the_control_plane_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []

    class Plane(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.client_address[0])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response_only(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Say nothing."""

    try:
        server = _Both(("::", 0), Plane)
        socket.create_connection(("::1", server.server_port), 5).close()
    except OSError:
        pytest.skip("this host has no IPv6")
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        stream = (socket.SOCK_STREAM, 6, "")
        both = [
            (socket.AF_INET6, *stream, ("::1", server.server_port, 0, 0)),
            (socket.AF_INET, *stream, ("127.0.0.1", server.server_port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        url = f"http://app.example.org:{server.server_port}"
        ControlPlane(url, "bh-test-a", bytes(32), Times()).begin("token", {})
        server.shutdown()
        thread.join()
    assert seen == ["::ffff:127.0.0.1"]
