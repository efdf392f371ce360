"""Bytes that no browser sends, to the real port: answered or cut off, and never a fault of ours."""

from __future__ import annotations

import contextlib
import http.client
import socket

import pytest

from brihaspati import wiring
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server

JSON = b"Content-Type: application/json\r\n"
# Half a request gets no answer, and no answer to a whole one is none of our business here.
ANSWER_SECONDS_MAX = 1


def said(server: FreshServer, sent: bytes, seconds_max: float = ANSWER_SECONDS_MAX) -> bytes:
    """All that the server answers before it hangs up, or falls silent."""
    host, _, port = server.address.partition("//")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=seconds_max) as line:
        answer = b""
        try:
            line.sendall(sent)
            while piece := line.recv(65_536):
                answer += piece
        except (ConnectionError, TimeoutError):
            pass  # cut off is an answer, too
        return answer


def request(first: bytes, headers: bytes = b"", body: bytes = b"") -> bytes:
    return (
        first + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers + b"\r\n" + body
    )


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        b"\xff" * 5000,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\n\r\n",
        request(b"GET /v1/join/%ff%00%2e%2e"),
        request(b"GET /v1/join/\xff\xfe"),
        request(b"GET /%ff%00"),
        request(b"GET /" + b"a" * 5_000),
        request(b"GET /" + b"a" * 20_000),
        request(b"GET /assets/" + b"../" * 500),
        request(b"GET /v1/session?student=%ff&student=%00&="),
        request(b"GET /v1/session", b"Cookie: bh_session=\xff\xfe.\xff; ;;=;\r\n"),
        request(b"GET /v1/session", b"X-Long: " + b"a" * 100_000 + b"\r\n"),
        request(b"GET /v1/session", b"X-Many: a\r\n" * 3000),
        request(b"GET /v1/session", b"Prefer: wait=1e999\r\n"),
        request(b"GET /v1/session", b"Prefer: wait=nan, wait=-1, \xff\r\n"),
        request(b"HEAD /v1/session"),
        request(b"BREW /v1/session"),
        request(b"POST /v1/join", JSON + b"Content-Length: 4\r\n", b"\xff\xfe\xfd\xfc"),
        request(b"POST /v1/join", JSON + b"Content-Length: 40\r\n", b"{"),
        request(b"POST /v1/join", JSON + b"Content-Length: -1\r\n", b"{}"),
        request(b"POST /v1/join", JSON + b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}"),
        request(b"POST /v1/join", JSON + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n", b"{}"),
        request(b"GET /agent/terminal", b"Upgrade: websocket\r\nConnection: Upgrade\r\n"),
        request(b"GET /agent/terminal"),
        request(b"GET /agent/nothing", b"Upgrade: websocket\r\n"),
    ],
    ids=lambda sent: repr(sent[:40]),
)
def test_strange_bytes_are_no_fault_of_ours(server: FreshServer, sent: bytes) -> None:
    answer = said(server, sent)
    assert answer == b"" or answer.startswith(b"HTTP/1.")
    if answer:
        assert int(answer.split()[1]) < 500, answer[:300]
    assert b'"status":"ok"' in said(server, request(b"GET /v1/health"), 60)


def test_nothing_of_all_this_was_logged_as_a_fault(server: FreshServer) -> None:
    log = (server.folder / "server.log").read_text()
    assert "Traceback" not in log


def closes(server: FreshServer) -> bool:
    """Whether the server hangs up after an answer."""
    line = http.client.HTTPConnection(server.address.partition("//")[2], timeout=60)
    with contextlib.closing(line):
        line.request("GET", "/v1/health")
        answer = line.getresponse()
        assert b'"ok"' in answer.read()
        return answer.headers["Connection"] == "close"


def test_behind_a_proxy_every_connection_is_for_one_request(server: FreshServer) -> None:
    # The door tells WebSockets by a connection's first bytes; a proxy uses connections again.
    assert not closes(server)
    with fresh_server(wiring.open_shop({}), pool=0, secure="1") as behind_a_proxy:
        assert closes(behind_a_proxy)
