"""`ports.Agents` of rented machines: their own agents, asked over HTTPS with control tickets.

A call is a connection of its own, so that any function may make it. What an agent says by itself
comes with its signs of life, and is read from what is stored of them.
"""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from brihaspati import ports
from brihaspati.domain.labs import SCRIPT_ARGV, Lab
from brihaspati_agent import dialled

# A script says a few lines to the student; the rest of what it prints is read and let go.
OUTPUT_BYTES_MAX = 16_384
_OPEN_SECONDS_MAX = 5
_MORE_SECONDS = 5
_UNREACHED = "its machine does not answer."


@dataclass(frozen=True, slots=True)
class Door:
    """Where a machine's agent is, the host of its certificate, a ticket that controls it once."""

    address: str
    host: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the engine knows of machines. `door` of a label; `glance` of a sandbox."""

    door: Callable[[str], Door | None]
    glance: Callable[[str], ports.Glance]


class AgentLink:
    """Asks agents of machines; `serve` tells it where they are.

    `tls`: what certificates to trust; None for machines without TLS.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._known: Known | None = None

    def serve(self, known: Known) -> None:
        """From now on there is an engine that knows machines."""
        self._known = known

    def run(self, label: str, script: str, *, seconds_max: float) -> ports.ScriptOutcome:
        """Run a script as root on a machine. Raises Unreachable."""
        door = self._known.door(label) if self._known is not None else None
        if door is None:
            raise ports.Unreachable("its machine is gone.")
        request = {
            "id": 1,
            "op": "run",
            "argv": list(SCRIPT_ARGV),
            "stdin": base64.b64encode(script.encode()).decode(),
            "timeout_seconds": seconds_max,
            "user": "root",
        }
        try:
            said = self._ask(door, request, seconds_max + _MORE_SECONDS)
        except (OSError, ValueError, TypeError) as error:
            raise ports.Unreachable(_UNREACHED) from error
        if not said.get("ok"):
            raise ports.Unreachable(f"{said.get('problem', _UNREACHED)}.")
        text = base64.b64decode(said["output"])[:OUTPUT_BYTES_MAX].decode(errors="replace")
        return ports.ScriptOutcome(said["code"], text, said["timed_out"])

    def _ask(self, door: Door, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        call = dialled.Call((door.address, 443), door.host, "/agent/control", self._tls)
        with dialled.dial(call, _OPEN_SECONDS_MAX) as line:
            line.send(json.dumps({"ticket": door.ticket}))
            line.recv(_OPEN_SECONDS_MAX)
            line.send(json.dumps(request))
            said = json.loads(line.recv(seconds))
        if not isinstance(said, dict):
            raise TypeError("the answer is no object")
        return said

    def open_early(self, sandbox: str, machines: Mapping[str, str], lab: Lab) -> None:
        """An agent has opened the lab's terminals before it says that it is ready."""

    def close(self, sandbox: str, reason: str) -> None:
        """Its machine is about to be deleted, and its agent hears so with its next sign of life."""

    def last_input_at(self, sandbox: str) -> ports.Moment | None:  # noqa: ARG002
        """It comes with signs of life, by itself."""
        return None

    def glance(self, sandbox: str) -> ports.Glance:
        """What its agent said last."""
        return self._known.glance(sandbox) if self._known is not None else ports.Glance()
