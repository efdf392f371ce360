"""What is to be warm when a class begins: alarms for a moment before, set when its hours are set.

Only where functions begin cold is there anything to do. Who makes a class leaves it to those who
set alarms, by a message; the alarms are named after the class, so they move when its hours do, and
those of hours that are no more are forgotten. The message goes out when the class is stored
already, and may fail: whoever repeats the request sends it again.
"""

from __future__ import annotations

from brihaspati import ports
from brihaspati.domain import warmth
from brihaspati.domain.classrooms import Classroom
from brihaspati.engine.world import World

HOURS_TOPIC = "hours"
WARM_TOPIC = "warm"


def told(world: World, room: Classroom, *, new: bool = False) -> None:
    """Let those who set alarms know the hours of a class, where anything begins cold.

    Hours that are over, too, unless the class is new: alarms may be set for others that it had.
    """
    if world.is_split and (not new or warmth.moments(room, world.clock.now())):
        world.queue.put(ports.Message(HOURS_TOPIC, {"class": room.id}))


def planned(world: World, room: Classroom) -> None:
    """Set the alarms of a class, and forget those that its hours leave no time for."""
    moments = warmth.moments(room, world.clock.now())
    for name in warmth.CALLS_MS:
        alarm = f"warm#{room.id}#{name}"
        if name in moments:
            world.timer.set(alarm, moments[name], ports.Message(WARM_TOPIC, {"class": room.id}))
        else:
            world.timer.cancel(alarm)
