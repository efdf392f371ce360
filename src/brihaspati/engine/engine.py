"""The engine's rooms put together over one world."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from brihaspati import ports
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine import membership, warming
from brihaspati.engine.classes import Classes
from brihaspati.engine.learning import Learning
from brihaspati.engine.membership import Membership
from brihaspati.engine.playing import Playing
from brihaspati.engine.reading import Reading
from brihaspati.engine.working import Worker
from brihaspati.engine.world import World

if TYPE_CHECKING:
    from brihaspati.engine.alarms import Alarms
    from brihaspati.engine.boards import Boards
    from brihaspati.engine.machines import Machines
    from brihaspati.engine.names import Names
    from brihaspati.engine.preflight import Preflight
    from brihaspati.engine.prices import Prices
    from brihaspati.engine.setups import Setups
    from brihaspati.engine.sweeping import Sweeping
    from brihaspati.engine.teaching import Teaching


class Engine:
    """What entry points call: everything the product does, without the wire."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.worker = Worker(world)
        self.scrubbing = self.worker.scrubbing
        self.classes = Classes(world)
        self.playing = Playing(world, self.worker)
        self.learning = Learning(world)
        self.reading = Reading(world, self.classes)

    # What students ask needs none of the following, and a function that starts has no time to lose.
    @functools.cached_property
    def setups(self) -> Setups:
        """How machines are set up."""
        from brihaspati.engine.setups import Setups  # noqa: PLC0415

        return Setups(self.world, self.classes)

    @functools.cached_property
    def teaching(self) -> Teaching:
        """What trainers do."""
        from brihaspati.engine.teaching import Teaching  # noqa: PLC0415

        return Teaching(self.world, self.classes, self.playing)

    @functools.cached_property
    def boards(self) -> Boards:
        """What trainers see."""
        from brihaspati.engine.boards import Boards  # noqa: PLC0415

        return Boards(self.world, self.classes)

    @functools.cached_property
    def preflight(self) -> Preflight:
        """What clouds have for a class."""
        from brihaspati.engine.preflight import Preflight  # noqa: PLC0415

        return Preflight(self.world, self.classes, self.names)

    @functools.cached_property
    def prices(self) -> Prices:
        """What machines cost."""
        from brihaspati.engine.prices import Prices  # noqa: PLC0415

        return Prices(self.world, self.classes)

    @functools.cached_property
    def machines(self) -> Machines:
        """What rented machines ask."""
        from brihaspati.engine.machines import Machines  # noqa: PLC0415

        return Machines(self.world, self.worker, self.world.verify, self.names)

    @functools.cached_property
    def alarms(self) -> Alarms:
        """What operators should know of rented machines."""
        from brihaspati.engine.alarms import Alarms  # noqa: PLC0415

        return Alarms(self.world)

    @functools.cached_property
    def names(self) -> Names | None:
        """Names of rented machines, where they have such."""
        if self.world.naming is None:
            return None
        from brihaspati.engine.names import Names  # noqa: PLC0415

        return Names(self.world, self.worker, self.world.naming)

    @functools.cached_property
    def sweeping(self) -> Sweeping:
        """What is done each minute."""
        from brihaspati.engine.sweeping import Sweeping  # noqa: PLC0415

        return Sweeping(self.world, self.worker, self.classes, self.playing)

    def member(self, user: str) -> Membership:
        """Everything one person has. Raises Problem when nobody is there."""
        return membership.read(self.world.store, user)

    def handle(self, message: ports.Message) -> None:
        """Do the work of one queue message. Raises whatever makes it worth another try."""
        match message.topic:
            case "sandbox" | "ending":
                slot, at = Slot.parse(message.body["slot"]), message.body.get("at", 0)
                self.worker.work_at(slot, at, ending=message.topic == "ending")
            case "pool":
                self.sweeping.fill_pool(message.body["class"], message.body["lab"])
            case warming.HOURS_TOPIC:
                found = self.classes.find(message.body["class"])
                if found is not None:
                    warming.planned(self.world, found[0])
            case warming.WARM_TOPIC:
                pass  # a function of its own hears these, where functions begin cold
            case "prices":
                self.prices.tell()
            case "script":
                self.learning.run_asked(Slot.parse(message.body["slot"]), message.body["run"])
            case topic:
                raise ValueError(f"no handler for the topic {topic!r}")
