"""The embedded mode: everything on one machine, over one data folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from brihaspati import ports
from brihaspati.adapters import clocks, keyring, sqlite
from brihaspati.adapters.priced import Priced
from brihaspati.engine.engine import Engine
from brihaspati.engine.world import Bounds, World
from brihaspati.entrypoints.server.agents import HubAgents
from brihaspati.entrypoints.server.aside import Aside
from brihaspati.entrypoints.server.crew import Crew
from brihaspati.entrypoints.server.waiting import Bell
from brihaspati.settings import Settings
from brihaspati.wiring import accounts, hosts, naming, rented

# Lists of our own host do not lag: a look-up may be believed soon.
BOUNDS = Bounds(start_seconds_max=120, lookup_grace_ms=500)
SIDE_BY_SIDE = 16
# Scripts of labs that run at once; they wait for what students' processes do, so not too few.
SCRIPTS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Embedded:
    """Everything of the embedded mode over one data folder, opened but not started."""

    settings: Settings
    database: sqlite.Database
    queue: sqlite.Queue
    timer: sqlite.Timer
    store: sqlite.Store
    agents: HubAgents
    bell: Bell
    secrets: keyring.Keyring
    host: hosts.Host
    engine: Engine
    crew: Crew
    renting: rented.Renting | None = None

    def close(self) -> None:
        """Let go of the file; machines go on."""
        self.crew.dismiss()
        self.database.close()


def embedded(chosen: Settings) -> Embedded:
    """One machine: SQLite, and labs on this very host. Raises what the adapters raise."""
    _make(chosen.data)
    clock = clocks.SystemClock()
    database = sqlite.Database(chosen.data / "brihaspati.db")
    store, timer = sqlite.Store(database, clock), sqlite.Timer(database)
    queue, crew = sqlite.Queue(database, clock), Crew(SIDE_BY_SIDE)
    agents, bell, secrets = HubAgents(), Bell(), keyring.Keyring(chosen.data)
    host = hosts.host_of(chosen)
    clouds = accounts.providers(chosen)
    providers: dict[str, ports.Provider] = {host.provider.name: _priced(host.provider, chosen)}
    providers |= {name: one for name, one in clouds.items() if name not in providers}
    renting = rented.renting(chosen) if host.provider.rented else None
    world = World(
        env=chosen.env,
        store=store,
        queue=queue,
        timer=timer,
        providers=providers,
        agents=renting.agents if renting is not None else agents,
        clock=clock,
        chance=clocks.SystemChance(),
        secrets=secrets,
        bounds=replace(BOUNDS, abuse=chosen.abuse),
        together=crew.together,
        soon=crew.soon,
        aside=Aside(SCRIPTS_AT_ONCE),
        changed=bell.rung,
        checking=bell.checking,
        pool=chosen.pool,
        currency=chosen.currency,
        paces={name: one.pace for name, one in clouds.items()},
        standings=rented.standings(clouds, chosen.acme),
        boot=renting.boot if renting is not None else None,
        verify=keyring.verify,
        naming=naming.naming(chosen, secrets, clouds) if renting is not None else None,
    )
    engine = _engine(world, renting)
    return Embedded(
        chosen, database, queue, timer, store, agents, bell, secrets, host, engine, crew, renting
    )


def _engine(world: World, renting: rented.Renting | None) -> Engine:
    engine = Engine(world)
    if renting is not None:
        renting.serve(engine)
    return engine


def _priced(provider: ports.Provider, chosen: Settings) -> ports.Provider:
    """Our own host has the price that we give it; who rents tells its own."""
    return provider if provider.rented else Priced(provider, chosen.host_price_micros)


def _make(data: Path) -> None:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = f"{data} cannot be the data folder: {error.strerror}"
        raise OSError(f"{why}; set BRIHASPATI_DATA to one that can be written") from error
