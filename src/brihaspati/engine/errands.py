"""Machines that are no student's: a builder of an image, a trial of an account.

Their intent is written before they are asked for. Until it ends they are no strays; after that they
are, and the sweep deletes what was left behind.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from brihaspati import ports
from brihaspati.domain import sandboxes
from brihaspati.engine.world import World
from brihaspati.ports import Key, Put

ERRANDS = Key("sweep", "errands")
TRIES_MAX = 20


@contextlib.contextmanager
def errand(world: World, what: str, seconds_max: int) -> Iterator[str]:
    """The label for one machine, wanted until the context ends or the time is over."""
    label = sandboxes.label(world.env, world.chance.name(12), 1, what)
    _note(world, label, world.clock.now() + seconds_max * 1000)
    try:
        yield label
    finally:
        _note(world, label, None)


def wanted(world: World) -> frozenset[str]:
    """The labels of errands under way."""
    item = world.store.get(ERRANDS)
    return frozenset(_alive(world, item)) if item is not None else frozenset()


def _alive(world: World, item: ports.Item) -> dict[str, int]:
    now = world.clock.now()
    return {label: int(until) for label, until in item.body["until"].items() if until > now}


def _note(world: World, label: str, until: int | None) -> None:
    """Keep a label, or let it go. Raises Busy."""
    for _ in range(TRIES_MAX):
        item = world.store.get(ERRANDS)
        alive = _alive(world, item) if item is not None else {}
        alive.pop(label, None)
        if until is not None:
            alive[label] = until
        put = Put(ERRANDS, {"until": alive}, expect=item.version if item is not None else 0)
        with contextlib.suppress(ports.Conflict):
            world.store.transact((put,))
            return
    raise ports.Busy("the list of errands is written by too many at once")
