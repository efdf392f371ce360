"""A class whose machines are rented from the stand-in: the real engine, providers and lifecycle.

Only the machines' insides are missing: an agent here reports what its machine's boot allows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from brihaspati import ports
from brihaspati.domain import events
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.sandboxes import Sandbox, Slot
from brihaspati.engine.engine import Engine
from brihaspati_cloudsim.account import Bodies, Lags
from brihaspati_cloudsim.servers import Server
from house import House
from rented import stand_in
from rented.stand_in import Sky

HEARTBEAT_SECONDS = 5


class Agents(Bodies):
    """Which machines have booted and still run."""

    def __init__(self) -> None:
        self.up: dict[str, Server] = {}

    def boot(self, server: Server) -> None:
        """Its agent runs."""
        self.up[server.key] = server

    def halt(self, server: Server) -> None:
        """Its agent does not."""
        self.up.pop(server.key, None)

    def cut(self, server: Server) -> None:
        """Nobody hears its agent."""
        self.up.pop(server.key, None)

    def destroy(self, server: Server) -> None:
        """It is no more."""
        self.up.pop(server.key, None)

    def snapshot(self, server: Server, image: str) -> None:
        """Nothing of it is needed."""


@dataclass
class Rented:
    """A house that rents. `slots` are everybody's who played."""

    lags: Lags = field(default_factory=Lags)
    usual: str = "digitalocean"
    slots: list[Slot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sky = Sky(lags=self.lags)
        self.agents = Agents()
        for account in self.sky.world.accounts.values():
            account.bodies = self.agents
        self.house = House(clock=self.sky.clock)
        order = sorted(stand_in.CLOUDS, key=lambda name: name != self.usual)
        self.rentals = {name: self.sky.provider(name) for name in order}
        for rental in self.rentals.values():
            rental.prepare("host", lambda *_: None)  # as a server does when it starts
        world = replace(
            self.house.world,
            providers=dict(self.rentals),
            paces={name: rental.pace for name, rental in self.rentals.items()},
        )
        self.house.world, self.house.engine = world, Engine(world)

    def classroom(self, **more: Any) -> Classroom:
        """An open class at the usual cloud."""
        return self.house.classroom(provider=self.usual, seats=1000, **more)

    def play(self, room: Classroom, number: int) -> Slot:
        """A student presses Play."""
        person = self.house.student(room, f"Student {number}")
        (name, version), *_ = room.labs
        lab = self.house.engine.classes.lab(name, version)
        member = self.house.engine.member(person.id)
        record, _ = self.house.engine.playing.play(room, lab, member)
        self.slots.append(record.sandbox.slot)
        return record.sandbox.slot

    def sandboxes(self) -> list[Sandbox]:
        """Everybody's."""
        found = [self.house.engine.worker.load(slot) for slot in self.slots]
        return [record.sandbox for record in found if record is not None]

    def pass_time(self, seconds: int) -> None:
        """A second at a time: alarms, heartbeats, work, and a sweep each minute."""
        for _ in range(seconds):
            self.sky.clock.advance(1)
            self.sky.world.settle()
            now = self.sky.clock.now() // 1000
            self.house.timer.fire(self.sky.clock.now())
            if now % HEARTBEAT_SECONDS == 0:
                self._heartbeats()
            if now % 60 == 0:
                self.house.engine.sweeping.sweep()
            self.house.run()

    def _heartbeats(self) -> None:
        up = {server.name for server in self.agents.up.values()}
        for sandbox in self.sandboxes():
            for machine in sandbox.current:
                if sandbox.phase == "starting" and machine.label in up:
                    self.house.engine.worker.post(sandbox.slot, events.AgentReady(machine.label))

    def stop(self, slot: Slot) -> None:
        """A student stops."""
        self.house.engine.playing.stop(slot, "stopped")

    def creates(self) -> list[tuple[int, str, int | None]]:
        """When a create was sent, where, and with what answer."""
        paths = ("/v2/droplets", "/v4/linode/instances")
        return [
            (one.at, one.provider, one.status)
            for one in self.sky.world.asked
            if one.method == "POST" and one.path in paths
        ]

    def store(self) -> ports.Store:
        """Where everything is written."""
        return self.house.store
