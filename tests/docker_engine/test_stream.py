"""The raw stream beside the API: not a byte of it may be lost to the reading of headers."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path

import pytest

from brihaspati.adapters.docker_engine import commands, engine

_VERSION = b'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{"ApiVersion": "1.41"}  '


def _serve(folder: Path, answers: list[bytes]) -> str:
    """An engine that sends one answer per connection, in one piece, and hangs up."""
    path = folder / "engine.sock"
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        with server:
            for answer in answers:
                line, _ = server.accept()
                with line:
                    line.recv(65536)
                    line.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return f"unix://{path}"


def test_bytes_that_come_with_the_headers_are_kept(tmp_path: Path) -> None:
    early = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n17\r\nhello"
    line = engine.Engine(_serve(tmp_path, [_VERSION, early]))
    with line.stream("/exec/e/start", {"Tty": True}) as stream:
        assert stream.recv(100) == b"17\r\nhello"
        assert stream.recv(100) == b""
    line.close()


def test_a_refused_stream_says_why(tmp_path: Path) -> None:
    said = b'{"message": "container is not running"}'
    answer = b"HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\n\r\n" + said
    line = engine.Engine(_serve(tmp_path, [_VERSION, answer]))
    with pytest.raises(engine.Refused, match="container is not running") as refused:
        line.stream("/exec/e/start", {})
    assert refused.value.status == 409
    line.close()


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 101"])
def test_an_answer_that_is_none_is_a_lost_connection(tmp_path: Path, answer: bytes) -> None:
    line = engine.Engine(_serve(tmp_path, [_VERSION, answer]))
    with pytest.raises(ConnectionError):
        line.stream("/exec/e/start", {})
    line.close()


def _frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


def test_two_outputs_are_told_apart_however_they_are_cut() -> None:
    wire = _frame(1, b"out") + _frame(2, b"1\nerr") + _frame(1, b"") + _frame(1, b"put" * 50)
    for size in range(1, len(wire)):
        sorter = commands.Sorter(100)
        for start in range(0, len(wire), size):
            sorter.feed(wire[start : start + size])
        assert bytes(sorter.kept[2]) == b"1\nerr"
        assert bytes(sorter.kept[1]) == (b"out" + b"put" * 50)[:100]
        assert sorter.first_error_line == b"1"
        assert sorter.truncated
