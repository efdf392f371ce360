"""When somebody last did something in a lab, and when it ends because nobody does."""

from __future__ import annotations

from dataclasses import replace

from brihaspati.domain.sandboxes import Sandbox
from brihaspati.engine import records
from brihaspati.engine.world import World

# The store hears of typing now and then. Only so long before an end does it matter to be exact.
EXACT_MS = 10 * 60_000


def last_at(world: World, sandbox: Sandbox) -> int | None:
    """As its agent says or, where that is a rented machine, said with its last sign of life.

    None: nobody has, or nobody here knows yet.
    """
    return world.agents.last_input_at(sandbox.id) or _told(world, sandbox)


def _told(world: World, sandbox: Sandbox) -> int | None:
    keys = [records.beat_key(sandbox.id, machine.label) for machine in sandbox.current]
    said = world.store.get_many(keys).values()
    return max((item.body["input_at"] or 0 for item in said), default=0) or None


def idle_at(world: World, sandbox: Sandbox) -> int | None:
    """When a ready sandbox will end unless somebody does something; None: never for that.

    Far from that moment it may be told earlier than it is, and costs no request to the store.
    """
    known = sandbox.idle_at if sandbox.phase == "ready" else None
    if known is None or known - world.clock.now() > EXACT_MS:
        return known
    at = max(last_at(world, sandbox) or 0, sandbox.last_input_at or 0) or None
    return replace(sandbox, last_input_at=at).idle_at
