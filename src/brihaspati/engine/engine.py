"""The engine's rooms put together over one world."""

from __future__ import annotations

from brihaspati import ports
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine import membership
from brihaspati.engine.boards import Boards
from brihaspati.engine.classes import Classes
from brihaspati.engine.learning import Learning
from brihaspati.engine.machines import Machines
from brihaspati.engine.membership import Membership
from brihaspati.engine.playing import Playing
from brihaspati.engine.preflight import Preflight
from brihaspati.engine.reading import Reading
from brihaspati.engine.setups import Setups
from brihaspati.engine.sweeping import Sweeping
from brihaspati.engine.teaching import Teaching
from brihaspati.engine.working import Worker
from brihaspati.engine.world import World


class Engine:
    """What entry points call: everything the product does, without the wire."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.worker = Worker(world)
        self.scrubbing = self.worker.scrubbing
        self.classes = Classes(world)
        self.playing = Playing(world, self.worker)
        self.learning = Learning(world)
        self.setups = Setups(world, self.classes)
        self.teaching = Teaching(world, self.classes, self.playing)
        self.boards = Boards(world, self.classes)
        self.preflight = Preflight(world, self.classes)
        self.reading = Reading(world, self.classes)
        self.machines = Machines(world, self.worker, world.verify)
        self.sweeping = Sweeping(world, self.worker, self.classes, self.playing)

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
            case "script":
                self.learning.run_asked(Slot.parse(message.body["slot"]), message.body["run"])
            case topic:
                raise ValueError(f"no handler for the topic {topic!r}")
