"""The agent inside the server's own process, as the engine sees it: `ports.Agents`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from brihaspati import ports
from brihaspati.domain.labs import SCRIPT_ARGV, Lab
from brihaspati_agent import places
from brihaspati_agent.hub import Hub

log = logging.getLogger(__name__)

# A script says a few lines to the student; the rest of what it prints is read and let go.
OUTPUT_BYTES_MAX = 16_384


class HubAgents:
    """Passes calls from worker threads into the loop the hub lives in, and waits for none."""

    def __init__(self) -> None:
        self._hub: Hub | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def serve(self, hub: Hub, loop: asyncio.AbstractEventLoop) -> None:
        """From now on there is a hub. Before, and in commands without a server, there is none."""
        self._hub, self._loop = hub, loop

    def run(self, label: str, script: str, *, seconds_max: float) -> ports.ScriptOutcome:
        """Run a script as root on a machine, in the thread that asks. Raises Unreachable."""
        if self._hub is None:
            raise ports.Unreachable("its server is just starting.")
        try:
            outcome = self._hub.at(label).run(
                SCRIPT_ARGV,
                stdin=script.encode(),
                timeout_seconds=seconds_max,
                output_bytes_max=OUTPUT_BYTES_MAX,
                user="root",
            )
        except places.NoSuchMachine:
            raise ports.Unreachable("its machine is gone.") from None
        except places.PlaceError as error:
            raise ports.Unreachable(f"{error}.") from error
        text = outcome.output.decode(errors="replace")
        return ports.ScriptOutcome(outcome.code, text, outcome.timed_out)

    def open_early(self, sandbox: str, machines: Mapping[str, str], lab: Lab) -> None:
        """Start the lab's terminals in the background; the first viewer would otherwise."""
        choices = {t.name: (t.machine, t.command) for t in lab.terminals}
        if self._hub is not None:
            self._soon(self._hub.open_early(sandbox, machines, choices))

    def close(self, sandbox: str, reason: str) -> None:
        """End every session of the sandbox, telling viewers why."""
        if self._hub is not None:
            self._soon(self._hub.end(sandbox, reason))

    def last_input_at(self, sandbox: str) -> ports.Moment | None:
        """When someone last typed, or None when nobody has."""
        return self._hub.heartbeat(sandbox).last_input_at if self._hub is not None else None

    def glance(self, sandbox: str) -> ports.Glance:
        """What is to be seen of a sandbox now: nothing where nobody has opened a terminal yet."""
        if self._hub is None:
            return ports.Glance()
        input_at = self._hub.heartbeat(sandbox).last_input_at
        return ports.Glance(input_at, self._hub.glance(sandbox))

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(_told(work), self._loop)


async def _told(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - best effort by contract; a log line is its end
        log.info("agent could not", extra={"reason": str(error)})
