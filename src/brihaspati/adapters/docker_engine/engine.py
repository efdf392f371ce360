"""The connection to the engine: its API through docker-py, and raw streams beside it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

import docker
import docker.errors
import requests.exceptions

from brihaspati import ports

# Everything docker-py and the transports below it raise when a request fails; KeyError is what it
# makes of an error without a message, as a proxy may send.
FAULTS = (docker.errors.DockerException, requests.exceptions.RequestException, OSError, KeyError)
_NEVER_SENT = (ConnectionRefusedError, FileNotFoundError, PermissionError, socket.gaierror)
_HEAD_BYTES_MAX = 65536


class Refused(Exception):  # noqa: N818
    """The engine answered a request for a stream with an error. `status` is the HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Engine:
    """One engine. It connects at the first use; safe to share between threads."""

    def __init__(self, address: str, timeout_seconds: int = 60) -> None:
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in {"unix", "tcp"}:
            raise ValueError(f"{address!r}: give unix:///path/to/docker.sock or tcp://host:port")
        self.address = address
        self._parts = parts
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._api: docker.APIClient | None = None

    @property
    def local(self) -> bool:
        """Whether the engine runs on this host, as far as its address tells."""
        return self._parts.scheme == "unix"

    @property
    def api(self) -> docker.APIClient:
        """The client; connecting is part of the first call and may raise one of FAULTS."""
        with self._lock:
            if self._api is None:
                self._api = docker.APIClient(
                    base_url=self.address,
                    version="auto",
                    timeout=self._timeout_seconds,
                    max_pool_size=32,
                )
            return self._api

    def close(self) -> None:
        """Let go of the connections; the next use opens new ones."""
        with self._lock:
            if self._api is not None:
                self._api.close()
                self._api = None

    def stream(self, path: str, body: Mapping[str, Any]) -> socket.socket:
        """POST, and take over the connection: a blocking socket at the first byte of the stream.

        docker-py reads the answer through a buffer that may swallow the first bytes of the stream,
        so this is spoken by hand. Raises Refused or OSError.
        """
        text = json.dumps(body).encode()
        version = self.api.api_version
        head = (
            f"POST /v{version}{path} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
            f"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {len(text)}\r\n\r\n"
        )
        line = self._dial()
        try:
            line.sendall(head.encode() + text)
            answer = _read_head(line)
            status = int(answer.split(b" ", 2)[1])
            if status not in {101, 200}:
                raise Refused(status, _read_problem(line))
            line.settimeout(None)
        except (ValueError, IndexError) as error:
            line.close()
            raise ConnectionError(f"not an HTTP answer: {error}") from error
        except BaseException:
            line.close()
            raise
        return line

    def _dial(self) -> socket.socket:
        if self.local:
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.settimeout(self._timeout_seconds)
            try:
                line.connect(self._parts.path)
            except OSError:
                line.close()
                raise
            return line
        where = (self._parts.hostname or "127.0.0.1", self._parts.port or 2375)
        line = socket.create_connection(where, timeout=self._timeout_seconds)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line


def _read_head(line: socket.socket) -> bytes:
    """Up to and including the empty line, and not a byte more: what follows is the stream."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        piece = line.recv(1)
        if not piece or len(head) > _HEAD_BYTES_MAX:
            raise ConnectionError("the engine closed the connection")
        head += piece
    return bytes(head)


def _read_problem(line: socket.socket) -> str:
    line.settimeout(2)
    with contextlib.suppress(OSError):
        text = line.recv(65536).decode(errors="replace")
        start, end = text.find("{"), text.rfind("}")
        with contextlib.suppress(ValueError, AttributeError):
            return str(json.loads(text[start : end + 1]).get("message", text))
        return text
    return "no reason given"


def text_of(error: BaseException) -> str:
    """The engine's own words, in one line."""
    said = getattr(error, "explanation", None) or str(error) or type(error).__name__
    return " ".join(str(said).split())[:500]


def status_of(error: BaseException) -> int | None:
    """The HTTP status of an answer; None when there was no answer."""
    if isinstance(error, Refused):
        return error.status
    return error.status_code if isinstance(error, docker.errors.APIError) else None


def never_sent(error: BaseException) -> bool:
    """Whether the request certainly did not reach the engine: nobody took the call."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        item = todo.pop()
        if isinstance(item, _NEVER_SENT):
            return True
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            todo += [item.__cause__, *item.args]
    return False


@contextlib.contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn every fault of the engine into Unclear, saying what was asked."""
    try:
        yield
    except FAULTS as error:
        raise ports.Unclear(f"{what}: {text_of(error)}") from error
