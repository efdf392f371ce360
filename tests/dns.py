"""A small authoritative server of DNS on loopback, for whoever must be told what a zone says."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence

KINDS = {"A": 1, "TXT": 16, "AAAA": 28}
# Kind and value of each record of a name.
Say = Callable[[str], Sequence[tuple[str, str]]]


def answer(asked: bytes, say: Say) -> bytes:
    """The answer to one question (RFC 1035): what there is of that kind, else nothing."""
    at, labels = 12, []
    while asked[at]:
        labels.append(asked[at + 1 : at + 1 + asked[at]].decode())
        at += 1 + asked[at]
    (kind,) = struct.unpack_from(">H", asked, at + 1)
    question = asked[12 : at + 5]
    name = ".".join(labels).lower()
    found = [_data(k, value) for k, value in say(name) if KINDS[k] == kind]
    head = asked[:2] + struct.pack(">HHHHH", 0x8400, 1, len(found), 0, 0)
    rows = [struct.pack(">HHHIH", 0xC00C, kind, 1, 0, len(data)) + data for data in found]
    return head + question + b"".join(rows)


def _data(kind: str, value: str) -> bytes:
    if kind == "TXT":
        return bytes([len(value)]) + value.encode()
    return ipaddress.ip_address(value).packed


@contextlib.contextmanager
def serving(say: Say) -> Iterator[str]:
    """Where it answers, `host:port`, for as long as the context lasts."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        host, port = line.getsockname()

        def serve() -> None:
            while (asked := line.recvfrom(4096))[0]:
                line.sendto(answer(asked[0], say), asked[1])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"{host}:{port}"
        line.sendto(b"", (host, port))
        thread.join(5)
