"""Forty labs at two clouds that do everything wrong: nothing is left, no stranger is touched."""

from __future__ import annotations

import collections
import random
from collections.abc import Callable

import pytest

from brihaspati.domain.classrooms import Spill
from brihaspati_cloudsim.servers import Server
from brihaspati_cloudsim.world import World
from rented.classroom import Rented

LABS = 40
BEFORE = ("status", "rate", "drop", "hang", "unauthorized")
AFTER = ("status_after", "drop_after", "hang_after", "garbled")
BIRTH = ("sold_out", "quota", "duplicate_label", "vanish", "listed_late", "active_late")
LIFE = ("boots_never", "dies", "loses_network")
END = ("locked", "delete_ignored", "zombie", "delete_late")
LISTS = ("missed", "tags_missing", "stale")
SECONDS = {"hang": 60, "hang_after": 60, "rate": 3, "vanish": 20, "listed_late": 20}
SECONDS |= {"active_late": 60, "dies": 30, "loses_network": 30, "zombie": 90, "delete_late": 45}
CALM_AFTER_SECONDS = 1200


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_the_storm_nothing_is_left_and_no_stranger_was_touched(
    seed: int, record_property: Callable[[str, object], None]
) -> None:
    dice = random.Random(seed)
    rented = Rented(usual=dice.choice(["digitalocean", "linode"]))
    world = rented.sky.world
    strangers = _strangers(world)
    for kind in (*BEFORE, *AFTER, *BIRTH, *LIFE, *END, *LISTS):
        chance = 0.05 if kind in (*BEFORE, *AFTER, *LISTS) else 0.12
        rented.sky.fault(kind, times=None, chance=chance, seconds=SECONDS.get(kind, 10))
    other = "linode" if rented.usual == "digitalocean" else "digitalocean"
    room = rented.classroom(spill=(Spill(other),))
    for number in range(LABS):
        rented.play(room, number)
        rented.pass_time(dice.randrange(0, 12))
    while rented.sky.clock.now() < room.opens_at + CALM_AFTER_SECONDS * 1000:
        rented.stop(dice.choice(rented.slots))
        rented.pass_time(30)
    struck = {fault.kind for fault in world.faults.active if fault.struck}
    world.faults.active.clear()
    for slot in rented.slots:
        rented.stop(slot)
    rented.pass_time(900)

    assert {one.phase for one in rented.sandboxes()} <= {"gone", "failed"}
    assert all(one.at_rest for one in rented.sandboxes())
    assert [server.name for server in world.running() if not server.stranger] == []
    assert all(stranger.gone_at is None for stranger in strangers)
    labels = _made(world)
    assert max(labels.values()) == 1, labels.most_common(3)
    assert len(struck) >= 18, sorted(struck)
    ready = [one for one in rented.sandboxes() if one.ready_at is not None]
    assert len(ready) >= LABS // 4
    record_property(
        "proved",
        f"storm {seed}: {LABS} labs, {labels.total()} machines made, {len(struck)} kinds of fault"
        f" struck, {len(ready)} labs were ready once; none is left, {len(strangers)} strangers are",
    )


def _strangers(world: World) -> list[Server]:
    """Servers of others in both accounts, some named nearly as ours."""
    return [
        world.add_stranger(cloud, name, ["bh-test"])
        for cloud in ("digitalocean", "linode")
        for name in ("web", "bh-test-looks-like-ours", "bh-test2-k3f9-a1-main")
    ]


def _made(world: World) -> collections.Counter[str]:
    """How often a machine of ours was made, by its label."""
    return collections.Counter(
        server.name
        for account in world.accounts.values()
        for server in account.servers.values()
        if not server.stranger
    )
