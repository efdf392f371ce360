"""The way to agents of rented machines, in both modes."""

from __future__ import annotations

from brihaspati.adapters import agentlink
from brihaspati.engine.machines import Machines


def serve(link: agentlink.AgentLink, machines: Machines) -> None:
    """From now on it finds the machines that the engine knows."""

    def door(label: str) -> agentlink.Door | None:
        found = machines.door(label)
        return None if found is None else agentlink.Door(found.address, found.host, found.ticket)

    link.serve(agentlink.Known(door, machines.glance))
