"""The embedded house as the command line opens it."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brihaspati import ports
from brihaspati.adapters import keyring, labfolder, sqlite
from brihaspati.adapters.namespaces import hostfacts
from brihaspati.adapters.namespaces.rootfs import ImageProblem
from brihaspati.domain import rentable
from brihaspati.domain.classrooms import Classroom, shown
from brihaspati.domain.labs import Lab
from brihaspati.engine import demo
from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.cli.shop import (
    CannotRun,
    Fact,
    Fault,
    Progress,
    Report,
    Serving,
    StandIn,
    StandInOptions,
    Studio,
)
from brihaspati.entrypoints.http import sessions
from brihaspati.entrypoints.http.routes import Archive
from brihaspati.entrypoints.server import logs
from brihaspati.entrypoints.server.greeting import greeting
from brihaspati.entrypoints.server.local import LocalServer, running_at
from brihaspati.entrypoints.server.parts import Parts
from brihaspati.settings import Settings
from brihaspati.wiring import hosts, rented
from brihaspati.wiring.embedded import Embedded, embedded

if TYPE_CHECKING:
    from brihaspati.entrypoints.cli.simulator import Simulator
    from brihaspati.wiring.renter import AccountRenter

log = logging.getLogger(__name__)


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
    def queues(self) -> Iterator[Mapping[str, ports.Queue]]:
        """The one queue of this machine."""
        with self._opened() as house:
            yield {"work": house.queue}

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

    def publish(self, labs: Sequence[Lab], progress: Progress) -> Sequence[str]:  # noqa: ARG002
        """What a server of this machine offers are the labs of its folder. Raises CannotRun."""
        raise CannotRun(
            f"`brihaspati up` offers the labs of {self.settings.labs} by itself; name a deployment "
            "on AWS to publish to: brihaspati --stage prod lab publish"
        )

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
        if house.host.provider.rented:
            for lab in (one for one in labs if not rented.can_rent(one)):
                why = str(rentable.why_not(lab))
                log.warning("a lab is left out", extra={"lab": lab.name, "reason": why})
            labs = [lab for lab in labs if rented.can_rent(lab)]
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
        return Report(tuple(facts), hosts.choose(self.settings), hostfacts.isolation(facts))

    def before_deploy(self) -> Sequence[Fact]:
        """This machine needs none. Raises CannotRun."""
        raise CannotRun("name the deployment: brihaspati --stage prod deploy check")

    def renter(self, cloud: str | None, env: str | None = None) -> AccountRenter:
        """An account of a cloud; what goes on is said as it does."""
        from brihaspati.wiring.renter import AccountRenter  # noqa: PLC0415

        return AccountRenter(
            self.settings, cloud, env, say=lambda what, _: click.echo(what, err=True)
        )

    def simulator(self) -> Simulator:
        """What lives worlds in which everything goes wrong; few commands need it."""
        from brihaspati.simulation.simulator import Simulator  # noqa: PLC0415

        return Simulator()

    def stand_in(self, wanted: StandInOptions) -> contextlib.AbstractContextManager[StandIn]:
        """The stand-in for the clouds; few commands need it."""
        from brihaspati.wiring import standin  # noqa: PLC0415

        return standin.serving(wanted)

    def cookie(self, engine: Engine, user: str) -> str:
        """A session of this person, as a Cookie header."""
        world = engine.world
        until = world.clock.now() + world.bounds.session_seconds * 1000
        text = sessions.issue(user, until, lambda m: world.secrets.mac("session", m))
        return f"{sessions.cookie_name(secure=self.settings.secure)}={text}"


def _archive(house: Embedded) -> Archive | None:
    """The program of rented machines, as the API serves it."""
    if house.renting is None:
        return None
    return Archive(house.renting.archive.data, house.renting.archive.sha256)


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
        has_lost_labs=house.host.has_lost_labs,
        web=chosen.web,
        data=chosen.data,
        host=chosen.host,
        port=chosen.port,
        origins=chosen.origins,
        lab_domain=chosen.lab_domain,
        secure=chosen.secure,
        code=shown(room.code),
        papers={"/lab.schema.json": json.dumps(labfolder.json_schema())},
        archive=_archive(house),
        issuer=chosen.acme if house.renting is not None else None,
        way=house.renting.way(house.engine) if house.renting is not None else None,
        relay=chosen.relay,
        names=chosen.names.zone if house.renting is not None else "",
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
