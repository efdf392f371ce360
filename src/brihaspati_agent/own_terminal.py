"""Tries this machine's own terminal as a browser would: by its public address, until it echoes."""

from __future__ import annotations

import json
import secrets
import ssl

from brihaspati_agent import dialled, wire

_SECONDS_MAX = 10


def echo(address: tuple[str, int], host: str, tls: ssl.SSLContext | None, ticket: str) -> None:
    """Have the terminal `check` of a ticket answer.

    `host` is what the certificate is for. Raises OSError or ValueError.
    """
    call = dialled.Call(address, host, "/agent/terminal", tls)
    with dialled.dial(call, _SECONDS_MAX) as line:
        line.send(json.dumps({"ticket": ticket, "terminal": "check", "columns": 80, "rows": 24}))
        line.recv(_SECONDS_MAX)
        word = secrets.token_hex(8).encode()
        line.send(bytes([wire.INPUT]) + word + b"\n")
        seen = b""
        while b"got " + word not in seen:
            said = line.recv(_SECONDS_MAX)
            seen += said[1:] if isinstance(said, bytes) else b""
