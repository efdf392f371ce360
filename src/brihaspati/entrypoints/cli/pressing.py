"""One Play, from the press to the first prompt, with the time each part took."""

from __future__ import annotations

import time
from dataclasses import dataclass

from brihaspati.entrypoints.cli.client import Portal, Wire
from brihaspati.entrypoints.cli.play import first_output

READY_SECONDS_MAX = 120


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds from the press to each moment; `machine_ms` is the server's own share.

    ready: the answer said so. ticket: one was there. socket: the terminal said hello. prompt: there
    was something to read. machine_ms: from the record of the wish to that of readiness.
    """

    ready_ms: float
    ticket_ms: float
    socket_ms: float
    prompt_ms: float
    machine_ms: float


async def press_play(portal: Portal, path: str) -> tuple[Wire, Timing]:
    """Press Play on the sandbox at `path` and wait for its prompt. Raises ClientError."""
    begun = time.perf_counter()

    def since() -> float:
        return (time.perf_counter() - begun) * 1000

    sandbox = (await portal.send("PUT", path, wait=True))["sandbox"]
    if sandbox["phase"] != "ready":
        sandbox = await portal.until_phase(path, ("ready",), READY_SECONDS_MAX)
    ready = since()
    ticket = await portal.ticket(path)
    has_ticket = since()
    wire = await portal.attach(ticket)
    hello = since()
    await first_output(wire)
    machine = sandbox["ready_at"] - sandbox["asked_at"]
    return wire, Timing(ready, has_ticket, hello, since(), machine)
