"""Orders of the agent to the part of it that is root, and the answers: one message each."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

_LENGTH_BYTES = 4


def send(line: socket.socket, said: Mapping[str, Any]) -> None:
    """One message: a byte, with which a `descriptor` goes along; a length; JSON. Raises OSError."""
    descriptors = [said["descriptor"]] if "descriptor" in said else []
    # Its number means nothing to the other side, who would take a file of its own for it.
    data = json.dumps({name: one for name, one in said.items() if name != "descriptor"}).encode()
    socket.send_fds(line, [b"."], descriptors)
    line.sendall(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def receive(line: socket.socket) -> dict[str, Any]:
    """As `send` sent it. Raises OSError or EOFError."""
    first, descriptors, _, _ = socket.recv_fds(line, 1, 1, socket.MSG_CMSG_CLOEXEC)
    if not first:
        raise EOFError
    length = int.from_bytes(_exactly(line, _LENGTH_BYTES), "big")
    said: dict[str, Any] = json.loads(_exactly(line, length))
    return {**said, "descriptor": descriptors[0]} if descriptors else said


def _exactly(line: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = line.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)
