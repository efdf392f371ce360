"""What is to be warm when a class begins: alarms for a moment before, set when its hours are set.

Only where functions begin cold is there anything to do. Who makes a class leaves it to those who
set alarms, by a message; the alarms are named after the class, so they move when its hours do.
"""

from __future__ import annotations

from brihaspati import ports
from brihaspati.domain import warmth
from brihaspati.domain.classrooms import Classroom
from brihaspati.engine.world import World

HOURS_TOPIC = "hours"
WARM_TOPIC = "warm"


def told(world: World, room: Classroom) -> None:
    """Let those who set alarms know the hours of a class, where anything begins cold."""
    if world.is_split and warmth.moments(room, world.clock.now()):
        world.queue.put(ports.Message(HOURS_TOPIC, {"class": room.id}))


def planned(world: World, room: Classroom) -> None:
    """Set the alarms of a class."""
    for name, at in warmth.moments(room, world.clock.now()).items():
        world.timer.set(f"warm#{room.id}#{name}", at, ports.Message(WARM_TOPIC, {"class": room.id}))
