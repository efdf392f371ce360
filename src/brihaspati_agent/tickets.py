"""Tickets: a signed, short, single-use permission for one browser to open one sandbox.

The control plane signs with Ed25519; the agent knows only its public key. Text of a ticket:
base64url(payload) "." base64url(signature), both without padding; the signature is over
`SIGNED_PREFIX` and the payload's bytes.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from brihaspati_agent import signatures

SIGNED_PREFIX = b"brihaspati-ticket-1\n"
_ANOTHER = re.compile(r"(?P<first>.+)~[2-9]")
CLOCK_SKEW_MS = 5_000
LIFETIME_MS_MAX = 120_000
TEXT_LENGTH_MAX = 8192

Permission = Literal["terminal", "watch", "control", "files", "preview"]
Reason = Literal[
    "malformed", "forged", "deployment", "expired", "early", "restarted", "used", "forbidden"
]
_SAID: Mapping[str, str] = {
    "malformed": "this is not a ticket",
    "forged": "the signature is not our control plane's",
    "deployment": "the ticket is for another deployment",
    "expired": "the ticket is too old; ask for a new one",
    "early": "the ticket is from the future; check the clocks",
    "restarted": "the agent started after the ticket was made; ask for a new one",
    "used": "the ticket was used before; ask for a new one",
    "forbidden": "the ticket does not allow this",
}


class Refused(Exception):  # noqa: N818 - a normal answer, named for what it is
    """The ticket does not open this. `reason` is a word of `Reason`; the text is for a person."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"{reason}: {_SAID[reason]}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TerminalChoice:
    """A terminal of the sandbox: on which machine, and which program (None: a login shell)."""

    machine: str
    command: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a genuine ticket says. `machines` maps name to label; moments are milliseconds."""

    id: str
    sandbox: str
    machines: Mapping[str, str]
    terminals: Mapping[str, TerminalChoice]
    user: str
    name: str
    may: frozenset[str]
    port: int | None
    machine: str | None
    issued_at: int
    expires_at: int

    def choice(self, name: str) -> TerminalChoice | None:
        """The terminal of this name; `main~2` is one more login shell where `main` is."""
        if name in self.terminals:
            return self.terminals[name]
        another = another_shell(name)
        first = self.terminals.get(another) if another is not None else None
        return None if first is None else TerminalChoice(first.machine, None)


def another_shell(name: str) -> str | None:
    """Beside which terminal one more shell of this name is, or None: it is one of the lab's own."""
    found = _ANOTHER.fullmatch(name)
    return found["first"] if found else None


class Gate:
    """Lets genuine tickets in, each once. Remembers a used ticket until it would expire anyway."""

    def __init__(
        self, public_key: bytes, env: str, now: Callable[[], int], started_at: int
    ) -> None:
        if len(public_key) != 32:
            raise ValueError("an Ed25519 key has 32 bytes")
        self._key = public_key
        self._keys = signatures.keys()
        self._env = env
        self._now = now
        self._started_at = started_at
        self._used: set[str] = set()
        self._forget: list[tuple[int, str]] = []

    def admit(self, text: str, *permissions: Permission) -> Ticket:
        """Take the ticket in; it must have at least one of the permissions. Raises Refused."""
        payload = self._open(text)
        if payload.get("env") != self._env:
            raise Refused("deployment")
        ticket = _parse(payload)
        self._in_time(ticket)
        if not ticket.may.intersection(permissions):
            raise Refused("forbidden")
        self._once(ticket)
        return ticket

    @property
    def remembered(self) -> int:
        """How many used tickets are held in memory."""
        return len(self._used)

    def _open(self, text: str) -> dict[str, Any]:
        if len(text) > TEXT_LENGTH_MAX:
            raise Refused("malformed")
        body, dot, signature = text.partition(".")
        try:
            payload = _unbase64(body)
            signed = _unbase64(signature)
        except (binascii.Error, ValueError):
            raise Refused("malformed") from None
        if not dot:
            raise Refused("malformed")
        if not self._keys.verify(self._key, signed, SIGNED_PREFIX + payload):
            raise Refused("forged")
        try:
            parsed = json.loads(payload)
        except ValueError:
            raise Refused("malformed") from None
        if not isinstance(parsed, dict) or parsed.get("v") != 1:
            raise Refused("malformed")
        return parsed

    def _in_time(self, ticket: Ticket) -> None:
        now = self._now()
        if ticket.expires_at <= now:
            raise Refused("expired")
        if ticket.issued_at > now + CLOCK_SKEW_MS:
            raise Refused("early")
        if ticket.expires_at - ticket.issued_at > LIFETIME_MS_MAX:
            raise Refused("malformed")
        if ticket.issued_at < self._started_at:
            raise Refused("restarted")

    def _once(self, ticket: Ticket) -> None:
        now = self._now()
        while self._forget and self._forget[0][0] <= now:
            self._used.discard(heapq.heappop(self._forget)[1])
        if ticket.id in self._used:
            raise Refused("used")
        self._used.add(ticket.id)
        heapq.heappush(self._forget, (ticket.expires_at, ticket.id))


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _parse(payload: Mapping[str, Any]) -> Ticket:
    try:
        terminals = {
            str(name): TerminalChoice(
                str(choice[0]), None if choice[1] is None else tuple(map(str, choice[1]))
            )
            for name, choice in payload["terminals"].items()
        }
        port = payload.get("port")
        machine = payload.get("machine")
        ticket = Ticket(
            id=str(payload["id"]),
            sandbox=str(payload["sandbox"]),
            machines={str(k): str(v) for k, v in payload["machines"].items()},
            terminals=terminals,
            user=str(payload["user"]),
            name=str(payload["name"]),
            may=frozenset(map(str, payload["may"])),
            port=None if port is None else int(port),
            machine=None if machine is None else str(machine),
            issued_at=int(payload["issued_at"]),
            expires_at=int(payload["expires_at"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise Refused("malformed") from None
    if len(ticket.id) < 16 or not ticket.sandbox:
        raise Refused("malformed")
    return ticket
