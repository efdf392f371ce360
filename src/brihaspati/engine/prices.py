"""What machines cost, told by those who may ask the clouds to those who may not."""

from __future__ import annotations

import logging

from brihaspati import ports
from brihaspati.domain import labs
from brihaspati.engine.classes import Classes
from brihaspati.engine.world import World

log = logging.getLogger(__name__)

# Clouds change their prices a few times in a year.
FRESH_MS = 3_600_000
KEPT_MS = 10 * 60_000
MESSAGE = ports.Message("prices", {})


def size_of(spec: labs.MachineSpec) -> str:
    """What of a machine its price depends on."""
    need = spec.resources
    return f"{need.cpus:g} cpus, {need.memory_mb} MB, {need.disk_mb} MB"


def key_of(provider: str) -> ports.Key:
    """Where the prices of a provider are stored."""
    return ports.Key("prices", provider)


class Prices:
    """Writes what the providers of this process say of published labs; asks others to do so."""

    def __init__(self, world: World, classes: Classes) -> None:
        self.world = world
        self.classes = classes

    def tell(self) -> int:
        """Store the prices of every machine a lab asks for; how many there are."""
        specs = [spec for lab in self.classes.catalogue() for spec in lab.machines]
        count = 0
        for name, provider in self.world.providers.items():
            micros = self._asked(provider, specs)
            if micros:
                body = {"at": self.world.clock.now(), "micros": micros}
                self.world.store.transact((ports.Put(key_of(name), body),))
            count += len(micros)
        return count

    def _asked(self, provider: ports.Provider, specs: list[labs.MachineSpec]) -> dict[str, int]:
        found: dict[str, int] = {}
        for spec in specs:
            try:
                found[size_of(spec)] = provider.price_micros_per_hour(spec)
            except (ports.Unclear, ports.CreateRefused) as error:
                log.warning("no price", extra={"provider": provider.name, "reason": str(error)})
        return found

    def refresh(self) -> bool:
        """Ask those who start machines for prices, where what is stored is an hour old."""
        now, store = self.world.clock.now(), self.world.store
        known = store.get_many([key_of(name) for name in self.world.providers])
        oldest = min((item.body["at"] for item in known.values()), default=0)
        if len(known) == len(self.world.providers) and now - oldest < FRESH_MS:
            return False
        self.world.queue.put(MESSAGE)
        return True


class Told:
    """The stored price of a machine at one provider, read again every ten minutes."""

    def __init__(self, store: ports.Store, clock: ports.Clock, provider: str) -> None:
        self._store = store
        self._clock = clock
        self._key = key_of(provider)
        self._read_at = -KEPT_MS
        self._micros: dict[str, int] = {}

    def __call__(self, spec: labs.MachineSpec) -> int | None:
        """Millionths an hour; None where nobody has told."""
        now = self._clock.now()
        if now - self._read_at >= KEPT_MS:
            item = self._store.get(self._key)
            self._micros = item.body["micros"] if item is not None else {}
            self._read_at = now
        return self._micros.get(size_of(spec))
