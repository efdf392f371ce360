"""A ticket: a signed, 60-second, single-use permission for one browser to open one sandbox.

Text: base64url(payload JSON) "." base64url(Ed25519 signature), both without padding. The signature
covers a fixed prefix and the payload bytes, so that no other signed thing can pass for a ticket.
The agent verifies it with the public key alone; see docs/reference/ticket-and-terminal-protocol.md.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

LIFE_MS = 60_000
PREFIX = b"brihaspati-ticket-1\n"

Permission = Literal["terminal", "watch", "control", "files", "preview"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says. `machines` maps names to labels; `terminals` to machine and command."""

    id: str
    env: str
    sandbox: str
    machines: Mapping[str, str]
    terminals: Mapping[str, tuple[str, tuple[str, ...] | None]]
    user: str
    name: str
    may: tuple[Permission, ...]
    issued_at: int
    expires_at: int
    port: int | None = None
    machine: str | None = None
    v: int = 1


def seal(ticket: Ticket, sign: Callable[[bytes], bytes]) -> str:
    """The ticket as text, signed."""
    payload = json.dumps(asdict(ticket), separators=(",", ":"), sort_keys=True).encode()
    return f"{_encode(payload)}.{_encode(sign(PREFIX + payload))}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
