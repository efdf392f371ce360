"""The composition root: the only file that may know every room."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brihaspati import ports, settings
from brihaspati.adapters import clocks, keyring, labfolder, sqlite
from brihaspati.adapters.bubblewrap.provider import Bubblewrap
from brihaspati.adapters.namespaces import hostfacts
from brihaspati.adapters.namespaces.images import Images
from brihaspati.adapters.namespaces.network import Networks
from brihaspati.adapters.namespaces.provider import Namespaces
from brihaspati.adapters.namespaces.rootfs import ImageProblem
from brihaspati.adapters.priced import Priced
from brihaspati.domain.classrooms import Classroom, shown
from brihaspati.domain.labs import Lab
from brihaspati.engine import demo
from brihaspati.engine.engine import Engine
from brihaspati.engine.world import Bounds, World
from brihaspati.entrypoints.cli import main as command_line
from brihaspati.entrypoints.cli.shop import CannotRun, Fault, Progress, Report, Serving, Studio
from brihaspati.entrypoints.http import sessions
from brihaspati.entrypoints.server import logs
from brihaspati.entrypoints.server.agents import HubAgents
from brihaspati.entrypoints.server.aside import Aside
from brihaspati.entrypoints.server.crew import Crew
from brihaspati.entrypoints.server.greeting import greeting
from brihaspati.entrypoints.server.local import LocalServer, running_at
from brihaspati.entrypoints.server.parts import Parts
from brihaspati.entrypoints.server.waiting import Bell
from brihaspati.settings import ProviderName, Settings
from brihaspati_agent.places import Places

if TYPE_CHECKING:
    from brihaspati.adapters.docker_engine.provider import DockerEngine
    from brihaspati.entrypoints.cli.simulator import Simulator

log = logging.getLogger(__name__)

# Lists of our own host do not lag: a look-up may be believed soon.
BOUNDS = Bounds(start_seconds_max=120, lookup_grace_ms=500)
SIDE_BY_SIDE = 16
# Scripts of labs that run at once; they wait for what students' processes do, so not too few.
SCRIPTS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Host:
    """Who runs machines on this host, and how to reach into them."""

    provider: ports.Provider
    places: Places
    start: Callable[[], None]
    close: Callable[[], None]


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
    host: Host
    engine: Engine
    crew: Crew

    def close(self) -> None:
        """Let go of the file; machines go on."""
        self.crew.dismiss()
        self.database.close()


def embedded(chosen: Settings) -> Embedded:
    """One machine: SQLite, and labs on this very host. Raises what the adapters raise."""
    chosen.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock = clocks.SystemClock()
    database = sqlite.Database(chosen.data / "brihaspati.db")
    store, timer = sqlite.Store(database, clock), sqlite.Timer(database)
    queue = sqlite.Queue(database, clock)
    agents, bell, secrets = HubAgents(), Bell(), keyring.Keyring(chosen.data)
    host = host_of(chosen)
    crew = Crew(SIDE_BY_SIDE)
    world = World(
        env=chosen.env,
        store=store,
        queue=queue,
        timer=timer,
        providers={host.provider.name: Priced(host.provider, chosen.host_price_micros)},
        agents=agents,
        clock=clock,
        chance=clocks.SystemChance(),
        secrets=secrets,
        bounds=BOUNDS,
        together=crew.together,
        soon=crew.soon,
        aside=Aside(SCRIPTS_AT_ONCE),
        changed=bell.rung,
        checking=bell.checking,
        pool=chosen.pool,
        currency=chosen.currency,
    )
    return Embedded(
        chosen, database, queue, timer, store, agents, bell, secrets, host, Engine(world), crew
    )


# --- who runs the machines -----------------------------------------------------------------------
def choose(chosen: Settings) -> ProviderName:
    """The provider this host can have: root has namespaces, else Docker, else bubblewrap."""
    if chosen.provider != "auto":
        return chosen.provider
    if sys.platform == "linux" and os.geteuid() == 0:
        return "namespaces"
    return "docker" if _docker(chosen).unavailable() is None else "bubblewrap"


def host_of(chosen: Settings) -> Host:
    """The provider over a data folder, not started."""
    match choose(chosen):
        case "namespaces":
            return _namespaces(chosen)
        case "docker":
            docker = _docker(chosen)
            return Host(docker, docker.place, _checked(docker), docker.close)
        case _:
            walls = Bubblewrap(chosen.data / "bubblewrap", chosen.env)
            return Host(walls, walls.place, _checked(walls), lambda: None)


def _docker(chosen: Settings) -> DockerEngine:
    """The engine at the first address where there is one."""
    # docker-py takes as long to import as all the rest of a command; few need it.
    from brihaspati.adapters.docker_engine.options import Options  # noqa: PLC0415
    from brihaspati.adapters.docker_engine.provider import DockerEngine  # noqa: PLC0415

    there = [a for a in chosen.docker if Path(a.removeprefix("unix://")).exists()]
    return DockerEngine(
        Options(
            env=chosen.env,
            address=(there or list(chosen.docker))[0],
            runtime=chosen.docker_runtime,
            userns=chosen.docker_userns,
            host_image=chosen.docker_image,
        )
    )


def _namespaces(chosen: Settings) -> Host:
    # Networks ask the provider for machines that were there before this server was.
    def netns_of(label: str) -> int | None:
        return native.netns(label)

    networks = Networks(f"{chosen.env} {chosen.data}", netns_of=netns_of)
    native = Namespaces(
        chosen.data,
        chosen.env,
        Images(chosen.data / "images"),
        networks=networks,
        orphan_seconds=max(1, chosen.keep_seconds),
    )

    def start() -> None:
        native.start()
        networks.clean(keep=[machine.label for machine in native.inventory()])

    def close() -> None:
        native.close(end_labs=chosen.keep_seconds == 0)
        if chosen.keep_seconds == 0:
            networks.clean()

    return Host(native, native.place, start, close)


def _checked(provider: Any) -> Callable[[], None]:
    """Start by asking whether the provider can work. Raises CannotRun."""

    def start() -> None:
        why = provider.unavailable()
        if why is not None:
            raise CannotRun(f"{provider.name}: {why}")

    return start


# --- the house for the command line --------------------------------------------------------------
class LocalShop:
    """The embedded house as the command line opens it."""

    def __init__(self, chosen: Settings) -> None:
        self.settings = chosen

    def elsewhere(self, folder: Path) -> LocalShop:
        """The same house over another data folder."""
        return LocalShop(replace(self.settings, data=folder))

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Embedded]:
        with _plain_words():
            house = embedded(self.settings)
            try:
                yield house
            finally:
                house.close()

    @contextlib.contextmanager
    def engine(self) -> Iterator[Engine]:
        """The engine over the stored data."""
        with self._opened() as house:
            yield house.engine

    @contextlib.contextmanager
    def serving(self, progress: Progress) -> Iterator[Serving]:
        """The running server, or one of our own on a free port for as long as the context lasts."""
        address = running_at(self.settings.data)
        if address is not None:
            yield Serving(address, ours=False)
            return
        quiet = LocalShop(replace(self.settings, port=0, pool=0, keep_seconds=0))
        with (
            quiet._opened() as house,
            quiet._served(house, progress) as server,
            server.in_background(),
        ):
            yield Serving(server.address, ours=True)

    @contextlib.contextmanager
    def studio(self, labs: Sequence[Lab], progress: Progress) -> Iterator[Studio]:
        """A server over an empty data folder with these labs alone; nothing of it stays."""
        with tempfile.TemporaryDirectory(prefix="bh-") as folder:
            shared = self.settings.data / "images"
            if shared.is_dir():  # what was fetched before need not come again
                (Path(folder) / "images").symlink_to(shared)
            # Under a name of its own, so that a server beside it takes none of its machines.
            mine = replace(self.settings, data=Path(folder), env=f"lab{secrets.token_hex(4)}")
            quiet = LocalShop(replace(mine, port=0, pool=0, keep_seconds=0))
            with (
                quiet._opened() as house,
                quiet._served(house, progress, labs) as server,
                server.in_background(),
            ):

                def publish(lab: Lab) -> None:
                    with _plain_words():
                        quiet._offer(house, [lab], progress)

                yield Studio(server.address, server.parts.code, house.engine, publish)

    def lab(self, folder: Path) -> tuple[Lab | None, Sequence[Fault]]:
        """The lab in a folder, or what is wrong with it."""
        try:
            return labfolder.read(folder), ()
        except labfolder.LabProblems as wrong:
            return None, wrong.problems

    def up(self, progress: Progress, ready: Callable[[str], None]) -> None:
        """Serve until told to end."""
        logs.start()
        with self._opened() as house, self._served(house, progress) as server:
            server.run(lambda: ready(greeting(server)))

    @contextlib.contextmanager
    def _served(
        self, house: Embedded, progress: Progress, labs: Sequence[Lab] | None = None
    ) -> Iterator[LocalServer]:
        """A server over the house: the only one of its folder, with labs published and images.

        The labs are those of the settings' folder unless they are given.
        """
        with sqlite.lock(self.settings.data):
            progress("starting the provider of labs", None)
            house.host.start()
            try:
                room = self._offer(house, self._found() if labs is None else labs, progress)
                yield LocalServer(_server_parts(house, room))
            finally:
                house.host.close()

    def _found(self) -> list[Lab]:
        labs, broken = labfolder.read_all(self.settings.labs)
        labs.sort(key=lambda lab: (lab.minutes, lab.name))
        for problems in broken:
            log.error("a lab is left out", extra={"problems": str(problems)})
        return labs

    def _offer(self, house: Embedded, labs: Sequence[Lab], progress: Progress) -> Classroom:
        for image in sorted({spec.image for lab in labs for spec in lab.machines}):
            progress(f"making the image {image} ready", None)
            house.host.provider.prepare(image, progress)
        return demo.ensure(
            house.engine.classes,
            labs,
            house.host.provider.name,
            pool=self.settings.pool,
            seats=self.settings.seats,
        )

    def report(self) -> Report:
        """What this host can do."""
        facts = hostfacts.inspect(self.settings.data)
        return Report(tuple(facts), choose(self.settings), hostfacts.isolation(facts))

    def simulator(self) -> Simulator:
        """What lives worlds in which everything goes wrong; few commands need it."""
        from brihaspati.simulation.simulator import Simulator  # noqa: PLC0415

        return Simulator()

    def cookie(self, engine: Engine, user: str) -> str:
        """A session of this person, as a Cookie header."""
        world = engine.world
        until = world.clock.now() + world.bounds.session_seconds * 1000
        text = sessions.issue(user, until, lambda m: world.secrets.mac("session", m))
        return f"{sessions.cookie_name(secure=self.settings.secure)}={text}"


def _server_parts(house: Embedded, room: Classroom) -> Parts:
    chosen = house.settings
    return Parts(
        engine=house.engine,
        queue=house.queue,
        timer=house.timer,
        tidy=house.store.sweep,
        agents=house.agents,
        bell=house.bell,
        places=house.host.places,
        web=chosen.web,
        data=chosen.data,
        host=chosen.host,
        port=chosen.port,
        origins=chosen.origins,
        lab_domain=chosen.lab_domain,
        secure=chosen.secure,
        code=shown(room.code),
        papers={"/lab.schema.json": json.dumps(labfolder.json_schema())},
    )


# What adapters raise about this host and this data folder; the text says what to do.
_TELL = (
    OSError,
    sqlite.Broken,
    sqlite.AlreadyServed,
    keyring.KeyringError,
    labfolder.LabProblems,
    ports.CreateRefused,
    ports.StoreFull,
    ports.Busy,
    ImageProblem,
)


@contextlib.contextmanager
def _plain_words() -> Iterator[None]:
    """What a person can mend is said in words, not as a traceback."""
    try:
        yield
    except _TELL as error:
        raise CannotRun(str(error) or type(error).__name__) from error


def open_shop(given: Mapping[str, str]) -> LocalShop:
    """The house as the environment and the command line set it up. Raises SettingsError."""
    return LocalShop(settings.read(given))


def main() -> int:
    """The command `brihaspati`."""
    return command_line.main(open_shop)
