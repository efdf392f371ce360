"""Tries this machine's own terminal as a browser would: by its public address, until it echoes.

Without `websockets`' own client, whose parts would stay in the machine's memory for this one call.
"""

from __future__ import annotations

import json
import secrets
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from websockets.client import ClientProtocol
from websockets.exceptions import WebSocketException
from websockets.frames import Frame
from websockets.uri import parse_uri

from brihaspati_agent import wire

_SECONDS_MAX = 10
_PIECE_BYTES = 16 * 1024


def echo(address: tuple[str, int], host: str, tls: ssl.SSLContext | None, ticket: str) -> None:
    """Have the terminal `check` of a ticket answer.

    `host` is what the certificate is for. Raises OSError or ValueError.
    """
    shown = f"[{host}]" if ":" in host else host
    url = f"{'ws' if tls is None else 'wss'}://{shown}:{address[1]}/agent/terminal"
    with socket.create_connection(address, _SECONDS_MAX) as plain:
        there = plain if tls is None else tls.wrap_socket(plain, server_hostname=host)
        with there:
            try:
                _echo(there, ClientProtocol(parse_uri(url)), ticket)
            except WebSocketException as error:
                raise OSError(str(error)) from error


def _echo(there: socket.socket, protocol: ClientProtocol, ticket: str) -> None:
    protocol.send_request(protocol.connect())
    events = _events(there, protocol)
    if next(events, None) is None or protocol.handshake_exc is not None:
        raise OSError(str(protocol.handshake_exc or "nobody answers"))
    first = {"ticket": ticket, "terminal": "check", "columns": 80, "rows": 24}
    protocol.send_text(json.dumps(first).encode())
    next(events, None)
    word = secrets.token_hex(8).encode()
    if protocol.close_rcvd is not None:
        raise OSError(_ended(protocol))
    protocol.send_binary(bytes([wire.INPUT]) + word + b"\n")
    seen = b""
    for event in events:
        data = bytes(event.data) if isinstance(event, Frame) else b""
        seen += data[1:]
        if b"got " + word in seen:
            return
    raise OSError(_ended(protocol))


def _ended(protocol: ClientProtocol) -> str:
    said = protocol.close_rcvd
    why = f"{said.code} {said.reason}" if said is not None else "without a word"
    return f"it ended before it echoed: {why}"


def _events(there: socket.socket, protocol: ClientProtocol) -> Iterator[Any]:
    """What comes; before each is waited for, what there is to send is sent."""
    while True:
        for data in protocol.data_to_send():
            there.sendall(data)
        found = protocol.events_received()
        yield from found
        if found:
            continue
        data = there.recv(_PIECE_BYTES)
        if not data:
            return
        protocol.receive_data(data)
