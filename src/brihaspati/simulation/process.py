"""One process of ours: the real engine over lines that break. When it dies another takes over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain.pace import UNHURRIED, Pace
from brihaspati.engine.engine import Engine
from brihaspati.engine.problems import Problem
from brihaspati.engine.working import Lost
from brihaspati.engine.world import Bounds, World
from brihaspati.simulation.agenda import Agenda, SkewedClock
from brihaspati.simulation.cloud import NAME, Cloud
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.links import (
    Alarms,
    Died,
    Heard,
    Line,
    Post,
    ProviderLink,
    StoreLink,
)
from brihaspati.simulation.promises import SKEW_MS_MAX, Promises
from brihaspati.simulation.vices import Weather

BOUNDS = Bounds(start_seconds_max=180, lookup_grace_ms=5_000)
SWEEPER = "sweeper"
# What a call may come back with besides an answer; whoever called tries again.
PASSING = (ports.Busy, ports.Conflict, ports.StoreFull, ports.Unclear, Lost)


@dataclass
class Town:
    """What all processes of a world share. `pace`: how often they may ask its cloud."""

    agenda: Agenda
    weather: Weather
    dice: Dice
    store: ports.Store
    cloud: Cloud
    promises: Promises
    post: Post
    alarms: Alarms
    pace: Pace = UNHURRIED
    heard: Heard = field(default_factory=Heard)
    secrets: ports.Secrets = field(default_factory=memory.Secrets)
    deaths: int = 0


class Process:
    """Does things with its engine, until it dies; then with a new one that knows nothing."""

    def __init__(self, town: Town, name: str) -> None:
        self.town = town
        self.name = name
        self._lives = 0
        skewed = town.weather.rules("clock skew")
        dice = town.dice.part(f"{name} skew")
        self._skew_ms = dice.between(-SKEW_MS_MAX, SKEW_MS_MAX) if skewed else 0
        self.engine = self._born()

    def _born(self) -> Engine:
        town, self._lives = self.town, self._lives + 1
        line = Line(town.agenda, town.weather, town.dice.part(f"{self.name} {self._lives}"))
        world = World(
            env="sim",
            store=StoreLink(town.store, line, town.promises.committed),
            queue=town.post,
            timer=town.alarms,
            providers={NAME: ProviderLink(town.cloud, line, self._deletes)},
            agents=town.heard,
            clock=SkewedClock(town.agenda, self._skew_ms),
            chance=memory.SeededChance(town.dice.between(0, 2**62)),
            secrets=town.secrets,
            bounds=BOUNDS,
            paces={NAME: lambda: town.pace},
            soon=self._soon,
        )
        return Engine(world)

    def _deletes(self, machine_id: str) -> None:
        if self.name == SWEEPER:  # workers delete what a sandbox gave up; a sweep what none has
            self.town.promises.stray_deleted(machine_id)

    def _soon(self, call: Callable[[], None]) -> None:
        town = self.town
        if town.weather.strikes("background work lost"):
            return
        town.agenda.after(town.dice.between(1, 50), lambda: self._forget(call))

    def _forget(self, call: Callable[[], None]) -> None:
        self._attempt(call)

    def do(self, deed: Callable[[Engine], object]) -> bool:
        """Do something; False when it should be tried again. Problems are answers."""
        return self._attempt(lambda: deed(self.engine))

    def _attempt(self, call: Callable[[], object]) -> bool:
        under_way = self.town.promises.under_way
        under_way.append(self.town.agenda.now)
        try:
            call()
        except Died:
            self.town.deaths += 1
            self.town.agenda.tell(f"{self.name} is killed")
            self.engine = self._born()
            return False
        except PASSING:
            return False
        except Problem:
            return True
        finally:
            under_way.pop()
        return True
